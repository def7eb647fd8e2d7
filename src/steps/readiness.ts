import { connect } from 'node:net';
import { asProcedureError, ProcedureError, type Excerpt } from '../model/errors.js';
import type { OperationOf } from '../model/operation.js';
import { RUNBOOK } from '../model/policy.js';
import type { HealthCheck, ObservedContainer } from '../model/service.js';
import { formatDuration } from '../model/units.js';
import { reasonOf } from '../run/deadline.js';
import { explainContainer } from './diagnose.js';
import type { Session } from './session.js';

/** Pause between two probes of ours; also the longest wait for an event that does not come. */
const PROBE_PAUSE_MS = 100;
/** Without a health check: how long a container has to stay up, with its ports open, before it counts as ready. */
const STEADY_MS = 2_000;
/** A container that Docker restarted this often while it should become ready is not going to be. */
const RESTARTS_TOLERATED = 2;
const PROGRESS_EVERY_MS = 5_000;

export interface Readiness {
  readonly readyAtMs: number;
  /** From the start of the container that was ready last; milliseconds. */
  readonly startupMs: number;
  readonly containers: readonly string[];
  readonly hasHealthCheck: boolean;
}

/**
 * Waits until every container of a service is ready: its own health-check command, run through exec at a short interval
 * (Docker runs the first one only after `interval`), or Docker's verdict when that comes first; without a health check
 * its ports open and it stays up for a while. One-shot services are ready when they ended with 0.
 * @throws ProcedureError E_NOT_READY with state, health output and last log lines
 */
export async function awaitReady(
  session: Session,
  operation: OperationOf<'await-ready'>,
  replicas: number,
  oneShot: boolean,
  signal: AbortSignal,
): Promise<Readiness> {
  const { service, timeoutMs } = operation;
  const deadline = performance.now() + timeoutMs;
  const containers = await session.engine.containers(session.project, service);
  if (containers.length < replicas) {
    throw new ProcedureError('E_NOT_READY', `Only ${containers.length} of ${replicas} containers of ${service} exist`, {
      next: 'Look at the log of this run for what docker compose said.',
    });
  }
  const waiting = new Waiting(session, service, deadline, timeoutMs);
  const started = await Promise.all(
    containers.map((container) =>
      oneShot ? waiting.untilEnded(container.id, signal) : waiting.untilReady(container.id, signal),
    ),
  );
  return {
    readyAtMs: Date.now(),
    startupMs: Math.max(...started, 0),
    containers: containers.map((container) => container.id),
    hasHealthCheck: containers.every((container) => container.healthCheck !== undefined),
  };
}

/** @returns milliseconds a service may take: what its health check allows, and never less than the runbook's 60 s */
export function readinessTimeout(check: HealthCheck | undefined, asked: number | undefined): number {
  if (asked !== undefined) return asked;
  if (check === undefined) return RUNBOOK.slowStartMs;
  return Math.max(
    RUNBOOK.slowStartMs,
    check.startPeriodMs + check.retries * (check.intervalMs + check.timeoutMs) + check.intervalMs,
  );
}

class Waiting {
  private lastSaid = performance.now();
  /** What the health check said last when we ran it, by container: Docker may not have run it even once. */
  private readonly said = new Map<string, string>();

  constructor(
    private readonly session: Session,
    private readonly service: string,
    private readonly deadline: number,
    private readonly timeoutMs: number,
  ) {}

  /** @returns milliseconds from the container's start to its readiness */
  async untilReady(id: string, signal: AbortSignal): Promise<number> {
    let restartsAtFirst: number | undefined;
    for (;;) {
      const container = await this.look(id, signal);
      restartsAtFirst ??= container.restartCount;
      await this.failEarly(container, container.restartCount - restartsAtFirst);
      if (container.state === 'running' && (await this.passes(container, signal))) {
        return Date.now() - Date.parse(container.startedAt);
      }
      await this.pause(container, signal);
    }
  }

  /** One-shot: it has to end, and with 0. */
  async untilEnded(id: string, signal: AbortSignal): Promise<number> {
    for (;;) {
      const container = await this.look(id, signal);
      if (container.state === 'exited' && container.exitCode === 0) {
        return Date.parse(container.finishedAt) - Date.parse(container.startedAt);
      }
      if (container.state === 'exited') await this.fail(container, `ended with exit code ${container.exitCode}`);
      await this.pause(container, signal);
    }
  }

