import type { ObservedContainer } from '../../model/service.js';
import { errorMatcher, linesOf, sampleOf } from '../log-lines.js';
import { errorLinesSign } from '../signs.js';
import { raiseSign, type Watched, type Watcher, type WatchWindow } from './window.js';

const MINUTE_MS = 60_000;

/** The runbook's "errors in logs" (Medium-High): the log is followed from the start of the containers on. */
export class ErrorLinesWatcher implements Watcher {
  private errors = 0;
  private lines: number | undefined;
  private sample = '';
  /** When the newest were read: as many as make no flood, and one more. */
  private readonly newest: number[] = [];

  constructor(private readonly window: WatchWindow) {}

  streams(signal: AbortSignal): readonly Promise<void>[] {
    return this.window.containers.map((container) => this.read(container, signal));
  }

  words(): string {
    return `error lines ${this.errors}`;
  }

  seen(): Partial<Watched> {
    return { errorLines: this.errors, lines: this.lines };
  }

  private async read(container: ObservedContainer, signal: AbortSignal): Promise<void> {
    const { session, sinceMs } = this.window;
    const matcher = errorMatcher(session.request);
    if (matcher === undefined) return;
    const log = await session.engine.logs(container.id, { since: sinceMs / 1000, follow: true, signal });
    this.lines ??= 0;
    for await (const line of linesOf(log)) {
      this.lines += 1;
      if (!matcher.test(line)) continue;
      this.errors += 1;
      this.newest.push(this.window.session.clock.now());
      this.sample ||= sampleOf(line);
      this.judge();
    }
  }

  private judge(): void {
    const { session, signs } = this.window;
    const judged = errorLinesSign(this.errors, this.sample, signs);
    const flood = this.isFlood();
    const most = `more than ${session.request.maxErrorLines} error lines within a minute: `;
    raiseSign(this.window, 'error-lines', flood ? 'high' : judged.severity, `${flood ? most : ''}${judged.message}`);
  }

  private isFlood(): boolean {
    const { maxErrorLines } = this.window.session.request;
    if (maxErrorLines === undefined) return false;
    const { newest } = this;
    newest.splice(0, newest.length - maxErrorLines - 1);
    return newest.length > maxErrorLines && (newest[0] ?? 0) > this.window.session.clock.now() - MINUTE_MS;
  }
}
