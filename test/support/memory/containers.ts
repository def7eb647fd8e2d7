import { randomBytes } from 'node:crypto';
import type { Clock } from '../../../src/model/ports/clock.js';
import { attach } from './attachments.js';
import { isRunning, type Container, type ContainerSpec, type Endpoint } from './container.js';
import type { EventLog } from './event-log.js';
import { Refusal } from './faults.js';
import { healthAt } from './health.js';
import type { Images } from './images.js';
import { print, Processes } from './processes.js';
import type { Networks, Volumes } from './resources.js';

const DEFAULT_GRACE_S = 10;

interface Surroundings {
  readonly clock: Clock;
  readonly images: Images;
  readonly networks: Networks;
  readonly volumes: Volumes;
  readonly events: EventLog;
}

/** The containers of the world and what the engine does with them. A `Refusal` is what its API answers with an error. */
export class Containers {
  private readonly all = new Map<string, Container>();
  private readonly clock: Clock;
  private readonly processes: Processes;

  constructor(private readonly world: Surroundings) {
    this.clock = world.clock;
    this.processes = new Processes({ ...world, list: () => this.list() });
  }

  /** By id, the beginning of an id, or name. */
  find(key: string): Container | undefined {
    const named = (one: Container): boolean => one.name === key || (key.length >= 12 && one.id.startsWith(key));
    return this.all.get(key) ?? [...this.all.values()].find(named);
  }

  demand(key: string): Container {
    const container = this.find(key);
    if (container === undefined) throw new Refusal(404, `No such container: ${key}`);
    return container;
  }

  list(): readonly Container[] {
    return [...this.all.values()];
  }

  create(name: string, spec: ContainerSpec): Container {
    const image = this.world.images.demand(spec.image);
    this.requireName(name);
    const id = randomBytes(32).toString('hex');
    const mounted = new Set(spec.mounts.map(({ target }) => target));
    const ofImage = (image.behavior.volumes ?? []).filter((target) => !mounted.has(target));
    const mounts = [...spec.mounts, ...ofImage.map((target) => ({ type: 'volume' as const, name: undefined, target }))];
    const container: Container = {
      id,
      name,
      image,
      spec: { ...spec, mounts: mounts.map((mount) => ({ ...mount, name: this.volumeOf(mount.type, mount.name) })) },
      createdAtMs: this.clock.now(),
      state: 'created',
      exitCode: 0,
      oomKilled: false,
      restartCount: 0,
      startedAtMs: undefined,
      startCount: 0,
      finishedAtMs: undefined,
      startedAt: 0,
      readyAt: Infinity,
      health: undefined,
      hostPorts: [],
      endpoints: new Map(
        Object.entries(spec.networks).map(([network, names]) => [
          network,
          { names, network: undefined, address: undefined },
        ]),
      ),
      log: [],
      files: new Map(Object.entries(image.behavior.files ?? {}).map(([path, text]) => [path, Buffer.from(text)])),
      written: new Set(),
      stoppedByHand: false,
      backoffMs: 0,
      timers: new Set(),
      healthWatch: () => undefined,
      atEnd: new Set(),
      followers: new Set(),
    };
    this.all.set(id, container);
    this.processes.emit(container, 'create');
    return container;
  }

  /** @returns false when it runs already */
  start(key: string): boolean {
    const container = this.demand(key);
    if (container.state === 'paused') throw new Refusal(409, 'cannot start a paused container, try unpause instead');
    if (container.state === 'running' || container.state === 'restarting') return false;
    container.restartCount = 0;
    container.backoffMs = 0;
    this.processes.begin(container);
    return true;
  }

  /**
   * Asks its process to end, and kills it after the grace time.
   * @returns false when it does not run
   */
  async stop(key: string): Promise<boolean> {
    const container = this.demand(key);
    if (container.state === 'restarting') {
      this.processes.rest(container);
      this.processes.emit(container, 'stop');
      return true;
    }
    if (!isRunning(container)) return false;
    container.stoppedByHand = true;
    const graceS = container.spec.graceS ?? DEFAULT_GRACE_S;
    const ended = this.processes.ending(container);
    this.processes.signal(container, 'SIGTERM');
    if (isRunning(container)) {
      const waiting =
        graceS < 0
          ? () => undefined
          : this.processes.later(container, graceS * 1_000, () => this.processes.signal(container, 'SIGKILL'));
      await ended;
      waiting();
    }
    this.processes.emit(container, 'stop');
    return true;
  }

