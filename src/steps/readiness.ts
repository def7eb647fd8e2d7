import { ProcedureError, type Excerpt } from '../model/errors.js';
import type { OperationOf } from '../operations/operation.js';
import { allSucceeded, type Lifetime } from '../model/job.js';
import { RUNBOOK } from '../model/policy.js';
import type { ReadinessSignal } from '../model/readiness.js';
import type { Doing } from '../model/ports/progress.js';
import type { HealthCheck, ObservedContainer } from '../model/service.js';
import { tcpPorts } from '../model/target-ports.js';
import { formatDuration } from '../model/units.js';
import { reasonOf } from '../run/abort-reason.js';
import { explainContainer } from './diagnose.js';
import { ProbeHistory } from './probes/history.js';
import { probesFor } from './probes/probes-for.js';
import type { Session } from './session.js';

/** Pause between two questions; also the longest wait for an event that does not come. */
const PROBE_PAUSE_MS = 100;
/** A container that Docker restarted this often while it should become ready is not going to be. */
const RESTARTS_TOLERATED = 2;
const PROGRESS_EVERY_MS = 5_000;

/** What has to be ready, and what says so. */
export interface Expected {
  readonly replicas: number;
  readonly lifetime: Lifetime;
  /** Beside the containers' own health check, or instead of it where they have none. */
  readonly readiness: ReadinessSignal | undefined;
}

export interface Readiness {
  readonly readyAtMs: number;
  /** From the start of the container that was ready last; milliseconds. */
  readonly startupMs: number;
  readonly containers: readonly string[];
  /** A health check or `readiness` said so of each of them, and not only that it stays up. */
  readonly proven: boolean;
  /** All of them ended with exit code 0, and that is success. */
  readonly ended: boolean;
}

/**
 * Waits until every container of a service is ready: its own health-check command, run through exec at a short interval
 * (Docker runs the first one only after `interval`), or Docker's verdict when that comes first, and what `readiness`
 * says; with neither its ports open and it stays up for a while. A job that others wait for is ready when it has ended
 * with 0; one that nobody waits for also when it stays up, since it may be a worker.
 * @throws ProcedureError E_NOT_READY with state, what it answered and last log lines
 */
export async function awaitReady(
  session: Session,
  operation: OperationOf<'await-ready'>,
  expected: Expected,
  signal: AbortSignal,
): Promise<Readiness> {
  const { service } = operation;
  const { replicas, lifetime, readiness } = expected;
  const all = await session.engine.containers(session.project, service);
  const containers = all.filter(({ id }) => operation.except?.includes(id) !== true);
  if (containers.length < replicas) {
    throw new ProcedureError('E_NOT_READY', `Only ${containers.length} of ${replicas} containers of ${service} exist`, {
      next: 'Look at the log of this run for what docker compose said.',
    });
  }
  const waiting = new Waiting(session, operation, readiness);
  const seen = await Promise.all(
    containers.map(({ id }) =>
      (lifetime === 'ends' ? waiting.untilEnded(id, signal) : waiting.untilReady(id, lifetime, signal)).finally(() =>
        waiting.end(id),
      ),
    ),
  );
  return {
    readyAtMs: session.clock.now(),
    startupMs: Math.max(...seen.map(({ startupMs }) => startupMs), 0),
    containers: containers.map((container) => container.id),
    proven: readiness !== undefined || containers.every((container) => container.healthCheck !== undefined),
    ended: seen.length > 0 && seen.every(({ ended }) => ended),
  };
}

/** @returns milliseconds a service may take: what its health check allows, and never less than the runbook's 60 s */
export function readinessTimeout(check: HealthCheck | undefined, asked: number | undefined): number {
  if (asked !== undefined) return asked;
  if (check === undefined) return RUNBOOK.slowStartMs;
  return Math.max(RUNBOOK.slowStartMs, verdictMs(check));
}

/** @returns milliseconds after which Docker itself has called a container healthy or unhealthy */
export function verdictMs({ startPeriodMs, retries, intervalMs, timeoutMs }: HealthCheck): number {
  return startPeriodMs + retries * (intervalMs + timeoutMs) + intervalMs;
}

interface Seen {
  readonly startupMs: number;
  readonly ended: boolean;
}

function endedAt({ startedAt, finishedAt }: ObservedContainer): Seen {
  return { startupMs: Date.parse(finishedAt) - Date.parse(startedAt), ended: true };
}

class Waiting {
  private readonly deadline: number;
  private lastSaid: number;
  private readonly now = new Map<string, Doing>();
  private readonly histories = new Map<string, ProbeHistory>();

  constructor(
    private readonly session: Session,
    private readonly operation: OperationOf<'await-ready'>,
    private readonly readiness: ReadinessSignal | undefined,
  ) {
    this.lastSaid = session.clock.monotonic();
    this.deadline = this.lastSaid + operation.timeoutMs;
  }

  /** @returns milliseconds from the container's start to its readiness */
  async untilReady(id: string, lifetime: Lifetime, signal: AbortSignal): Promise<Seen> {
    let restartsAtFirst: number | undefined;
    for (;;) {
      const container = await this.look(id, signal);
      restartsAtFirst ??= container.restartCount;
      if (allSucceeded(lifetime, [container])) return endedAt(container);
      await this.failEarly(container, container.restartCount - restartsAtFirst);
      if (container.state === 'running' && (await this.passes(container, signal))) {
        return { startupMs: this.session.clock.now() - Date.parse(container.startedAt), ended: false };
      }
      await this.pause(container, signal);
    }
  }

