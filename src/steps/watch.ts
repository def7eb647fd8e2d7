import { asProcedureError } from '../model/errors.js';
import type { OperationOf } from '../model/operation.js';
import type { EngineEvent } from '../model/ports/engine.js';
import type { ObservedContainer } from '../model/service.js';
import { formatDuration, formatSize } from '../model/units.js';
import { reasonOf, sleep } from '../run/deadline.js';
import { explainContainer } from './diagnose.js';
import { linesOf, matcherOf } from './log-lines.js';
import type { Session } from './session.js';
import { errorLinesSign, raise, type SignSource } from './signs.js';

/** The runbook judges memory after five minutes; a shorter watch judges at its end. */
const MEMORY_JUDGED_AFTER_MS = 5 * 60_000;
const PROGRESS_EVERY_MS = 30_000;

/** What the watch saw; also when it was cut short. */
export interface Watched {
  readonly startedAtMs: number;
  readonly memoryBytes: number | undefined;
  readonly errorLines: number;
  /** Lines of the log that were read; undefined when none was watched. */
  readonly lines: number | undefined;
}

/**
 * The monitoring window: events, resource use and logs of the new containers, streamed. Ends early only for a warning
 * sign whose action is not `warn`, or when the run is cancelled.
 * @throws WarningSignError, or the signal's reason
 */
export async function watch(
  session: Session,
  operation: OperationOf<'watch'>,
  sinceMs: number,
  signs: SignSource,
  oneShot: boolean,
  signal: AbortSignal,
): Promise<Watched> {
  const containers = await session.engine.containers(session.project, operation.service);
  const window = new WatchWindow(session, operation, containers, sinceMs, signs);
  if (operation.durationMs === 0 || oneShot) return window.glance();
  return window.run(signal);
}

class WatchWindow {
  private readonly startedAtMs = Date.now();
  private readonly memory = new Map<string, number>();
  private errorLines = 0;
  private lines: number | undefined;
  private errorSample = '';
  private lastReported = 0;

  constructor(
    private readonly session: Session,
    private readonly operation: OperationOf<'watch'>,
    private readonly containers: readonly ObservedContainer[],
    private readonly sinceMs: number,
    private readonly signs: SignSource,
  ) {}

  /** No watch was asked for: one reading, for the report. */
  async glance(): Promise<Watched> {
    for (const container of this.containers) {
      if (container.state !== 'running') continue;
      const use = await this.session.engine.stats(container.id).catch(() => undefined);
      if (use !== undefined) this.memory.set(container.id, use.memoryBytes);
    }
    return this.seen();
  }

  async run(signal: AbortSignal): Promise<Watched> {
    const { session } = this;
    const ending = new AbortController();
    const inner = AbortSignal.any([signal, ending.signal]);
    const trouble = new Promise<never>((_resolve, reject) => {
      const stopListening = session.events.listen((event) => {
        void this.onEvent(event).catch(reject);
      });
      inner.addEventListener('abort', stopListening, { once: true });
      for (const container of this.containers) {
        this.readStats(container, inner).catch((error: unknown) => this.streamEnded(error, inner, reject));
        this.readLog(container, inner).catch((error: unknown) => this.streamEnded(error, inner, reject));
      }
    });
    trouble.catch(() => undefined); // it is raced below; a late rejection is not a second failure
    try {
      await this.lookBack();
      await Promise.race([this.passTime(inner), trouble]);
      await this.judgeAtEnd();
    } catch (error) {
      this.record(false);
      throw signal.aborted ? reasonOf(signal) : error;
    } finally {
      ending.abort();
    }
    this.record(true);
    return this.seen();
  }

  private record(whole: boolean): void {
    this.session.recorder.watched.push({
      service: this.operation.service,
      durationMs: Date.now() - this.startedAtMs,
      whole,
    });
  }

  private seen(): Watched {
    return {
      startedAtMs: this.startedAtMs,
      memoryBytes: this.memory.size === 0 ? undefined : Math.max(...this.memory.values()),
      errorLines: this.errorLines,
      lines: this.lines,
    };
  }

  /** A broken stream is not a verdict on the service: the watch goes on with what is left, and says so. */
  private streamEnded(error: unknown, signal: AbortSignal, reject: (error: Error) => void): void {
    if (signal.aborted) return;
    const failure = asProcedureError(error);
    if (failure.code === 'E_WARNING_SIGN') reject(failure);
    else this.session.progress.debug(`watch: ${failure.message}`);
  }

  private async passTime(signal: AbortSignal): Promise<void> {
    const { durationMs, service } = this.operation;
    const endsAt = performance.now() + durationMs;
    let memoryJudged = false;
    for (;;) {
      const left = endsAt - performance.now();
      if (left <= 0) return;
      await sleep(Math.min(left, 1_000), signal);
      const elapsed = durationMs - left;
      if (!memoryJudged && elapsed >= MEMORY_JUDGED_AFTER_MS) {
        memoryJudged = true;
        this.judgeMemory();
      }
      if (elapsed - this.lastReported >= PROGRESS_EVERY_MS) {
        this.lastReported = elapsed;
        const memory = Math.max(0, ...this.memory.values());
        this.session.progress.info(
          `  … ${service}: ${formatDuration(left)} left, memory ${formatSize(memory)}, error lines ${this.errorLines}`,
        );
      }
    }
  }

