import { describeServing, isServing, type Serving } from '../model/serving.js';
import { formatSize } from '../model/units.js';
import type { Current } from './candidate.js';
import { lastLines } from './diagnose.js';
import { countErrors, errorMatcher } from './log-lines.js';
import type { Viewing } from './session.js';

/** How far back the log is read for error lines: the runbook's `--since 5m`. */
const LOG_WINDOW_MS = 5 * 60_000;

/**
 * Health, resource use and recent errors of a service's containers, as a table of the report, and the errors in the log.
 * @param options.serving whether the service serves
 * @param options.when in words, for the title
 * @returns what a person should look at, in words
 */
export async function lookAtContainers(
  viewing: Viewing,
  service: string,
  current: Current,
  { serving, when = '' }: { readonly serving: Serving; readonly when?: string },
): Promise<readonly string[]> {
  const rows: string[][] = [];
  const problems = isServing(serving) ? [] : [describeServing(service, serving)];
  const matcher = errorMatcher(viewing.request);
  for (const container of current.containers) {
    const use = container.state === 'running' ? await viewing.engine.stats(container.id) : undefined;
    const since = (viewing.clock.now() - LOG_WINDOW_MS) / 1000;
    const log = await viewing.engine.logs(container.id, {
      since,
      tail: 50_000,
      signal: viewing.clock.deadline(60_000),
    });
    const counted = await countErrors(log, matcher);
    rows.push([
      container.name,
      container.state,
      container.health,
      String(container.restartCount),
      use === undefined ? '–' : formatSize(use.memoryBytes),
      use === undefined ? '–' : `${use.cpuPercent.toFixed(1)} %`,
      String(counted.errors),
      container.startedAt,
    ]);
    for (const line of counted.samples) viewing.progress.info(`  │ ${viewing.redactor.text(line)}`);
    if (container.state !== 'running' && !isServing(serving)) {
      viewing.progress.info((await lastLines(viewing, container.id, 10)).join('\n'));
    }
    if (use !== undefined && use.memoryBytes > viewing.request.maxMemoryBytes) {
      problems.push(`${container.name} uses ${formatSize(use.memoryBytes)} of memory`);
    }
  }
  viewing.recorder.findings.push({
    title: `Containers of ${service}${when}`,
    columns: ['Container', 'State', 'Health', 'Restarts', 'Memory', 'CPU', 'Error lines (5 min)', 'Started'],
    rows,
  });
  return problems;
}
