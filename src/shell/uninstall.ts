import { ProcedureError } from '../model/errors.js';
import { RECORDS_IMAGE } from '../model/own-names.js';
import type { HeldLock } from '../model/ports/ledger.js';
import type { Trace } from '../model/ports/traces.js';
import { recoverAbandoned } from '../procedures/run-procedure.js';
import { isGreen } from '../model/outcome.js';
import { keptImages } from './kept-images.js';
import { servicesOf } from './services.js';
import type { Shell, ShellCommand, ShellResult } from './shell-command.js';

/** What is ours on the engine, and goes. */
interface Leaving {
  readonly traces: readonly Trace[];
  readonly images: readonly string[];
}

/**
 * Takes every trace of ours off the engine. The services run on as they are; there is nothing to go back to any more.
 * Files on the host (evidence, reports, backups) stay: they are a person's.
 */
export const uninstall: ShellCommand = {
  name: 'uninstall',

  async perform(shell) {
    await refuseBehindEdge(shell);
    const plan = await find(shell);
    if (plan.traces.length === 0 && plan.images.every(isRecords)) return nothingLeft(shell, plan);
    if (!shell.options.yes) {
      const headline = `${shell.project}: ${count(plan)} would be removed; the services run on`;
      return answer(shell, plan, [], headline, 'To carry it out: --yes. Releases cannot be gone back to after it.');
    }
    await repair(shell);
    const lock = await take(shell);
    await refuseBehindEdge(shell);
    const found = await find(shell);
    const stay = await remove(shell, lock, found);
    const removed = { ...found, images: found.images.filter((name) => !stay.includes(name)) };
    return answer(shell, removed, stay, `${shell.project}: ${count(removed)} removed; the services run on`);
  },
};

/**
 * Nothing of this project. The records' empty image may still be there, when the last other project has gone meanwhile:
 * it goes without a lock, since the lock would be the first trace again, and who needs the image imports it anew.
 */
async function nothingLeft(shell: Shell, { images }: Leaving): Promise<ShellResult> {
  if (shell.options.yes) for (const image of images) await shell.engine.untagImage(image);
  return answer(
    shell,
    { traces: [], images: [] },
    [],
    `${shell.project}: nothing of Rolling Restart is on this engine`,
  );
}

/** @throws ProcedureError E_GATE: without its edge nothing would reach the service */
async function refuseBehindEdge({ traces, edges, project }: Shell): Promise<void> {
  const services = new Set(
    (await traces.of(project)).flatMap(({ what, service }) => (what === 'edge' ? (service ?? []) : [])),
  );
  const open: string[] = [];
  for (const service of services) if ((await edges.find(project, service))?.open === true) open.push(service);
  if (open.length === 0) return;
  throw new ProcedureError('E_GATE', `The managed edge carries the requests of ${open.join(', ')}`, {
    next: `Give the ports back first: rolling-restart eject --service ${open.join(',')}. Nothing was removed.`,
  });
}

async function find(shell: Shell): Promise<Leaving> {
  const [traces, images] = [await shell.traces.of(shell.project), await keptImages(shell, await servicesOf(shell))];
  return { traces, images };
}

/** What a killed run left could not be repaired any more without its journal. */
async function repair(shell: Shell): Promise<void> {
  if (shell.opened === undefined || shell.request.force) return;
  const report = await recoverAbandoned(shell);
  if (isGreen(report.outcome)) return;
  if (report.error?.code === 'E_LOCKED') {
    throw new ProcedureError('E_LOCKED', report.error.message, { next: `${report.error.next} Nothing was removed.` });
  }
  throw new ProcedureError('E_RECOVERY', `What a killed run left could not be repaired: ${report.headline}`, {
    next: `${report.nextSteps[0] ?? 'Repair it first.'} Or uninstall with --force. Nothing was removed.`,
  });
}

async function take({ locks, invocation, request, cancelled, progress }: Shell): Promise<HeldLock> {
  const lock = await locks.acquire({
    invocation,
    procedure: 'uninstall',
    timeoutMs: request.lockTimeoutMs,
    interrupt: false,
    yieldMs: 0,
    signal: cancelled,
    onWaiting: (owner) => progress.info(`waiting for ${owner.procedure} by ${owner.actor}, since ${owner.since}`),
  });
  return lock;
}

/** @returns image names that stay, since a container uses the image and it has no other name */
async function remove(shell: Shell, lock: HeldLock, { traces, images }: Leaving): Promise<readonly string[]> {
  const { engine, edges, project, progress } = shell;
  const stay: string[] = [];
  const go = async (trace: Trace): Promise<void> => {
    await shell.traces.remove(trace);
    progress.info(`✓ ${trace.kind} ${trace.name}`);
  };
  const last = (trace: Trace): boolean => trace.what === 'records' || trace.what === 'lock';
  for (const service of new Set(traces.flatMap(({ what, service }) => (what === 'edge' ? (service ?? []) : [])))) {
    await lock.check();
    await edges.remove(project, service);
  }
  for (const trace of containersFirst(traces.filter((one) => !last(one)))) {
    await lock.check();
    await go(trace);
  }
  for (const image of images.filter((one) => !isRecords(one))) {
    await lock.check();
    await engine.untagImage(image);
    if ((await engine.image(image)) === undefined) progress.info(`✓ image ${image}`);
    else stay.push(image);
  }
  await lock.dissolve(async () => {
    for (const trace of containersFirst(traces.filter(({ what }) => what === 'records'))) await go(trace);
    for (const image of images.filter(isRecords)) await engine.untagImage(image);
  });
  return stay;
}

/** A volume can go once no container has it. */
function containersFirst(traces: readonly Trace[]): readonly Trace[] {
  return [...traces].sort((one, other) => Number(one.kind === 'volume') - Number(other.kind === 'volume'));
}

function isRecords(image: string): boolean {
  return image.startsWith(`${RECORDS_IMAGE.repository}:`);
}

function whatIsNamed(image: string): string {
  if (isRecords(image)) return 'records, of every project';
  return image.includes(':previous') ? 'the release before' : 'kept release';
}

function count({ traces, images }: Leaving): string {
  const of = (kind: Trace['kind']): number => traces.filter((one) => one.kind === kind).length;
  const counted = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`;
  return `${counted(of('container'), 'container')}, ${counted(of('volume'), 'volume')} and ${counted(images.length, 'image name')}`;
}

function answer(
  shell: Shell,
  { traces, images }: Leaving,
  stay: readonly string[],
  headline: string,
  next?: string,
): ShellResult {
  const { request, options } = shell;
  const rows = [
    ...traces.map(({ kind, name, what, service }) => [
      kind,
      name,
      service === undefined ? what : `${what} of ${service}`,
    ]),
    ...images.map((name) => ['image name', name, whatIsNamed(name)]),
  ];
  const nextSteps = [
    ...(next === undefined ? [] : [next]),
    ...(stay.length === 0 ? [] : [`${stay.join(', ')} stays: a container uses the image, and it has no other name.`]),
    ...(rows.length === 0
      ? []
      : [`Evidence, reports and backups stay on this host, by default in ${request.stateDir}.`]),
  ];
  const title = options.yes ? 'Removed' : 'To be removed';
  return {
    green: true,
    headline,
    tables: rows.length === 0 ? [] : [{ title, columns: ['Kind', 'Name', 'What it is'], rows }],
    nextSteps,
    value: { project: shell.project, removed: options.yes && rows.length > 0, traces, images, stay, nextSteps },
  };
}