  async restart(key: string): Promise<void> {
    const container = this.demand(key);
    await this.stop(container.id);
    container.restartCount = 0;
    container.backoffMs = 0;
    this.processes.begin(container);
    this.processes.emit(container, 'restart');
  }

  kill(key: string, unixSignal: string): void {
    const container = this.demand(key);
    if (container.state === 'restarting') {
      this.processes.rest(container);
      return;
    }
    if (!isRunning(container)) {
      throw new Refusal(409, `cannot kill container: ${key}: container ${container.id} is not running`);
    }
    container.stoppedByHand = true;
    this.processes.signal(container, unixSignal);
  }

  /** Kills it where it runs. Its volumes without a name go only when it is said. */
  remove(key: string, withVolumes = false): void {
    const container = this.demand(key);
    container.stoppedByHand = true;
    if (isRunning(container)) this.processes.signal(container, 'SIGKILL');
    this.processes.cancelTimers(container);
    this.all.delete(container.id);
    if (withVolumes) {
      for (const { name } of container.spec.mounts) {
        if (name !== undefined && /^[0-9a-f]{64}$/.test(name)) this.world.volumes.remove(name);
      }
    }
    this.processes.emit(container, 'destroy');
  }

  rename(key: string, name: string): void {
    const container = this.demand(key);
    if (container.name === name) throw new Refusal(400, 'Renaming a container with the same name as its current name');
    this.requireName(name, 'Error when allocating new name: ');
    container.name = name;
    this.processes.emit(container, 'rename');
  }

  pause(key: string): void {
    const container = this.demand(key);
    if (container.state !== 'running') throw new Refusal(409, `Container ${container.id} is not running`);
    container.state = 'paused';
    this.processes.emit(container, 'pause');
  }

  unpause(key: string): void {
    const container = this.demand(key);
    if (container.state !== 'paused') throw new Refusal(500, `Container ${container.id} is not paused`);
    this.processes.unpause(container);
  }

  /** Its process ends on its own: a crash, or a job that is done. */
  end(key: string, code: number, reason: 'process' | 'out-of-memory' = 'process'): void {
    const container = this.demand(key);
    if (!isRunning(container)) throw new Error(`${container.name} does not run: it cannot end`);
    if (reason === 'out-of-memory') {
      container.oomKilled = true;
      this.processes.emit(container, 'oom');
    }
    this.processes.die(container, code);
  }

  /** From now on its health check fails, or passes. */
  setReady(key: string, ready: boolean): void {
    const container = this.demand(key);
    const now = this.clock.monotonic();
    const { healthCheck: check } = container.spec;
    if (check !== undefined && container.health !== undefined) {
      container.health = healthAt(container.health, { ...container, check }, now);
    }
    container.readyAt = ready ? now : Infinity;
    this.processes.watchHealth(container);
  }

  /** Its process prints lines. */
  print(key: string, lines: readonly string[], stream: 'stdout' | 'stderr' = 'stdout'): void {
    print(this.demand(key), lines, stream, this.clock.now());
  }

  /** Puts it on a network, or gives it other names there. */
  join(key: string, network: string, names: readonly string[]): void {
    const container = this.demand(key);
    const endpoint: Endpoint = { names, network: undefined, address: undefined };
    container.endpoints.set(network, endpoint);
    if (isRunning(container)) attach(this.list(), this.world.networks, network, endpoint);
  }

  private requireName(name: string, prefix = ''): void {
    const owner = this.list().find((container) => container.name === name);
    if (owner === undefined) return;
    const conflict = `Conflict. The container name "/${name}" is already in use by container "${owner.id}".`;
    const next = 'You have to remove (or rename) that container to be able to reuse that name.';
    throw new Refusal(409, `${prefix}${conflict} ${next}`);
  }

  private volumeOf(type: string, name: string | undefined): string | undefined {
    if (type !== 'volume') return name;
    const actual = name ?? randomBytes(32).toString('hex');
    this.world.volumes.ensure(actual);
    return actual;
  }
}
