import { ProcedureError } from '../../model/errors.js';
import type { OperationOf } from '../../operations/operation.js';
import { describeHolder, type PortHolder } from '../../model/remedies.js';
import { formatDuration } from '../../model/units.js';
import { findHolder, portsToGet, type Found } from '../port-holder.js';
import type { Session } from '../session.js';
import type { Remedy } from './remedy.js';

/** Docker's own grace time. */
const GRACE_MS = 10_000;
/** How long the port may take to be free once its holder has ended. */
const FREE_MS = 10_000;
const LOOK_EVERY_MS = 100;

/** Runbook, Container Won't Start: `lsof -ti:3000 | xargs kill`. */
export const freePort: Remedy = {
  name: 'free-port',
  async plan(viewing, wants) {
    const operations: OperationOf<'free-port'>[] = [];
    const notes: string[] = [];
    for (const port of portsToGet(wants)) {
      const found = await findHolder(viewing, port, wants.service);
      if (found === undefined) continue;
      if (found.kind === 'stays') {
        notes.push(`Port ${port} of the host is held by ${found.words}, and free-port does not end it: ${found.why}.`);
        continue;
      }
      operations.push({ kind: 'free-port', service: wants.service, port, holder: found.holder });
      notes.push(
        `Port ${port} of the host is held by ${found.words}: it is ended first, because remedies names free-port. Nothing starts it again.`,
      );
    }
    return { operations, notes };
  },
};

/**
 * Asks whoever has the port to end, waits, and ends it. Only the holder that the plan names: who has come since is not
 * touched.
 * @throws ProcedureError E_REMEDY when the port is not free afterwards
 */
export async function carryOutFreePort(
  session: Session,
  { service, port, holder }: OperationOf<'free-port'>,
  signal: AbortSignal,
): Promise<void> {
  const how =
    holder.kind === 'container' ? await stop(session, holder, signal) : await end(session, port, holder, signal);
  const left = await heldAfter(session, port, service, signal);
  if (left !== undefined) throw heldAgain(port, holder, left);
  const who = describeHolder(holder);
  const text = `port ${port} of the host was freed: ${who} ${how}`;
  session.progress.warning(text);
  session.recorder.note(text, service);
  session.recorder.findings.push({
    title: `Remedy for ${service}: free-port`,
    columns: ['Port', 'Who had it', 'What was done'],
    rows: [[String(port), who, how]],
  });
  session.recorder.nextSteps.push(
    `${who} had port ${port} of the host and ${how}: where it is needed, give it another.`,
  );
}

async function stop(
  session: Session,
  { id }: Extract<PortHolder, { kind: 'container' }>,
  signal: AbortSignal,
): Promise<string> {
  await session.engine.stopContainer(id, signal);
  return 'was stopped within its grace time';
}

async function end(
  session: Session,
  port: number,
  holder: Extract<PortHolder, { kind: 'process' }>,
  signal: AbortSignal,
): Promise<string> {
  const { listeners } = session;
  const now = await listeners.on(port);
  if (now === undefined || now === 'unseen' || now.pid !== holder.pid || now.started !== holder.started) {
    return 'had ended by itself';
  }
  const ways = [await listeners.end(holder, GRACE_MS, signal)];
  // Its children have its socket, and may have outlived it.
  for (const child of now.sharing) {
    const way = await listeners.end(child, GRACE_MS, signal);
    if (way !== 'gone') ways.push(way);
  }
  const more = ways.length === 1 ? '' : `, ${ways.length} processes in all`;
  if (ways.includes('killed')) {
    return `was killed, since it did not end within ${formatDuration(GRACE_MS)} of SIGTERM${more}`;
  }
  return `ended when it was asked to (SIGTERM)${more}`;
}

async function heldAfter(
  session: Session,
  port: number,
  service: string,
  signal: AbortSignal,
): Promise<Found | undefined> {
  const endsAt = session.clock.monotonic() + FREE_MS;
  for (;;) {
    const found = await findHolder(session, port, service);
    if (found === undefined || session.clock.monotonic() > endsAt) return found;
    await session.clock.sleep(LOOK_EVERY_MS, signal);
  }
}

function heldAgain(port: number, holder: PortHolder, left: Found): ProcedureError {
  return new ProcedureError(
    'E_REMEDY',
    `Port ${port} of the host is still not free: ${describeHolder(holder)} was ended, and ${left.words} has it now`,
    {
      next: 'Something starts it again (a service manager, a restart policy): stop it there, then run this again.',
    },
  );
}
