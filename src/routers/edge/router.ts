import { setTimeout as sleep } from 'node:timers/promises';
import { ProcedureError } from '../../model/errors.js';
import type { RouteCount, Router, RouteTarget } from '../../model/ports/router.js';
import {
  order,
  parseServersConn,
  parseServersState,
  parseStat,
  type ServerConnections,
  type ServerCounters,
  type ServerState,
} from '../haproxy-runtime.js';
import { routesOf, slotName, type EdgeSetting, type SlotServer } from './config.js';
import {
  edgeContainers,
  readSetting,
  runtimeOf,
  writeAndOrder,
  writeSetting,
  type EdgeContainer,
  type EdgeTools,
} from './containers.js';
import type { Of } from './names.js';
import { assignSlots, preparing, shortId, switching, unresolved, unsettled, type Wanted } from './slots.js';

/** Docker's DNS answers within milliseconds, HAProxy asks it within half a second. */
const SETTLE_MS = 10_000;
const POLL_MS = 40;

/** The managed edge as the router of its service. While ports change hands, both of its containers are told everything. */
export async function openEdge(tools: EdgeTools, of: Of): Promise<Router> {
  const edge = new EdgeRouter(tools, of);
  await edge.running();
  return edge;
}

/**
 * Waits until a container of the edge does what its file says: all that shall serve are reached. One that does not run has no
 * address: the file of an edge that was stopped may still name it.
 * @throws E_ROUTER
 */
export async function confirmSetting(tools: EdgeTools, edge: EdgeContainer, signal: AbortSignal): Promise<void> {
  const { servers } = await readSetting(tools, edge.id);
  const found = await Promise.all(servers.map(({ container }) => tools.engine.container(container)));
  const reachable = servers.filter(({ weight }, index) => weight === 0 || found[index]?.state === 'running');
  await new EdgeRouter(tools, edge.spec).settled(edge, reachable, signal);
}

/** What HAProxy says of everything at one time. */
interface Look {
  readonly edge: EdgeContainer;
  readonly states: readonly ServerState[];
  readonly connections: readonly ServerConnections[];
  readonly counters: readonly ServerCounters[];
}

/** What was counted for a slot before a container came into it, by edge container, backend and slot. */
type Baselines = Map<string, ServerCounters>;

class EdgeRouter implements Router {
  readonly spec = { kind: 'edge' } as const;
  private readonly baselines: Baselines = new Map();

  constructor(
    private readonly tools: EdgeTools,
    private readonly of: Of,
  ) {}

  async running(): Promise<readonly EdgeContainer[]> {
    const containers = (await edgeContainers(this.tools, this.of)).filter(({ running }) => running);
    if (containers.length > 0) return containers;
    const { project, service } = this.of;
    throw new ProcedureError('E_ROUTER', `The edge of ${service} in ${project} does not run`, {
      next: 'Start it with docker start, or run again with `router: edge` to install it.',
    });
  }

  async apply(targets: readonly RouteTarget[], signal: AbortSignal): Promise<void> {
    const edges = await this.running();
    const [first] = edges;
    if (first === undefined) return;
    const current = await readSetting(this.tools, first.id);
    const wanted = targets.map(({ container, weight }) => ({ container: container.id, weight }));
    if (isSameSet(current.servers, wanted)) return this.shift(edges, current, wanted, signal);
    const looks = await Promise.all(edges.map((edge) => this.look(edge)));
    const servers = assignSlots(current, wanted, new Set(looks.flatMap(usedSlots)));
    this.rememberBaselines(looks, current, servers);
    // Nothing is sent to a container before its name has an address, and nothing changes when it never has.
    const known = await Promise.all(looks.map((look) => this.prepare(look, servers, signal)));
    await this.carryOver(edges, { ...current, servers }, known, true, signal);
  }

  /**
   * The same containers with other shares, as when the requests go back to those that served before. But for numbers the
   * file is the one that HAProxy runs by, so it is not checked again.
   */
  private async shift(
    edges: readonly EdgeContainer[],
    current: EdgeSetting,
    wanted: readonly Wanted[],
    signal: AbortSignal,
  ): Promise<void> {
    const servers = assignSlots(current, wanted, new Set());
    const unknown = edges.map((): readonly ServerState[] => []);
    await this.carryOver(edges, { ...current, servers }, unknown, false, signal);
  }

