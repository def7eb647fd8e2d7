import type { CanaryFigures } from '../model/canary.js';
import type { OperationOf } from '../operations/operation.js';
import type { RouteCount } from '../model/ports/router.js';
import type { ObservedContainer } from '../model/service.js';
import { countErrors, errorMatcher } from './log-lines.js';
import type { Session } from './session.js';

type Figures = CanaryFigures['new'];

/** Lines of one container that are looked at: of a log that floods, the newest. */
const LOG_LINES = 20_000;
const LOG_DEADLINE_MS = 10_000;

export interface CanaryWindow {
  readonly before: readonly RouteCount[];
  readonly after: readonly RouteCount[];
  /** Since when error lines count, in milliseconds since the epoch. */
  readonly sinceMs: number;
  readonly signal: AbortSignal;
}

/** What was seen of the old containers and of the new ones since a step began. */
export async function canaryFigures(
  session: Session,
  { service, old }: OperationOf<'analyse-canary'>,
  window: CanaryWindow,
): Promise<CanaryFigures> {
  const containers = await session.engine.containers(session.project, service);
  const isOld = new Set(old);
  const [fresh, before] = await Promise.all([
    figuresOf(
      session,
      containers.filter(({ id }) => !isOld.has(id)),
      window,
    ),
    figuresOf(
      session,
      containers.filter(({ id }) => isOld.has(id)),
      window,
    ),
  ]);
  return { new: fresh, old: before };
}

async function figuresOf(
  session: Session,
  containers: readonly ObservedContainer[],
  window: CanaryWindow,
): Promise<Figures> {
  const counts = containers.flatMap(({ id }) => countOf(id, window) ?? []);
  const requests = sum(counts.map((count) => count.requests));
  const weighed = sum(counts.map((count) => (count.averageMs ?? 0) * count.requests));
  const lines = await Promise.all(containers.map(({ id }) => errorLines(session, id, window)));
  const memory = await Promise.all(containers.map(({ id }) => memoryOf(session, id)));
  const known = memory.flatMap((bytes) => bytes ?? []);
  return {
    requests,
    failures: sum(counts.map((count) => count.failures)),
    averageMs: requests === 0 ? undefined : weighed / requests,
    errorLines: sum(lines),
    memoryBytes: known.length === 0 ? undefined : Math.max(...known),
  };
}

function countOf(
  id: string,
  { before, after }: CanaryWindow,
): Pick<Figures, 'requests' | 'failures' | 'averageMs'> | undefined {
  const now = after.find(({ container }) => container === id);
  if (now === undefined) return undefined;
  const then = before.find(({ container }) => container === id);
  return {
    requests: now.requests - (then?.requests ?? 0),
    failures: now.failures - (then?.failures ?? 0),
    averageMs: now.averageMs,
  };
}

/** A log that cannot be read has no error lines: the requests decide then. */
async function errorLines(session: Session, id: string, { sinceMs, signal }: CanaryWindow): Promise<number> {
  const matcher = errorMatcher(session.request);
  if (matcher === undefined) return 0;
  const deadline = session.clock.deadline(LOG_DEADLINE_MS, signal);
  try {
    const log = await session.engine.logs(id, { since: sinceMs / 1000, tail: LOG_LINES, signal: deadline });
    return (await countErrors(log, matcher)).errors;
  } catch (error) {
    session.progress.debug(`log of ${id}: ${String(error)}`);
    return 0;
  }
}

async function memoryOf(session: Session, id: string): Promise<number | undefined> {
  return (await session.engine.memoryNow(id).catch(() => undefined))?.memoryBytes;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
