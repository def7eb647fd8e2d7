import { ProcedureError } from '../model/errors.js';
import type { OperationOf } from '../operations/operation.js';
import { judgeCanary, type CanaryFigures, type CanaryVerdict } from '../model/canary.js';
import { formatDuration, formatSize } from '../model/units.js';
import { canaryFigures } from './canary-figures.js';
import type { Session } from './session.js';
import { raise, type SignSource } from './signs.js';
import { routerOf } from './traffic.js';

const PROGRESS_EVERY_MS = 10_000;

/**
 * Compares new and old for the length of a step: requests as the router saw them, error lines and memory, and restarts and
 * health as the engine shows them.
 * Too few requests: once more as long, then what `on-inconclusive` says.
 * @throws ProcedureError E_VERIFICATION, WarningSignError
 */
export async function analyseCanary(
  session: Session,
  operation: OperationOf<'analyse-canary'>,
  signs: SignSource,
  signal: AbortSignal,
): Promise<void> {
  const { canary } = session.request;
  const router = await routerOf(session, operation.service, operation.router);
  const before = await router.counts();
  const sinceMs = session.clock.now();
  for (let round = 1; ; round += 1) {
    await passTime(session, operation, signal);
    const figures = await canaryFigures(session, operation, { before, after: await router.counts(), sinceMs, signal });
    const verdict = judgeCanary(figures, canary);
    session.progress.info(`  canary at ${operation.percent} %: ${describe(figures)}`);
    session.recorder.note(`canary at ${operation.percent} %: ${describe(figures)}`, operation.service);
    if (verdict.kind === 'inconclusive' && round === 1) {
      session.progress.info(`  ${verdict.reason}: waiting for as long once more`);
      continue;
    }
    settle(session, operation, verdict, signs);
    return;
  }
}

async function passTime(
  session: Session,
  { durationMs, percent, service, old }: OperationOf<'analyse-canary'>,
  signal: AbortSignal,
): Promise<void> {
  const endsAt = session.clock.monotonic() + durationMs;
  let lastSaid = session.clock.monotonic();
  for (;;) {
    const left = endsAt - session.clock.monotonic();
    if (left <= 0) return;
    await session.clock.sleep(Math.min(left, 500), signal);
    await refuseBroken(session, service, old);
    if (session.clock.monotonic() - lastSaid < PROGRESS_EVERY_MS) continue;
    lastSaid = session.clock.monotonic();
    session.progress.info(`  … ${service}: canary at ${percent} %, ${formatDuration(Math.max(0, left))} left`);
  }
}

/** What the engine shows needs no comparing. */
async function refuseBroken(session: Session, service: string, old: readonly string[]): Promise<void> {
  const containers = await session.engine.containers(session.project, service);
  const wrong = containers.find(
    (one) => !old.includes(one.id) && (one.state !== 'running' || one.health === 'unhealthy' || one.restartCount > 0),
  );
  if (wrong === undefined) return;
  throw new ProcedureError(
    'E_VERIFICATION',
    `${wrong.name} is ${wrong.state}, health ${wrong.health}, restarted ${wrong.restartCount} times while it was a canary`,
    { next: 'Its log is in the evidence; fix what it says and deploy again.' },
  );
}

function settle(
  session: Session,
  { service, percent }: OperationOf<'analyse-canary'>,
  verdict: CanaryVerdict,
  signs: SignSource,
): void {
  const { onInconclusive } = session.request.canary;
  switch (verdict.kind) {
    case 'good':
      return;
    case 'bad':
      throw new ProcedureError(
        'E_VERIFICATION',
        `The canary of ${service} is worse than what runs: ${verdict.reason}`,
        {
          next: 'It gets no requests any more. Fix what the figures show and deploy again.',
        },
      );
    case 'inconclusive':
      if (onInconclusive === 'continue') {
        raise(session, signs, {
          sign: 'note',
          severity: 'low',
          service,
          message: `the canary at ${percent} % was inconclusive (${verdict.reason}); going on, as on-inconclusive says`,
        });
        return;
      }
      throw new ProcedureError(
        'E_VERIFICATION',
        `The canary of ${service} at ${percent} % is inconclusive: ${verdict.reason}`,
        { next: 'Deploy when there is more traffic, make canary-pause longer, or set on-inconclusive: continue.' },
      );
  }
}

function describe({ new: fresh, old }: CanaryFigures): string {
  const words = (figures: CanaryFigures['new']): string =>
    [
      `${figures.requests} requests, ${figures.failures} failed`,
      ...(figures.averageMs === undefined ? [] : [`${figures.averageMs.toFixed(0)} ms on average`]),
      ...(figures.errorLines === 0 ? [] : [`${figures.errorLines} error lines`]),
      ...(figures.memoryBytes === undefined ? [] : [formatSize(figures.memoryBytes)]),
    ].join(', ');
  return `new: ${words(fresh)}; old: ${words(old)}`;
}
