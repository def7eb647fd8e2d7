import type { Excerpt } from '../model/errors.js';
import type { ObservedContainer } from '../model/service.js';
import { shortened } from '../model/shortened.js';
import type { Run } from '../run/run.js';
import { linesOf } from './log-lines.js';

const SHOWN_LOG_LINES = 40;
/** Of a line: enough to recognise it by. */
const SHOWN_CHARACTERS = 500;
const LOG_DEADLINE_MS = 10_000;

/**
 * Why a container is not what it should be: its state, what its health check said, its last log lines. Goes into every
 * error about a container, because "failed to become healthy" alone helps nobody.
 */
export async function explainContainer(run: Run, container: ObservedContainer): Promise<readonly Excerpt[]> {
  const excerpt: Excerpt[] = [{ title: `state of ${container.name}`, lines: [describeState(container)] }];
  const probes = container.healthLog.slice(-3);
  if (probes.length > 0) {
    excerpt.push({
      title: `health check of ${container.name}: last ${probes.length} of its outputs`,
      lines: probes.map((probe) => `exit ${probe.exitCode}: ${shortened(probe.output.trim(), SHOWN_CHARACTERS)}`),
    });
  }
  const lines = await lastLines(run, container.id, SHOWN_LOG_LINES);
  excerpt.push({
    title: `log of ${container.name}: last ${lines.length} lines`,
    lines: lines.length === 0 ? ['(it wrote nothing)'] : lines,
  });
  return excerpt;
}

/** @returns one line: state, exit code, out of memory, restarts */
export function describeState(container: ObservedContainer): string {
  const words = [`state ${container.state}`];
  if (container.health !== 'none') words.push(`health ${container.health}`);
  if (container.state !== 'running' || container.exitCode !== 0) words.push(`exit code ${container.exitCode}`);
  if (container.oomKilled) words.push('killed because it was out of memory');
  if (container.restartCount > 0)
    words.push(`restarted by Docker ${container.restartCount === 1 ? 'once' : `${container.restartCount} times`}`);
  return words.join(', ');
}

/** Last lines of a container's log, redacted and shortened; why not, when the engine cannot give them. */
export async function lastLines(run: Run, id: string, count: number): Promise<readonly string[]> {
  try {
    const log = await run.engine.logs(id, { tail: count, signal: run.clock.deadline(LOG_DEADLINE_MS) });
    const lines: string[] = [];
    for await (const line of linesOf(log)) {
      if (line === '') continue;
      lines.push(shortened(line, SHOWN_CHARACTERS));
      if (lines.length > count) lines.shift();
    }
    return lines;
  } catch (error) {
    return [`(the log cannot be read: ${error instanceof Error ? error.message : String(error)})`];
  }
}
