import type { ProcedureError } from '../../model/errors.js';
import type { ServiceDefinition } from '../../model/service.js';
import { lastLines } from '../diagnose.js';
import type { Session } from '../session.js';
import { dependency } from './dependency.js';
import { ended } from './ended.js';
import { engineHangs } from './engine-hangs.js';
import { ASK_MS, over, type Finding } from './finding.js';
import { healthCheck } from './health-check.js';
import { logCause } from './log-cause.js';
import { portConflict } from './port-conflict.js';
import { stuckProcess } from './stuck-process.js';

/** Every reason that is looked for, in the order in which they are told. */
const FINDINGS: readonly Finding[] = [
  ended,
  portConflict,
  dependency,
  logCause,
  healthCheck,
  stuckProcess,
  engineHangs,
];

/** How long all of them together may take: the way back waits for them, and the service may be down meanwhile. */
const ALL_MS = { calm: 8_000, hasty: 4_500 } as const;
const LOG_LINES = 60;

/** Failures that say themselves what is wrong, or are nobody's fault. */
const SAY_ALL: ReadonlySet<ProcedureError['code']> = new Set(['E_CANCELLED', 'E_COMMAND', 'E_ROUTER']);

/**
 * The runbook's troubleshooting, done at the failure and before anything is undone: short findings for the log and the
 * report. Changes nothing but what hangs of this run itself, and whatever goes wrong here is left out.
 * @param pace hasty where nothing serves until this is over
 */
export async function diagnoseFailure(
  session: Session,
  service: string,
  definition: ServiceDefinition,
  failure: ProcedureError,
  pace: keyof typeof ALL_MS,
): Promise<void> {
  if (SAY_ALL.has(failure.code)) return;
  const signal = session.clock.deadline(ALL_MS[pace]);
  try {
    // An engine that hangs is one of the findings: nothing waits for it.
    const soon = session.clock.deadline(ASK_MS[pace]);
    const listed = session.engine.containers(session.project, service).catch(() => undefined);
    const containers = (await Promise.race([listed, over(soon)])) ?? [];
    const worst =
      containers.find(({ state, health }) => state !== 'running' || health === 'unhealthy') ?? containers[0];
    const reading = worst === undefined ? [] : lastLines(session, worst.id, LOG_LINES);
    const log = (await Promise.race([reading, over(session.clock.deadline(ASK_MS[pace]))])) ?? [];
    const failed = { session, service, definition, failure, containers, log, hasty: pace === 'hasty', signal };
    const found = await Promise.all(
      FINDINGS.map(async (finding) => {
        const { name } = finding;
        const text = await Promise.race([finding.look(failed), over(signal)]).catch(() => undefined);
        return text === undefined ? [] : [[name, session.redactor.text(text)] as const];
      }),
    );
    const rows = found.flat();
    if (rows.length === 0) return;
    session.recorder.findings.push({ title: `Diagnosis of ${service}`, columns: ['Looked at', 'Found'], rows });
    for (const [name, text] of rows) session.progress.info(`  ? ${service}: ${name}: ${text}`);
  } catch (error) {
    session.progress.debug(`diagnosis of ${service}: ${String(error)}`);
  }
}
