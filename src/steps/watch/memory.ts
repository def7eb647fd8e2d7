import type { ObservedContainer } from '../../model/service.js';
import { formatSize } from '../../model/units.js';
import { raiseSign, type Watched, type Watcher, type WatchWindow } from './window.js';

/** The runbook judges memory after five minutes; a shorter watch judges at its end. */
const JUDGED_AFTER_MS = 5 * 60_000;

/** The runbook's "memory > 1.5 GB after 5 min" (Medium). */
export class MemoryWatcher implements Watcher {
  private readonly used = new Map<string, number>();

  constructor(private readonly window: WatchWindow) {}

  streams(signal: AbortSignal): readonly Promise<void>[] {
    return this.window.containers.map((container) => this.read(container, signal));
  }

  tick(elapsedMs: number): void {
    if (elapsedMs >= JUDGED_AFTER_MS) this.judge();
  }

  atEnd(): void {
    this.judge();
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
      const use = await this.window.session.engine.stats(container.id).catch(() => undefined);
      if (use !== undefined) this.used.set(container.id, use.memoryBytes);
    }
  }

  private async read(container: ObservedContainer, signal: AbortSignal): Promise<void> {
    for await (const use of this.window.session.engine.statsStream(container.id, signal)) {
      this.used.set(container.id, use.memoryBytes);
    }
  }

  private judge(): void {
    const { maxMemoryBytes } = this.window.session.request;
    for (const container of this.window.containers) {
      const used = this.used.get(container.id) ?? 0;
      if (used <= maxMemoryBytes) continue;
      const message = `${container.name} uses more than ${formatSize(maxMemoryBytes)} of memory`;
      raiseSign(this.window, 'memory', 'medium', message);
    }
  }
}