  private async look(id: string, signal: AbortSignal): Promise<ObservedContainer> {
    if (signal.aborted) throw reasonOf(signal);
    const container = await this.session.engine.container(id);
    if (container !== undefined) return container;
    throw new ProcedureError('E_NOT_READY', `A container of ${this.service} disappeared while it was waited for`, {
      next: 'Something else works on this project: look at docker events.',
    });
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
    if (performance.now() > this.deadline) {
      await this.fail(container, `was not ready within ${formatDuration(this.timeoutMs)}`);
    }
  }

  private async fail(container: ObservedContainer, what: string): Promise<never> {
    throw new ProcedureError('E_NOT_READY', `${container.name} ${what}`, {
      next: 'Its state and last log lines are shown with this error; fix what they say and deploy again.',
      excerpt: [...(await explainContainer(this.session, container)), ...this.saidBy(container)],
    });
  }

  private saidBy(container: ObservedContainer): readonly Excerpt[] {
    const said = this.said.get(container.id);
    if (said === undefined || container.state !== 'running') return [];
    return [{ title: `health check of ${container.name}, run by us: its last answer`, lines: said.split('\n') }];
  }

  private async passes(container: ObservedContainer, signal: AbortSignal): Promise<boolean> {
    if (container.health === 'healthy') return true;
    if (container.healthCheck !== undefined) return this.probe(container, container.healthCheck, signal);
    const upFor = Date.now() - Date.parse(container.startedAt);
    return upFor >= STEADY_MS && (await portsOpen(container));
  }

  /** The container's own health-check command. An exec that the engine refuses means: not yet. */
  private async probe(container: ObservedContainer, check: HealthCheck, signal: AbortSignal): Promise<boolean> {
    const command = healthCommand(check);
    if (command === undefined) return false;
    try {
      const result = await this.session.engine.exec(container.id, command, { timeoutMs: check.timeoutMs, signal });
      const output = this.session.redactor.text(result.output.trim()).slice(-500);
      this.said.set(container.id, `exit ${result.exitCode}: ${output}`);
      return result.exitCode === 0;
    } catch (error) {
      if (signal.aborted) throw reasonOf(signal);
      this.said.set(container.id, this.session.redactor.text(asProcedureError(error).message));
      this.session.progress.debug(`probe of ${container.name}: ${String(error)}`);
      return false;
    }
  }

  private async pause(container: ObservedContainer, signal: AbortSignal): Promise<void> {
    if (performance.now() > this.deadline) {
      await this.fail(container, `was not ready within ${formatDuration(this.timeoutMs)}`);
    }
    if (performance.now() - this.lastSaid > PROGRESS_EVERY_MS) {
      this.lastSaid = performance.now();
      const left = formatDuration(Math.max(0, this.deadline - performance.now()));
      this.session.progress.info(`  … ${container.name}: ${container.state}, health ${container.health}; ${left} left`);
    }
    await this.session.events.next((event) => event.id === container.id, PROBE_PAUSE_MS, signal);
  }
}

/** @returns what to hand to exec; undefined for a form of test that Docker does not have */
export function healthCommand(check: HealthCheck): readonly string[] | undefined {
  const [form, ...rest] = check.test;
  if (form === 'CMD') return rest;
  if (form === 'CMD-SHELL') return ['/bin/sh', '-c', rest.join(' ')];
  return undefined;
}

/**
 * Every port the container exposes or publishes accepts a connection at its own address. Not asked through the host's
 * port: there Docker's proxy accepts before anything listens behind it. Without an address that can be reached (another
 * host, `network_mode: host`) nothing is known, and staying up has to do.
 */
async function portsOpen(container: ObservedContainer): Promise<boolean> {
  const [address] = container.addresses;
  const ports = new Set([...container.hostPorts.map((port) => port.container)]);
  if (address === undefined || ports.size === 0) return true;
  const open = await Promise.all([...ports].map((port) => accepts(address, port)));
  return open.every(Boolean);
}

async function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 1_000 });
    const done = (open: boolean): void => {
      socket.destroy();
      resolve(open);
    };
    socket.once('connect', () => done(true));
    socket.once('error', () => done(false));
    socket.once('timeout', () => done(false));
  });
}
