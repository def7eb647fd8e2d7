import type { Clock } from '../model/ports/clock.js';
import type { Engine, EngineEvent } from '../model/ports/engine.js';

/**
 * The engine's events of one project, opened once and listened to by readiness, the watch and the downtime measurement.
 * Events are kept for the whole run: they are few, and the outage is computed from them afterwards.
 */
export class EventFeed {
  readonly seen: EngineEvent[] = [];
  private readonly listeners = new Set<(event: EngineEvent) => void>();
  private readonly stopper = new AbortController();
  private readonly pump: Promise<void>;
  /** Set when the stream broke: waiting parts then fall back on looking. */
  broken: unknown;

  constructor(
    engine: Engine,
    project: string,
    private readonly clock: Clock,
  ) {
    this.pump = this.run(engine, project);
  }

  private async run(engine: Engine, project: string): Promise<void> {
    try {
      for await (const event of engine.events(project, this.stopper.signal)) {
        this.seen.push(event);
        for (const listener of this.listeners) listener(event);
      }
    } catch (error) {
      if (!this.stopper.signal.aborted) this.broken = error;
    }
  }

  /** @returns the exit code a container ended with last: inspect shows 0 as soon as it runs again */
  lastExitCode(container: string): number | undefined {
    return this.seen.findLast((event) => event.action === 'die' && event.id === container)?.exitCode;
  }

  /** @returns a function that ends the subscription */
  listen(listener: (event: EngineEvent) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /**
   * Waits until an event matches or the time is over.
   * @param ms milliseconds
   */
  async next(
    matches: (event: EngineEvent) => boolean,
    ms: number,
    signal: AbortSignal,
  ): Promise<EngineEvent | undefined> {
    const found = new AbortController();
    let first: EngineEvent | undefined;
    const stop = this.listen((event) => {
      if (first !== undefined || !matches(event)) return;
      first = event;
      found.abort();
    });
    try {
      await this.clock.sleep(ms, AbortSignal.any([signal, found.signal]));
    } catch {
      // Awake before the time: the event is here, or the caller's signal has aborted.
    } finally {
      stop();
    }
    return first;
  }

  async close(): Promise<void> {
    this.stopper.abort();
    await this.pump;
  }
}