  /** Others wait for its end, which has to come with exit code 0. */
  async untilEnded(id: string, signal: AbortSignal): Promise<Seen> {
    for (;;) {
      const container = await this.look(id, signal);
      if (allSucceeded('ends', [container])) return endedAt(container);
      if (container.state === 'exited' || container.state === 'dead')
        await this.fail(container, `ended with exit code ${container.exitCode}`);
      await this.pause(container, signal);
    }
  }

  /** A container is not waited for any more. */
  end(id: string): void {
    this.now.get(id)?.end();
  }

  private async look(id: string, signal: AbortSignal): Promise<ObservedContainer> {
    if (signal.aborted) throw reasonOf(signal);
    const container = await this.session.engine.container(id);
    if (container !== undefined) return container;
    throw new ProcedureError(
      'E_NOT_READY',
      `A container of ${this.operation.service} disappeared while it was waited for`,
      { next: 'Something else works on this project: look at docker events.' },
    );
  }

  private async failEarly(container: ObservedContainer, restarts: number): Promise<void> {
    const ended = container.state === 'exited' || container.state === 'dead';
    if (ended && (container.restartPolicy === 'no' || container.restartPolicy === '')) {
      await this.fail(container, `exited with code ${container.exitCode}`);
    }
    if (restarts >= RESTARTS_TOLERATED) {
      const code = this.session.events.lastExitCode(container.id) ?? container.exitCode;
      await this.fail(container, `keeps restarting (exit code ${code})`);
    }
    // Docker calls a container that does not run unhealthy as well; why it does not run is what counts then.
    if (container.state === 'running' && container.health === 'unhealthy') await this.fail(container, 'is unhealthy');
    await this.failLate(container);
  }

  private async failLate(container: ObservedContainer): Promise<void> {
    if (this.session.clock.monotonic() <= this.deadline) return;
    await this.fail(container, `was not ready within ${formatDuration(this.operation.timeoutMs)}`);
  }

  private async fail(container: ObservedContainer, what: string): Promise<never> {
    const history = this.historyOf(container);
    const memory = this.outOfMemory(container) ? ' and ran out of memory' : '';
    throw new ProcedureError('E_NOT_READY', `${container.name} ${what}${memory}`, {
      next: nextStep(history, memory !== ''),
      excerpt: await this.explain(container, history),
    });
  }

  private async explain(container: ObservedContainer, history: ProbeHistory): Promise<readonly Excerpt[]> {
    const exitCode = this.session.events.lastExitCode(container.id);
    const [state, ...rest] = await explainContainer(this.session, container);
    if (state === undefined) return history.excerpt(container.name);
    const before = exitCode === undefined || container.state === 'exited' ? [] : [`it ended before with ${exitCode}`];
    const memory = this.outOfMemory(container) && !container.oomKilled ? ['Docker saw it run out of memory'] : [];
    return [{ ...state, lines: [...state.lines, ...before, ...memory] }, ...history.excerpt(container.name), ...rest];
  }

  /** The engine forgets that it was out of memory as soon as it starts it again; its events do not. */
  private outOfMemory({ id, oomKilled }: ObservedContainer): boolean {
    return oomKilled || this.session.events.seen.some((event) => event.id === id && event.action === 'oom');
  }

  private published(): readonly number[] {
    const { service } = this.operation;
    return tcpPorts(this.session.lookers.get(service)?.definition() ?? {}, service);
  }

  private async passes(container: ObservedContainer, signal: AbortSignal): Promise<boolean> {
    const history = this.historyOf(container);
    for (const probe of probesFor(this.session, container, this.readiness, this.published())) {
      const leftMs = Math.max(1, Math.ceil(this.deadline - this.session.clock.monotonic()));
      const answer = await probe.ask(container, leftMs, signal);
      history.add(probe.name, answer);
      this.session.progress.debug(`${container.name}: ${probe.name}: ${answer.said}`);
      if (!answer.good) return false;
    }
    return true;
  }

  private historyOf({ id }: ObservedContainer): ProbeHistory {
    const known = this.histories.get(id);
    if (known !== undefined) return known;
    const history = new ProbeHistory(this.session.clock);
    this.histories.set(id, history);
    return history;
  }

  private async pause(container: ObservedContainer, signal: AbortSignal): Promise<void> {
    await this.failLate(container);
    const left = formatDuration(Math.max(0, this.deadline - this.session.clock.monotonic()));
    const said = this.historyOf(container).last?.split('\n')[0];
    const words = [container.state, `health ${container.health}`, ...(said === undefined ? [] : [said])].join(', ');
    const now = this.now.get(container.id) ?? this.session.progress.doing(container.name);
    this.now.set(container.id, now);
    now.waitsFor(`readiness (${words}), ${left} left`);
    if (this.session.clock.monotonic() - this.lastSaid > PROGRESS_EVERY_MS) {
      this.lastSaid = this.session.clock.monotonic();
      this.session.progress.info(`  … ${container.name}: ${words}; ${left} left`);
    }
    await this.session.events.next((event) => event.id === container.id, PROBE_PAUSE_MS, signal);
  }
}

function nextStep(history: ProbeHistory, outOfMemory: boolean): string {
  if (outOfMemory)
    return 'Give it more memory in the compose file, or find out what uses it; its last log lines are shown with this error.';
  if (history.unreachable) {
    return 'Its own address cannot be reached from here (another host, Docker Desktop, a network without a way in): give a command as readiness, which runs in the container. Its state and last log lines are shown with this error.';
  }
  return 'Its state and last log lines are shown with this error; fix what they say and deploy again.';
}