  /** The file, then the commands, and HAProxy's own word that it is so: one command in each container of the edge. */
  private async carryOver(
    edges: readonly EdgeContainer[],
    setting: EdgeSetting,
    known: readonly (readonly ServerState[])[],
    checked: boolean,
    signal: AbortSignal,
  ): Promise<void> {
    const { servers } = setting;
    // Both read the same file; the first writes it.
    for (const [index, edge] of edges.entries()) {
      const routes = routesOf(edge.spec);
      const shares = routes.flatMap(({ backend }) =>
        switching(backend, servers, of(known[index] ?? [], backend), shortId(edge.id)),
      );
      const commands = [...shares, 'show servers state'];
      const answer =
        index === 0
          ? await writeAndOrder(this.tools, { container: edge, setting, commands, checked })
          : await this.ask(edge)(commands);
      const states = parseServersState(answer);
      if (routes.some(({ backend }) => unsettled(servers, of(states, backend)) !== undefined)) {
        await this.settled(edge, servers, signal);
      }
    }
  }

  async serving(): Promise<readonly string[]> {
    const looks = await this.lookAtAll();
    const serving = looks.flatMap(({ states }) => states.filter(({ usable }) => usable));
    const names = new Set(serving.flatMap(({ fqdn }) => fqdn ?? []));
    return Promise.all([...names].map((name) => this.fullId(name)));
  }

  async inFlight(container: string): Promise<number> {
    return (await this.lookAtAll()).reduce((sum, look) => sum + inFlightAt(look, container), 0);
  }

  async cut(container: string): Promise<number> {
    const looks = await this.lookAtAll();
    for (const { edge, states } of looks) {
      const own = states.filter(({ fqdn }) => fqdn === shortId(container));
      await order(
        this.ask(edge),
        own.map(({ backend, name }) => `shutdown sessions server ${backend}/${name}`),
      );
    }
    return looks.reduce((sum, look) => sum + inFlightAt(look, container), 0);
  }

  async counts(): Promise<readonly RouteCount[]> {
    const looks = await this.lookAtAll();
    const [first] = looks;
    if (first === undefined) return [];
    const { servers } = await readSetting(this.tools, first.edge.id);
    const counted = looks.flatMap(({ edge, counters }) =>
      counters.map((one) => since(one, this.baselines.get(baselineKey(edge, one)))),
    );
    return Promise.all(
      servers.map(async ({ slot, container }) => {
        const own = counted.filter(({ name }) => name === slotName(slot));
        const sum = (of: (one: ServerCounters) => number): number => own.reduce((total, one) => total + of(one), 0);
        return {
          container: await this.fullId(container),
          requests: sum(({ requests }) => requests),
          failures: sum(({ errors5xx, connectionErrors }) => errors5xx + connectionErrors),
          averageMs: average(own),
        };
      }),
    );
  }

  /** Nobody gets a new request from now on: those wait. What is in flight goes on. */
  async hold(limits: { readonly maxMs: number; readonly maxQueue: number }, signal: AbortSignal): Promise<void> {
    const command = `hold on ${Math.round(limits.maxMs)} ${Math.round(limits.maxQueue)}`;
    const drained = (servers: readonly SlotServer[]): readonly SlotServer[] =>
      servers.map((server) => ({ ...server, weight: 0 }));
    await this.set((setting) => ({ servers: drained(setting.servers), hold: limits }), command, signal);
  }

  release(signal: AbortSignal): Promise<void> {
    return this.set(({ servers }) => ({ servers, hold: undefined }), 'hold off', signal);
  }

  problems(): Promise<readonly string[]> {
    return Promise.resolve([]);
  }

  private async set(change: (now: EdgeSetting) => EdgeSetting, command: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const edges = await this.running();
    const [first] = edges;
    if (first === undefined) return;
    const setting = change(await readSetting(this.tools, first.id));
    await writeSetting(this.tools, first, setting);
    const { servers } = setting;
    for (const edge of edges) {
      const shares = routesOf(edge.spec).flatMap(({ backend }) => switching(backend, servers, [], shortId(edge.id)));
      await order(this.ask(edge), [command, ...shares]);
    }
  }

  private ask(edge: EdgeContainer): ReturnType<typeof runtimeOf> {
    return runtimeOf(this.tools, edge.id);
  }

  private async look(edge: EdgeContainer): Promise<Look> {
    const answer = await this.ask(edge)(['show servers state', 'show servers conn', 'show stat -1 4 -1']);
    return {
      edge,
      states: parseServersState(answer),
      connections: parseServersConn(answer),
      counters: parseStat(answer),
    };
  }

