import type { ObservedContainer } from '../model/service.js';
import { captureUrgently } from './capture-urgent.js';
import type { Run } from '../run/run.js';
import { writeOrWarn } from '../run/write-or-warn.js';

/**
 * The engine gives a json-file log of short lines at about 8.5 MB/s (measured on 26.1.5), 2 GB in four minutes. The old
 * release serves meanwhile; a hanging engine must not hold the run for longer.
 */
const LOG_DEADLINE_MS = 15 * 60_000;
/** In an emergency nobody waits for an old log: its newest lines, and no longer than this. */
const EMERGENCY = { logDeadlineMs: 15_000, lines: 50_000 } as const;

/**
 * Log, resource use and inspect output of a service's containers, redacted, as files under `service/moment/`.
 * Evidence that cannot be had is a warning: it must not keep a fix from being deployed.
 */
export async function captureEvidence(
  run: Run,
  project: string,
  service: string,
  moment: string,
  signal: AbortSignal,
): Promise<readonly ObservedContainer[]> {
  const containers = await run.engine.containers(project, service);
  for (const container of containers) {
    const folder = `${service}/${moment}/${container.name}`;
    const capture = isUrgent(run) && moment === 'before' ? captureUrgently : captureOne;
    await writeOrWarn(
      run.progress,
      `Evidence of ${container.name}`,
      () => capture(run, container, folder, signal),
      signal,
    );
  }
  if (containers.length > 0) run.recorder.captured.push(`${service} ${moment}`);
  return containers;
}

/** A service that does harm or answers nothing does not wait for a whole log. */
export function isUrgent({ request }: Run): boolean {
  return request.procedure === 'emergency' || request.procedure === 'stop';
}

async function captureOne(run: Run, container: ObservedContainer, folder: string, signal: AbortSignal): Promise<void> {
  const captured = await Promise.allSettled([
    captureFacts(run, container, folder),
    captureLog(run, container, folder, signal),
  ]);
  for (const result of captured) if (result.status === 'rejected') throw result.reason;
}

async function captureFacts(run: Run, container: ObservedContainer, folder: string): Promise<void> {
  await run.evidence.json(`${folder}/inspect.json`, await run.engine.inspectContainer(container.id));
  if (container.state !== 'running') return;
  const use = await run.engine.stats(container.id);
  if (use !== undefined) await run.evidence.json(`${folder}/stats.json`, use);
}

async function captureLog(run: Run, container: ObservedContainer, folder: string, signal: AbortSignal): Promise<void> {
  const urgent = isUrgent(run);
  const bounded = run.clock.deadline(urgent ? EMERGENCY.logDeadlineMs : LOG_DEADLINE_MS, signal);
  const log = await run.engine.logs(container.id, {
    timestamps: true,
    signal: bounded,
    ...(urgent ? { tail: EMERGENCY.lines } : {}),
  });
  await run.evidence.stream(`${folder}/log.txt`, log, bounded);
}
