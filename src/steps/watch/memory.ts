import type { ObservedContainer } from '../../model/service.js';
import type { Session } from '../session.js';
import { memoryCourse, risingMemory, type MemoryReading } from '../../model/memory-trend.js';
import { formatSize } from '../../model/units.js';
import { raiseSign, type Watched, type Watcher, type WatchWindow } from './window.js';

const MOST_READINGS = 2_000;

/** The runbook's "memory > 1.5 GB after 5 min" (`max-memory`, `memory-after`) (Medium), and memory that is not stable at the end of the watch. */
export class MemoryWatcher implements Watcher {
  private readonly used = new Map<string, number>();
  private readonly readings = new Map<string, MemoryReading[]>();

  constructor(private readonly window: WatchWindow) {}

  streams(signal: AbortSignal): readonly Promise<void>[] {
    return this.window.containers.map((container) => this.read(container, signal));
  }

  tick(elapsedMs: number): void {
    // A watch that is shorter judges at its end.
    if (elapsedMs >= this.window.session.request.memoryAfterMs) this.judge();
  }

  atEnd(): void {
    this.judge();
    this.judgeTrend();
    this.tellCourse();
  }

  words(): string {
    return `memory ${formatSize(Math.max(0, ...this.used.values()))}`;
  }

  seen(): Partial<Watched> {
    return { memoryBytes: this.used.size === 0 ? undefined : Math.max(...this.used.values()) };
  }

  /** One reading, where nothing is watched. */
  async glance(): Promise<void> {
    for (const container of this.window.containers) {
      if (container.state !== 'running') continue;
      const use = await this.window.session.engine.memoryNow(container.id).catch(() => undefined);
      if (use !== undefined) this.used.set(container.id, use.memoryBytes);
    }
  }

  private async read(container: ObservedContainer, signal: AbortSignal): Promise<void> {
    for await (const use of this.window.session.engine.statsStream(container.id, signal)) {
      this.used.set(container.id, use.memoryBytes);
      this.keep(container.id, use.memoryBytes);
    }
  }

  /** A watch may last a day: when there are many readings, every second one goes. */
  private keep(id: string, bytes: number): void {
    const kept = this.readings.get(id) ?? [];
    kept.push({ atMs: this.window.session.clock.now() - this.window.startedAtMs, bytes });
    this.readings.set(id, kept.length < MOST_READINGS ? kept : kept.filter((_, index) => index % 2 === 0));
  }

  private judgeTrend(): void {
    for (const { id, name } of this.window.containers) {
      const words = risingMemory(this.readings.get(id) ?? []);
      if (words !== undefined) raiseSign(this.window, 'memory-rises', 'medium', `${name}: ${words}`);
    }
  }

  /** Runbook, Monitoring During Restart: "memory should drop after restart, then stabilize". */
  private tellCourse(): void {
    const { session, operation, memoryBefore } = this.window;
    const most = this.window.containers.reduce<string | undefined>(
      (known, { id }) => ((this.used.get(id) ?? 0) > (this.used.get(known ?? '') ?? 0) ? id : known),
      undefined,
    );
    if (most === undefined) return;
    const words = memoryCourse(memoryBefore, this.used.get(most) ?? 0, this.readings.get(most) ?? []);
    session.recorder.note(words, operation.service);
    session.progress.info(`  ${operation.service}: ${words}`);
  }

  private judge(): void {
    const { maxMemoryBytes } = this.window.session.request;
    for (const container of this.window.containers) {
      const used = this.used.get(container.id) ?? 0;
      if (used <= maxMemoryBytes) continue;
      const message = `${container.name} uses ${formatSize(used)} of memory, more than ${formatSize(maxMemoryBytes)}`;
      raiseSign(this.window, 'memory', 'medium', message);
    }
  }
}

/** @returns the memory of the container that uses most, in bytes; undefined when none runs or the engine gives no figures */
export async function mostMemory(
  { engine }: Pick<Session, 'engine'>,
  containers: readonly ObservedContainer[],
): Promise<number | undefined> {
  const running = containers.filter(({ state }) => state === 'running');
  const uses = await Promise.all(running.map(({ id }) => engine.memoryNow(id).catch(() => undefined)));
  const known = uses.flatMap((use) => use?.memoryBytes ?? []);
  return known.length === 0 ? undefined : Math.max(...known);
}