  private async lookAtAll(): Promise<readonly Look[]> {
    return Promise.all((await this.running()).map((edge) => this.look(edge)));
  }

  private async states(edge: EdgeContainer): Promise<readonly ServerState[]> {
    return parseServersState(await this.ask(edge)(['show servers state']));
  }

  private async fullId(name: string): Promise<string> {
    return (await this.tools.engine.container(name))?.id ?? name;
  }

  /** Gives what is new its slot, without a request. @returns what HAProxy has then: every name has its address */
  private async prepare(
    { edge, states }: Look,
    servers: readonly SlotServer[],
    signal: AbortSignal,
  ): Promise<readonly ServerState[]> {
    const backends = routesOf(edge.spec).map(({ backend }) => backend);
    const commands = backends.flatMap((name) => preparing(name, servers, of(states, name)));
    if (commands.length === 0) return states;
    await order(this.ask(edge), commands);
    let now = states;
    await this.poll(signal, async () => {
      now = await this.states(edge);
      return backends.map((name) => unresolved(servers, of(now, name))).find((lost) => lost !== undefined);
    });
    return now;
  }

  async settled(edge: EdgeContainer, servers: readonly SlotServer[], signal: AbortSignal): Promise<void> {
    await this.poll(signal, async () => {
      const now = await this.states(edge);
      const problems = routesOf(edge.spec).map(({ backend }) => unsettled(servers, of(now, backend)));
      return problems.find((problem) => problem !== undefined);
    });
  }

  private rememberBaselines(looks: readonly Look[], before: EdgeSetting, servers: readonly SlotServer[]): void {
    const fresh = servers.filter(({ container }) => !before.servers.some((one) => one.container === container));
    for (const { edge, counters } of looks) {
      for (const one of counters) {
        if (fresh.some(({ slot }) => slotName(slot) === one.name)) this.baselines.set(baselineKey(edge, one), one);
      }
    }
  }

  /** @param problem undefined when it is as it should be */
  private async poll(signal: AbortSignal, problem: () => Promise<string | undefined>): Promise<void> {
    const endsAt = performance.now() + SETTLE_MS;
    for (;;) {
      signal.throwIfAborted();
      const wrong = await problem();
      if (wrong === undefined) return;
      if (performance.now() > endsAt) {
        throw new ProcedureError('E_ROUTER', `The edge of ${this.of.service} does not do what it was told: ${wrong}`, {
          next: 'Look whether the container runs, and is in a network that the edge is in.',
        });
      }
      await sleep(POLL_MS, undefined, { signal });
    }
  }
}

function isSameSet(servers: readonly SlotServer[], wanted: readonly Wanted[]): boolean {
  const ids = new Set(servers.map(({ container }) => container));
  return ids.size === wanted.length && wanted.every(({ container }) => ids.has(shortId(container)));
}

const baselineKey = (edge: EdgeContainer, { backend, name }: ServerCounters): string => `${edge.id}/${backend}/${name}`;

function of(states: readonly ServerState[], backend: string): readonly ServerState[] {
  return states.filter((state) => state.backend === backend);
}

/** @returns numbers of slots that counted something or have something in flight */
function usedSlots({ connections, counters }: Look): readonly number[] {
  const names = [
    ...counters.filter(({ requests }) => requests > 0).map(({ name }) => name),
    ...connections.filter(({ used }) => used > 0).map(({ name }) => name),
  ];
  return names.map((name) => Number(name.slice(1)));
}

function inFlightAt({ states, connections }: Look, container: string): number {
  return connections
    .filter(({ backend, name }) =>
      states.some((state) => state.backend === backend && state.name === name && state.fqdn === shortId(container)),
    )
    .reduce((sum, { used }) => sum + used, 0);
}

/** HAProxy counts a slot since its own start; less is more since then. */
function since(counters: ServerCounters, baseline: ServerCounters | undefined): ServerCounters {
  if (baseline === undefined || baseline.requests > counters.requests) return counters;
  return {
    ...counters,
    requests: counters.requests - baseline.requests,
    errors5xx: counters.errors5xx - baseline.errors5xx,
    connectionErrors: counters.connectionErrors - baseline.connectionErrors,
  };
}

function average(counters: readonly ServerCounters[]): number | undefined {
  const known = counters.filter(({ averageMs, requests }) => averageMs !== undefined && requests > 0);
  const requests = known.reduce((sum, one) => sum + one.requests, 0);
  if (requests === 0) return undefined;
  return known.reduce((sum, one) => sum + (one.averageMs ?? 0) * one.requests, 0) / requests;
}
