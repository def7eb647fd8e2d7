import type { Clock } from '../../../src/model/ports/clock.js';
import { attach, portsFor } from './attachments.js';
import { isRunning, type Container } from './container.js';
import type { EventLog } from './event-log.js';
import { Refusal } from './faults.js';
import { firstHealth, nextChange } from './health.js';
import type { Networks } from './resources.js';
import { after } from './timers.js';

const KILLED = 137;
/** The engine waits so long before the first restart, twice as long before each further one, and a minute at most. */
const BACKOFF_MS = { first: 100, longest: 60_000, forgottenAfter: 10_000 } as const;

interface Surroundings {
  readonly clock: Clock;
  readonly networks: Networks;
  readonly events: EventLog;
  readonly list: () => readonly Container[];
}

/** What the processes of containers do, and what the engine does about it: restart policies, health checks. */
export class Processes {
  private readonly clock: Clock;

  constructor(private readonly world: Surroundings) {
    this.clock = world.clock;
  }

  /** A start that the engine gives up leaves an exit code that is not 0. */
  begin(container: Container): void {
    try {
      this.requireShared(container);
      for (const [network, endpoint] of container.endpoints)
        attach(this.world.list(), this.world.networks, network, endpoint);
      container.hostPorts = portsFor(this.world.list(), container);
    } catch (error) {
      detach(container);
      if (container.exitCode === 0) container.exitCode = 128;
      if (container.state === 'restarting') container.state = 'exited';
      throw error;
    }
    const { behavior } = container.image;
    container.state = 'running';
    container.exitCode = 0;
    container.oomKilled = false;
    container.stoppedByHand = false;
    container.startedAtMs = this.clock.now();
    container.startCount += 1;
    container.startedAt = this.clock.monotonic();
    const { readyAfterMs = 0 } = behavior;
    container.readyAt = readyAfterMs === 'never' ? Infinity : container.startedAt + readyAfterMs;
    container.health = container.spec.healthCheck === undefined ? undefined : firstHealth(container.startedAt);
    this.emit(container, 'start');
    print(container, behavior.prints ?? [], 'stdout', this.clock.now());
    this.watchHealth(container);
    const { ends } = behavior;
    if (ends !== undefined) this.later(container, ends.afterMs, () => this.die(container, ends.code));
  }

  /** A namespace is there while the process of its container is. */
  private requireShared({ spec }: Container): void {
    const [, other] = /^container:(.+)$/.exec(spec.networkMode) ?? [];
    if (other === undefined) return;
    const owner = this.world.list().find(({ id, name }) => id === other || name === other);
    if (owner === undefined) throw new Refusal(404, `No such container: ${other}`);
    if (!isRunning(owner)) throw new Refusal(409, `cannot join network of a non running container: ${owner.id}`);
  }

  signal(container: Container, unixSignal: string): void {
    this.emit(container, 'kill');
    if (container.state === 'paused') this.unpause(container);
    if (unixSignal === 'SIGKILL') this.die(container, KILLED);
    else if (unixSignal === 'SIGTERM' && container.image.behavior.ignoresSigterm !== true) this.die(container, 0);
  }

  die(container: Container, code: number): void {
    this.cancelTimers(container);
    detach(container);
    container.exitCode = code;
    container.finishedAtMs = this.clock.now();
    const starts = startsAgain(container, code);
    container.state = starts ? 'restarting' : 'exited';
    this.emit(container, 'die', code);
    for (const told of [...container.atEnd]) told();
    if (starts) this.startLater(container);
  }

  private startLater(container: Container): void {
    const ran = this.clock.monotonic() - container.startedAt;
    const again = container.backoffMs === 0 || ran >= BACKOFF_MS.forgottenAfter;
    container.backoffMs = again ? BACKOFF_MS.first : Math.min(container.backoffMs * 2, BACKOFF_MS.longest);
    this.later(container, container.backoffMs, () => {
      container.restartCount += 1;
      try {
        this.begin(container);
      } catch (error) {
        if (!(error instanceof Refusal)) throw error; // the engine writes it into its own log
      }
    });
  }

  /** Docker was about to start it again, and does not. */
  rest(container: Container): void {
    this.cancelTimers(container);
    container.stoppedByHand = true;
    container.state = 'exited';
  }

  ending(container: Container): Promise<void> {
    return new Promise((resolve) => {
      const told = (): void => {
        container.atEnd.delete(told);
        resolve();
      };
      container.atEnd.add(told);
    });
  }

  watchHealth(container: Container): void {
    container.healthWatch();
    const check = container.spec.healthCheck;
    if (check === undefined || container.health === undefined || container.state !== 'running') return;
    const next = nextChange(container.health, { ...container, check });
    if (next === undefined) return;
    container.healthWatch = this.later(container, next.probedAt - this.clock.monotonic(), () => {
      container.health = next;
      this.emit(container, `health_status: ${next.status}`);
      this.watchHealth(container);
    });
  }

  later(container: Container, ms: number, act: () => void): () => void {
    const cancel = after(this.clock, ms, () => {
      container.timers.delete(cancel);
      act();
    });
    container.timers.add(cancel);
    return cancel;
  }

  cancelTimers(container: Container): void {
    for (const cancel of container.timers) cancel();
    container.timers.clear();
  }

  emit(container: Container, action: string, exitCode?: number): void {
    const { id, spec } = container;
    this.world.events.add({
      type: 'container',
      action,
      id,
      labels: spec.labels,
      ...(exitCode === undefined ? {} : { exitCode }),
    });
  }

  unpause(container: Container): void {
    container.state = 'running';
    container.health = container.health && { ...container.health, failingStreak: 0, probedAt: this.clock.monotonic() };
    this.emit(container, 'unpause');
    this.watchHealth(container);
  }
}

export function print(
  { log, followers }: Container,
  lines: readonly string[],
  stream: 'stdout' | 'stderr',
  atMs: number,
): void {
  for (const text of lines) {
    const line = { stream, atMs, text };
    log.push(line);
    for (const follower of followers) follower(line);
  }
}

function detach(container: Container): void {
  for (const endpoint of container.endpoints.values()) endpoint.address = undefined;
  container.hostPorts = [];
}

function startsAgain({ spec, restartCount, stoppedByHand }: Container, code: number): boolean {
  if (stoppedByHand) return false;
  const { name, maximum } = spec.restart;
  if (name === 'always' || name === 'unless-stopped') return true;
  return name === 'on-failure' && code !== 0 && (maximum === 0 || restartCount < maximum);
}
