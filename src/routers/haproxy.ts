import { setTimeout as sleep } from 'node:timers/promises';
import { ProcedureError } from '../model/errors.js';
import type { Engine } from '../model/ports/engine.js';
import type { RouteCount, Router, RouteTarget } from '../model/ports/router.js';
import type { RouterSpec } from '../model/router.js';
import type { ObservedContainer } from '../model/service.js';
import { addressOf, namesOf } from './addresses.js';
import {
  byName,
  DEFAULT_OPTIONS,
  findings,
  hasCheck,
  leftOver,
  lettingGo,
  namesLeadTo,
  namesServe,
  preparing,
  serverName,
  isOwn,
  serversFor,
  switching,
  unprepared,
  unreached,
  unsettled,
  type Backend,
  type Target,
} from './haproxy-plan.js';
import {
  connectionsOf,
  countersOf,
  isNewEnough,
  order,
  parseVersion,
  serversOf,
  type RuntimeTransport,
  type ServerState,
} from './haproxy-runtime.js';
import { runtimeSocket } from './runtime-socket.js';

type HaproxySpec = Extract<RouterSpec, { kind: 'haproxy' }>;
type Of = { readonly project: string; readonly service: string };
type Containers = Pick<Engine, 'containers'>;

/** Health checks begin within their interval, and a container that is ready answers at once. */
const REACHED_MS = 15_000;
const SETTLE_MS = 5_000;
/** Docker's DNS follows at once, HAProxy asks it as often as its `hold valid` says; longer is not worth waiting for. */
const NAMES_MS = 3_000;
/** Nothing is in flight as a rule. */
const REMOVABLE_MS = 1_000;
const POLL_MS = 50;

/**
 * @param reachedMs how long HAProxy may take to reach a container before it counts as out of its reach
 * @throws ProcedureError E_ROUTER when it does not answer, is too old, or has no such backend
 */
export async function openHaproxy(
  engine: Containers,
  spec: HaproxySpec,
  of: Of,
  reachedMs = REACHED_MS,
): Promise<Router> {
  const ask = runtimeSocket(spec.socket);
  const version = parseVersion(await ask(['show version']));
  if (!isNewEnough(version)) {
    throw new ProcedureError('E_ROUTER', `HAProxy at ${spec.socket} is ${version}; router haproxy needs 3.0 or newer`, {
      next: 'Update HAProxy (an older one cannot say when a server may go), or use router: edge. Nothing was changed.',
    });
  }
  await serversOf(ask, spec.backend);
  return new HaproxyRouter(engine, ask, spec, of, reachedMs);
}

/**
 * The user's own HAProxy. During a change each container has a server of ours, by address; between changes the servers of
 * its configuration serve where they know the service by name, since what is told at run time is gone after a reload.
 */
class HaproxyRouter implements Router {
  constructor(
    private readonly engine: Containers,
    private readonly ask: RuntimeTransport,
    readonly spec: HaproxySpec,
    private readonly of: Of,
    private readonly reachedMs: number,
  ) {}

  async apply(
    routes: readonly RouteTarget[],
    signal: AbortSignal,
    when: 'changing' | 'settled' = 'changing',
  ): Promise<void> {
    const containers = routes.map(({ container }) => container);
    const targets = routes.flatMap(({ container, weight }) => this.target(container, weight) ?? []);
    const lost = routes.find(
      ({ container, weight }) => weight > 0 && !targets.some((target) => target.container === container.id),
    );
    if (lost !== undefined) {
      throw new ProcedureError('E_ROUTER', `${lost.container.name} has no address that HAProxy could send to`, {
        next: 'Look whether it runs, and is in the network that HAProxy is in. Traffic stays where it is.',
      });
    }
    if (when === 'settled' && (await this.goByName(containers, targets, signal))) return;
    await this.prepare(containers, targets, signal);
    await order(this.ask, switching(await this.backend(containers), targets));
    await this.until(signal, SETTLE_MS, async () => unsettled(await this.backend(containers), targets));
    await this.forget(await this.backend(containers), targets);
  }

  async serving(): Promise<readonly string[]> {
    const { containers, backend } = await this.look();
    const usable = backend.servers.filter((server) => server.usable);
    return containers.flatMap((container) => {
      const target = this.target(container, 0);
      return target !== undefined && serversFor(usable, target).length > 0 ? [container.id] : [];
    });
  }

  async inFlight(container: string): Promise<number> {
    const servers = await this.serversOfContainer(container);
    const connections = await connectionsOf(this.ask, this.spec.backend);
    return connections
      .filter(({ name }) => servers.some((server) => server.name === name))
      .reduce((sum, { used }) => sum + used, 0);
  }

  async cut(container: string): Promise<number> {
    const [servers, cut] = [await this.serversOfContainer(container), await this.inFlight(container)];
    await order(
      this.ask,
      servers.map((server) => `shutdown sessions server ${this.path(server.name)}`),
    );
    return cut;
  }

  async counts(): Promise<readonly RouteCount[]> {
    const { containers, backend } = await this.look();
    const counters = await countersOf(this.ask, this.spec.backend);
    return containers.flatMap((container) => {
      const target = this.target(container, 0);
      // A server of the file leads to whoever has its address now, and has counted for others before.
      const names =
        target === undefined
          ? []
          : serversFor(backend.servers, target)
              .filter(isOwn)
              .map(({ name }) => name);
      const own = counters.filter(({ name }) => names.includes(name));
      if (own.length === 0) return [];
      const requests = own.reduce((sum, one) => sum + one.requests, 0);
      const spent = own.reduce((sum, one) => sum + (one.averageMs ?? 0) * one.requests, 0);
      return [
        {
          container: container.id,
          requests,
          failures: own.reduce((sum, one) => sum + one.errors5xx + one.connectionErrors, 0),
          averageMs: requests === 0 ? undefined : spent / requests,
        },
      ];
    });
  }

