import { setTimeout as sleep } from 'node:timers/promises';
import { ProcedureError } from '../model/errors.js';
import type { Engine } from '../model/ports/engine.js';
import type { RouteCount, Router, RouteTarget } from '../model/ports/router.js';
import type { RouterSpec } from '../model/router.js';
import type { ObservedContainer } from '../model/service.js';
import { addressOf, namesOf, written } from './addresses.js';
import { caddyAdmin, type CaddyAdmin } from './caddy-admin.js';
import {
  changing,
  hostOf,
  isSame,
  parseCounts,
  parseHandler,
  settled,
  upstreamsOf,
  withUpstreams,
  type Handler,
  type Served,
  type Upstreams,
} from './caddy-plan.js';

type CaddySpec = Extract<RouterSpec, { kind: 'caddy' }>;
type Of = { readonly project: string; readonly service: string };
type Containers = Pick<Engine, 'containers'>;

/** Somebody else changes Caddy's configuration at the same moment: so often is it tried again. */
const TRIES = 5;
/**
 * The configuration of before closes its connections after the new one runs, and a request on one of them is still routed
 * by the old one: only after that is a count of zero the truth.
 */
const CLOSING_MS = 250;

/** @throws ProcedureError E_ROUTER when it does not answer, or has no such handler */
export async function openCaddy(engine: Containers, spec: CaddySpec, of: Of): Promise<Router> {
  const router = new CaddyRouter(engine, caddyAdmin(spec.admin), spec, of);
  await router.serving();
  return router;
}

/**
 * The user's own Caddy: the upstreams of one handler. During a change they are addresses; between changes what the handler
 * dialled before, so that Docker's DNS keeps it right.
 */
class CaddyRouter implements Router {
  constructor(
    private readonly engine: Containers,
    private readonly admin: CaddyAdmin,
    readonly spec: CaddySpec,
    private readonly of: Of,
  ) {}

  async apply(
    routes: readonly RouteTarget[],
    signal: AbortSignal,
    when: 'changing' | 'settled' = 'changing',
  ): Promise<void> {
    const serving = routes.filter(({ weight }) => weight > 0).map(({ container }) => this.served(container));
    const drained = routes
      .filter(({ weight }) => weight === 0)
      .flatMap(({ container }) => this.dialOf(container) ?? []);
    await this.set(signal, (now) =>
      when === 'settled'
        ? settled(now, serving, this.spec.dial)
        : changing(
            now,
            serving.map(({ dial }) => dial),
            drained,
          ),
    );
  }

  async serving(): Promise<readonly string[]> {
    const { serving } = upstreamsOf((await this.handler()).handler, this.spec.id);
    const containers = await this.engine.containers(this.of.project, this.of.service);
    const dialled = new Set(serving.map(({ dial }) => dial));
    const hosts = new Set(serving.map(({ dial }) => hostOf(dial)));
    return containers
      .filter(({ state }) => state === 'running')
      .filter((one) => dialled.has(this.dialOf(one) ?? '') || namesTo(one).some((name) => hosts.has(name)))
      .map(({ id }) => id);
  }

  async inFlight(id: string): Promise<number> {
    const containers = await this.engine.containers(this.of.project, this.of.service);
    const container = containers.find((one) => one.id === id);
    if (container === undefined) return 0;
    const counts = parseCounts((await this.admin.read('/reverse_proxy/upstreams')).text);
    const { kept } = upstreamsOf((await this.handler()).handler, this.spec.id);
    // What was sent by name before the change may be at any of them.
    const names = namesOf(containers, this.of.service);
    const byName = kept.filter(({ dial }) => names.has(hostOf(dial))).map(({ dial }) => dial);
    const dials = new Set([this.dialOf(container) ?? '', ...byName]);
    return [...dials].reduce((sum, dial) => sum + (counts.get(dial) ?? 0), 0);
  }

  /** Caddy has no way to end them: the stop of the container does. */
  cut(container: string): Promise<number> {
    return this.inFlight(container);
  }

  counts(): Promise<readonly RouteCount[]> {
    return Promise.resolve([]);
  }

  hold(): Promise<void> {
    return Promise.reject(
      new ProcedureError('E_ROUTER', 'router caddy cannot hold requests', { next: 'Use router: edge for that.' }),
    );
  }

  release(): Promise<void> {
    return Promise.resolve();
  }

  async problems(): Promise<readonly string[]> {
    const [serving, containers] = await Promise.all([
      this.serving(),
      this.engine.containers(this.of.project, this.of.service),
    ]);
    const { kept } = upstreamsOf((await this.handler()).handler, this.spec.id);
    const left = containers.filter(({ id, state }) => state === 'running' && !serving.includes(id));
    return [
      ...left.map(({ name }) => `no upstream of Caddy's handler ${this.spec.id} leads to ${name}`),
      ...(kept.length === 0 ? [] : [`Caddy's handler ${this.spec.id} is as in the middle of a change`]),
    ];
  }

  private async set(signal: AbortSignal, wanted: (now: Upstreams) => Upstreams): Promise<void> {
    const { id } = this.spec;
    for (let tries = 0; tries < TRIES; tries += 1) {
      signal.throwIfAborted();
      const { handler, etag } = await this.handler();
      const now = upstreamsOf(handler, id);
      const next = wanted(now);
      // Every write is a reload, which costs those who keep connections.
      if (isSame(now, next)) return;
      if (!(await this.admin.replace(`/id/${id}`, withUpstreams(handler, id, next), etag))) continue;
      await sleep(CLOSING_MS, undefined, { signal });
      if (isSame(upstreamsOf((await this.handler()).handler, id), next)) return;
    }
    throw new ProcedureError('E_ROUTER', `Caddy's handler ${id} does not stay as it was told for ${this.of.service}`, {
      next: 'Something else changes the configuration of Caddy all the time: find out what, and try again.',
    });
  }

  private async handler(): Promise<{ readonly handler: Handler; readonly etag: string }> {
    const { text, etag } = await this.admin.read(`/id/${this.spec.id}`);
    if (etag !== undefined) return { handler: parseHandler(text, this.spec.id), etag };
    throw new ProcedureError(
      'E_ROUTER',
      `Caddy at ${this.spec.admin} answers without an Etag; router caddy needs 2.6`,
      {
        next: 'Update Caddy, or use router: edge. Nothing was changed.',
      },
    );
  }

  private served(container: ObservedContainer): Served {
    const dial = this.dialOf(container);
    if (dial !== undefined) return { dial, names: namesTo(container) };
    throw new ProcedureError('E_ROUTER', `${container.name} has no address that Caddy could send to`, {
      next: 'Look whether it runs, and is in the network that Caddy is in. Traffic stays where it is.',
    });
  }

  private dialOf(container: ObservedContainer): string | undefined {
    const address = addressOf(container, { ...this.of, port: this.spec.port, network: this.spec.network });
    return address && written(address);
  }
}

/** Names by which Docker's DNS leads to the container. */
function namesTo({ name, networks }: ObservedContainer): readonly string[] {
  return [name, ...Object.values(networks).flatMap(({ names }) => names)];
}
