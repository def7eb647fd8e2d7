import { asProcedureError } from '../../model/errors.js';
import type { OperationOf } from '../../operations/operation.js';
import { allSucceeded } from '../../model/job.js';
import { formatDuration } from '../../model/units.js';
import { reasonOf } from '../../run/abort-reason.js';
import type { Session } from '../session.js';
import { MemoryWatcher } from './memory.js';
import { WATCHERS } from './watchers.js';
import type { Watched, Watcher, WatchWindow } from './window.js';

const PROGRESS_EVERY_MS = 30_000;

/**
 * The monitoring window: events, resource use and logs of the new containers, streamed. Ends early only for a warning
 * sign whose action is not `warn`, or when the run is cancelled.
 * @throws WarningSignError, or the signal's reason
 */
export async function watch(
  session: Session,
  operation: OperationOf<'watch'>,
  about: Pick<WatchWindow, 'sinceMs' | 'signs' | 'memoryBefore' | 'lifetime'> & {
    /** Gets what was seen, also when the watch ends early. */
    readonly onSeen: (watched: Watched) => void;
  },
  signal: AbortSignal,
): Promise<void> {
  const all = await session.engine.containers(session.project, operation.service);
  const containers = all.filter(({ id }) => operation.except?.includes(id) !== true);
  const { onSeen, ...known } = about;
  const window: WatchWindow = { session, operation, containers, ...known, startedAtMs: session.clock.now() };
  if (operation.durationMs === 0 || allSucceeded(about.lifetime, containers)) {
    onSeen(await glance(window));
    return;
  }
  const watchers = WATCHERS.map((make) => make(window));
  try {
    await pass(window, watchers, signal);
  } catch (error) {
    record(window, false);
    throw error;
  } finally {
    onSeen(seen(window, watchers));
  }
  record(window, true);
}

/** No watch was asked for: one reading, for the report. */
async function glance(window: WatchWindow): Promise<Watched> {
  const memory = new MemoryWatcher(window);
  await memory.glance();
  return seen(window, [memory]);
}

async function pass(window: WatchWindow, watchers: readonly Watcher[], signal: AbortSignal): Promise<void> {
  const { session, containers } = window;
  const ending = new AbortController();
  const inner = AbortSignal.any([signal, ending.signal]);
  const trouble = new Promise<never>((_resolve, reject) => {
    const stopListening = session.events.listen((event) => {
      const container = containers.find((one) => one.id === event.id);
      if (container === undefined) return;
      for (const watcher of watchers) void watcher.onEvent?.(event, container).catch(reject);
    });
    inner.addEventListener('abort', stopListening, { once: true });
    for (const stream of watchers.flatMap((watcher) => watcher.streams?.(inner) ?? [])) {
      stream.catch((error: unknown) => streamEnded(window, error, inner, reject));
    }
  });
  trouble.catch(() => undefined); // it is raced below; a late rejection is not a second failure
  try {
    for (const watcher of watchers) await watcher.lookBack?.();
    await Promise.race([passTime(window, watchers, inner), trouble, jobEnd(window, inner)]);
    for (const watcher of watchers) await watcher.atEnd?.();
  } catch (error) {
    throw signal.aborted ? reasonOf(signal) : error;
  } finally {
    ending.abort();
  }
}

/** A job that nobody waits for has nothing left to watch once it has ended well. */
async function jobEnd({ session, lifetime, containers }: WatchWindow, signal: AbortSignal): Promise<void> {
  const ids = new Set(containers.map(({ id }) => id));
  return new Promise((resolve) => {
    const stopListening = session.events.listen((event) => {
      if (event.action !== 'die' || !ids.has(event.id)) return;
      void Promise.all([...ids].map((id) => session.engine.container(id)))
        .then((found) => found.flatMap((one) => one ?? []))
        .then((found) => (allSucceeded(lifetime, found) ? resolve() : undefined))
        .catch((error: unknown) => session.progress.debug(`watch: ${String(error)}`));
    });
    signal.addEventListener('abort', stopListening, { once: true });
  });
}

/** A broken stream is not a verdict on the service: the watch goes on with what is left, and says so. */
function streamEnded(
  { session }: WatchWindow,
  error: unknown,
  signal: AbortSignal,
  reject: (error: Error) => void,
): void {
  if (signal.aborted) return;
  const failure = asProcedureError(error);
  if (failure.code === 'E_WARNING_SIGN') reject(failure);
  else session.progress.debug(`watch: ${failure.message}`);
}

async function passTime(window: WatchWindow, watchers: readonly Watcher[], signal: AbortSignal): Promise<void> {
  const { clock } = window.session;
  const { durationMs, service } = window.operation;
  const endsAt = clock.monotonic() + durationMs;
  let lastReported = 0;
  for (;;) {
    const left = endsAt - clock.monotonic();
    if (left <= 0) return;
    await clock.sleep(Math.min(left, 1_000), signal);
    const elapsed = durationMs - left;
    for (const watcher of watchers) watcher.tick?.(elapsed);
    if (elapsed - lastReported < PROGRESS_EVERY_MS) continue;
    lastReported = elapsed;
    const words = watchers.flatMap((watcher) => watcher.words?.() ?? []);
    window.session.progress.info(`  … ${service}: ${[`${formatDuration(left)} left`, ...words].join(', ')}`);
  }
}

function record({ session, operation, startedAtMs }: WatchWindow, whole: boolean): void {
  session.recorder.watched.push({ service: operation.service, durationMs: session.clock.now() - startedAtMs, whole });
}

function seen({ startedAtMs }: WatchWindow, watchers: readonly Watcher[]): Watched {
  const nothing: Watched = { startedAtMs, memoryBytes: undefined, errorLines: 0, lines: undefined };
  return watchers.reduce<Watched>((watched, watcher) => ({ ...watched, ...watcher.seen?.() }), nothing);
}