  /** What happened between readiness and the first event that was listened to. */
  private async lookBack(): Promise<void> {
    for (const container of this.containers) {
      const now = await this.session.engine.container(container.id);
      if (now !== undefined) await this.judgeState(now);
    }
  }

  private async judgeAtEnd(): Promise<void> {
    for (const container of this.containers) {
      const now = await this.session.engine.container(container.id);
      if (now === undefined) {
        this.sign('exited', 'high', `${container.name} is gone`);
        continue;
      }
      await this.judgeState(now);
      if (now.health === 'starting') {
        this.sign(
          'note',
          'low',
          `${now.name}: Docker has not confirmed its health yet; the watch was shorter than the health check`,
        );
      }
    }
    this.judgeMemory();
  }

  private async judgeState(container: ObservedContainer): Promise<void> {
    const trouble = this.troubleOf(container);
    if (trouble === undefined) return;
    const excerpt = await explainContainer(this.session, container);
    raise(this.session, this.signs, { ...trouble, severity: 'high', service: this.operation.service }, excerpt);
  }

  private troubleOf(
    container: ObservedContainer,
  ):
    | { readonly sign: 'out-of-memory' | 'keeps-restarting' | 'exited' | 'unhealthy'; readonly message: string }
    | undefined {
    if (container.oomKilled) return { sign: 'out-of-memory', message: `${container.name} was killed: out of memory` };
    if (container.restartCount > 0) {
      const times = container.restartCount === 1 ? 'once' : `${container.restartCount} times`;
      const message = `${container.name} exited and was restarted by Docker ${times}${this.lastExit(container)}`;
      return { sign: 'keeps-restarting', message };
    }
    if (container.state !== 'running') {
      return { sign: 'exited', message: `${container.name} is ${container.state} (exit code ${container.exitCode})` };
    }
    if (container.health === 'unhealthy') return { sign: 'unhealthy', message: `${container.name} became unhealthy` };
    return undefined;
  }

  private lastExit(container: ObservedContainer): string {
    const code = this.session.events.lastExitCode(container.id);
    return code === undefined ? '' : ` (exit code ${code})`;
  }

  private async onEvent(event: EngineEvent): Promise<void> {
    const container = this.containers.find((one) => one.id === event.id);
    if (container === undefined) return;
    if (!['die', 'oom', 'health_status: unhealthy'].includes(event.action)) return;
    const now = (await this.session.engine.container(container.id)) ?? container;
    const excerpt = await explainContainer(this.session, now);
    const service = this.operation.service;
    const raiseHigh = (sign: 'exited' | 'out-of-memory' | 'unhealthy', message: string): void =>
      raise(this.session, this.signs, { sign, severity: 'high', service, message }, excerpt);
    if (event.action === 'oom') raiseHigh('out-of-memory', `${container.name} ran out of memory`);
    else if (event.action === 'die') {
      raiseHigh('exited', `${container.name} exited with code ${event.exitCode ?? now.exitCode} while it was watched`);
    } else raiseHigh('unhealthy', `${container.name} became unhealthy`);
  }

  private async readStats(container: ObservedContainer, signal: AbortSignal): Promise<void> {
    for await (const use of this.session.engine.statsStream(container.id, signal)) {
      this.memory.set(container.id, use.memoryBytes);
      if (Date.now() - this.startedAtMs > MEMORY_JUDGED_AFTER_MS) this.judgeMemory();
    }
  }

  private async readLog(container: ObservedContainer, signal: AbortSignal): Promise<void> {
    const matcher = matcherOf(this.session.request.errorPatterns);
    if (matcher === undefined) return;
    const log = await this.session.engine.logs(container.id, { since: this.sinceMs / 1000, follow: true, signal });
    this.lines ??= 0;
    for await (const line of linesOf(log)) {
      this.lines += 1;
      if (!matcher.test(line)) continue;
      this.errorLines += 1;
      this.errorSample ||= line.trim().slice(0, 300);
      this.judgeErrorLines();
    }
  }

  private judgeErrorLines(): void {
    const judged = errorLinesSign(this.errorLines, this.session.redactor.text(this.errorSample), this.signs);
    this.sign('error-lines', judged.severity, judged.message);
  }

  private judgeMemory(): void {
    const { maxMemoryBytes } = this.session.request;
    for (const container of this.containers) {
      const used = this.memory.get(container.id) ?? 0;
      if (used <= maxMemoryBytes) continue;
      this.sign('memory', 'medium', `${container.name} uses more than ${formatSize(maxMemoryBytes)} of memory`);
    }
  }

  private sign(
    sign: 'memory' | 'error-lines' | 'exited' | 'note',
    severity: 'high' | 'medium' | 'low',
    message: string,
  ): void {
    raise(this.session, this.signs, { sign, severity, service: this.operation.service, message });
  }
}