  hold(): Promise<void> {
    return Promise.reject(
      new ProcedureError('E_ROUTER', 'router haproxy cannot hold requests', { next: 'Use router: edge for that.' }),
    );
  }

  release(): Promise<void> {
    return Promise.resolve();
  }

  async problems(): Promise<readonly string[]> {
    const { containers, backend } = await this.look();
    const running = containers.filter(({ state }) => state === 'running');
    return findings(
      backend,
      running.flatMap((container) => this.target(container, 100) ?? []),
    );
  }

  private target(container: ObservedContainer, weight: number): Target | undefined {
    const address = addressOf(container, { ...this.of, port: this.spec.port, network: this.spec.network });
    return address && { container: container.id, weight, ...address };
  }

  private async look(): Promise<{ readonly containers: readonly ObservedContainer[]; readonly backend: Backend }> {
    const containers = await this.engine.containers(this.of.project, this.of.service);
    return { containers, backend: await this.backend(containers) };
  }

  private async backend(containers: readonly ObservedContainer[]): Promise<Backend> {
    const { backend: name } = this.spec;
    const [servers, counters] = await Promise.all([serversOf(this.ask, name), countersOf(this.ask, name)]);
    const backups = new Set(counters.filter(({ backup }) => backup).map((one) => one.name));
    const checks = new Map(counters.flatMap(({ name: server, lastCheck }) => (lastCheck ? [[server, lastCheck]] : [])));
    return { name, servers, backups, checks, names: namesOf(containers, this.of.service) };
  }

  private async serversOfContainer(id: string): Promise<readonly ServerState[]> {
    const { containers, backend } = await this.look();
    const container = containers.find((one) => one.id === id);
    const target = container && this.target(container, 0);
    return target === undefined ? [] : serversFor(backend.servers, target);
  }

  /** Nothing is sent to a container that HAProxy has not reached, and nothing changes when it never does. */
  private async prepare(
    containers: readonly ObservedContainer[],
    targets: readonly Target[],
    signal: AbortSignal,
  ): Promise<void> {
    const options = this.spec.options ?? DEFAULT_OPTIONS;
    const before = await this.backend(containers);
    const added = unprepared(before, targets);
    if (added.length === 0) return;
    await order(this.ask, preparing(before, targets, options));
    if (!hasCheck(options)) return;
    try {
      await this.until(signal, this.reachedMs, async () => unreached(await this.backend(containers), added));
    } catch (error) {
      // The next change does it otherwise.
      await this.remove(added.map(({ container }) => serverName(container))).catch(() => undefined);
      throw error;
    }
  }

  /** @returns whether the servers of the configuration serve, which know the service by its name, and ours have gone */
  private async goByName(
    containers: readonly ObservedContainer[],
    targets: readonly Target[],
    signal: AbortSignal,
  ): Promise<boolean> {
    if (byName(await this.backend(containers)).length === 0) return false;
    const within = async (ms: number, holds: (backend: Backend) => boolean): Promise<boolean> => {
      const endsAt = performance.now() + ms;
      while (!holds(await this.backend(containers))) {
        if (performance.now() > endsAt) return false;
        await sleep(POLL_MS, undefined, { signal });
      }
      return true;
    };
    if (!(await within(NAMES_MS, (backend) => namesLeadTo(backend, targets)))) return false;
    await order(this.ask, lettingGo(await this.backend(containers)));
    if (!(await within(SETTLE_MS, namesServe))) return false;
    await this.remove(
      leftOver(await this.backend(containers), []).map(({ name }) => name),
      SETTLE_MS,
    );
    return true;
  }

  /** Cuts what containers have in flight that are not there any more, and removes their servers. */
  private async forget(backend: Backend, targets: readonly Target[]): Promise<void> {
    const gone = leftOver(
      backend,
      targets.map(({ container }) => container),
    ).map(({ name }) => name);
    await order(
      this.ask,
      gone.map((name) => `shutdown sessions server ${this.path(name)}`),
    );
    await this.remove(gone);
  }

  /**
   * One that has something in flight for longer than that stays, in maintenance: the next change removes it.
   * @param ms for all of them together
   */
  private async remove(servers: readonly string[], ms = REMOVABLE_MS): Promise<void> {
    const endsAt = performance.now() + ms;
    await order(
      this.ask,
      servers.map((name) => `set server ${this.path(name)} state maint`),
    );
    for (const name of servers) {
      const left = Math.max(1, Math.round(endsAt - performance.now()));
      await this.ask([`wait ${left}ms srv-removable ${this.path(name)}`, `del server ${this.path(name)}`]);
    }
  }

  private path(name: string): string {
    return `${this.spec.backend}/${name}`;
  }

  /** @param problem undefined when it is as it should be */
  private async until(signal: AbortSignal, ms: number, problem: () => Promise<string | undefined>): Promise<void> {
    const endsAt = performance.now() + ms;
    for (;;) {
      signal.throwIfAborted();
      const wrong = await problem();
      if (wrong === undefined) return;
      if (performance.now() > endsAt) {
        throw new ProcedureError('E_ROUTER', `HAProxy does not do what it was told for ${this.of.service}: ${wrong}`, {
          next: 'Look whether HAProxy is in a network of the container, or on its host, and what `option httpchk` of the backend asks for.',
        });
      }
      await sleep(POLL_MS, undefined, { signal });
    }
  }
}
