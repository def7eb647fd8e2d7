import { isInOrder, type EdgePort, type EdgeSpec, type EdgeState, type EdgeUpgrade } from '../model/edge.js';
import { networkNames } from '../model/network-names.js';
import { policyOf, type ServicePolicy } from '../model/project-policy.js';
import { DEFAULT_DISCOVERY, routesByAddress, type RouterKind, type RouterSpec } from '../model/router.js';
import { ProcedureError } from '../model/errors.js';
import type { ImageFacts } from '../model/image.js';
import type { ComposeProject, ServiceDefinition } from '../model/service.js';
import { discoveredRouter } from '../model/discovered-router.js';
import { edgeCanHave, type Keeping } from '../strategies/losses.js';
import type { Takeover, Traffic } from '../strategies/strategy.js';
import type { Candidate, Current } from './candidate.js';
import { keepingOf } from './keeping.js';
import type { Viewing } from './session.js';

type TrafficFacts = Pick<Candidate, 'traffic' | 'keeping'>;

/**
 * What sends requests to a service: what the input says, else the edge that is there, else the compose file's policy, else
 * a proxy that the service's labels speak to. And what a change of it has to keep, the ports behind an edge among it.
 * Changes nothing.
 * @param image the wanted one; undefined while it is not built or pulled
 * @throws ProcedureError E_INPUT when a router is named that the policy does not describe
 */
export async function trafficFacts(
  viewing: Viewing,
  project: ComposeProject,
  definition: ServiceDefinition,
  current: Current,
  image: ImageFacts | undefined,
): Promise<TrafficFacts> {
  const policy = policyOf(project.policy, definition.name);
  const edge = await viewing.edges.find(viewing.project, definition.name);
  const has = isTheWay(edge, current);
  const drainTimeoutMs = viewing.request.drainTimeoutMs;
  const keep = (edgePorts: readonly EdgePort[] | undefined): Promise<Keeping> =>
    keepingOf(viewing, { project, definition, observed: current.containers, image, edgePorts });
  if (has && edge.networksGone.length > 0) {
    return { traffic: withoutEdge(drainTimeoutMs), keeping: await keep(undefined) };
  }
  const router = chooseRouter(viewing.request.router, definition, policy, has);
  if (has) {
    const upgrade = await edgeUpgrade(viewing, edge);
    const unfinished = isUnfinished(edge, current);
    const takeover = unfinished
      ? { edge: edge.spec, redirectProblem: await viewing.edges.redirectProblem(edge.spec) }
      : undefined;
    const repair = unfinished ? undefined : portsToRepair(edge);
    return { traffic: { router, drainTimeoutMs, takeover, upgrade, repair }, keeping: await keep(edge.spec.ports) };
  }
  if (router.kind !== 'edge') {
    return { traffic: { router, drainTimeoutMs, takeover: undefined }, keeping: await keep(undefined) };
  }
  const running = current.containers.filter(({ state }) => state === 'running');
  if (running.length === 0 || !definition.ports.some(edgeCanHave)) {
    viewing.progress.info(
      running.length === 0
        ? `${definition.name}: nothing runs yet, so the edge takes its ports over with the next change`
        : `${definition.name} publishes no port that an edge could have`,
    );
    const traffic = { router: { kind: 'none' }, drainTimeoutMs, takeover: undefined } as const;
    return { traffic, keeping: await keep(undefined) };
  }
  const takeover = await planTakeover(viewing, project, definition, current, policy);
  return { traffic: { router, drainTimeoutMs, takeover }, keeping: await keep(takeover.edge.ports) };
}

/** @returns what keeps the edge from being of the image that is asked for; undefined when it is */
export async function edgeUpgrade({ edges, request }: Viewing, { spec }: EdgeState): Promise<EdgeUpgrade | undefined> {
  if (spec.image === request.edgeImage) return undefined;
  return {
    service: spec.service,
    has: spec.image,
    wanted: request.edgeImage,
    redirectProblem: await edges.redirectProblem(spec),
  };
}

/**
 * The same of a service whose release stays: nothing is taken over by an edge.
 * @returns what sends requests to it, and how that is put in order before something is started
 */
export async function trafficInPlace(viewing: Viewing, service: string, current: Current): Promise<Traffic> {
  const { edges, opened, project, request } = viewing;
  const { drainTimeoutMs } = request;
  const edge = await edges.find(project, service);
  const byEdge = isTheWay(edge, current) && !isUnfinished(edge, current);
  if (byEdge && edge.networksGone.length > 0) return withoutEdge(drainTimeoutMs);
  const router = placedRouter(byEdge, policyOf(opened.live.policy, service), request.router);
  return { router, drainTimeoutMs, takeover: undefined, repair: byEdge ? portsToRepair(edge) : undefined };
}

/** A stopped edge is the way to containers that publish nothing themselves. */
function isTheWay(edge: EdgeState | undefined, { containers }: Current): edge is EdgeState {
  return edge !== undefined && (edge.open || edge.takeover || !containers.some(({ publishes }) => publishes));
}

/** A take-over that did not come to the point where the edge has the ports. */
function isUnfinished({ takeover, open }: EdgeState, { containers }: Current): boolean {
  return takeover && !open && containers.some(({ publishes }) => publishes);
}

function portsToRepair(edge: EdgeState): Traffic['repair'] {
  return isInOrder(edge) ? undefined : edge.spec.ports.map(({ published }) => published);
}

/** Compose makes the network that is gone again, with containers that publish their ports. */
function withoutEdge(drainTimeoutMs: number): Traffic {
  return { router: { kind: 'none' }, drainTimeoutMs, takeover: undefined, discard: true };
}

/**
 * @returns what has to know of a restart: the edge when it has the service's ports, else a router that is told addresses,
 * which may be others afterwards
 */
export async function routerInPlace(viewing: Viewing, service: string): Promise<RouterSpec> {
  const edge = await viewing.edges.find(viewing.project, service);
  return placedRouter(edge?.open === true, policyOf(viewing.opened.live.policy, service), viewing.request.router);
}

/** @returns the router that we control and that sends requests to a service now */
export function placedRouter(byEdge: boolean, { router }: ServicePolicy, asked: 'auto' | RouterKind): RouterSpec {
  if (byEdge) return { kind: 'edge' };
  return router !== undefined && routesByAddress(router.kind) && (asked === 'auto' || asked === router.kind)
    ? router
    : { kind: 'none' };
}

function chooseRouter(
  asked: 'auto' | RouterKind,
  definition: ServiceDefinition,
  policy: ServicePolicy,
  installed: boolean,
): RouterSpec {
  // What has the ports is what sends the requests, whatever else is said.
  if (installed) return { kind: 'edge' };
  if (asked === 'auto') return policy.router ?? discoveredRouter(definition) ?? { kind: 'none' };
  if (asked === 'edge' || asked === 'none') return { kind: asked };
  if (policy.router?.kind === asked) return policy.router;
  if (asked === 'discovery') return discoveredRouter(definition) ?? DEFAULT_DISCOVERY;
  throw new ProcedureError('E_INPUT', `router: ${asked} needs to know where it is, for service ${definition.name}`, {
    next: `Say so in the compose file: x-rolling-restart: services: ${definition.name}: router: { ${asked}: … } (docs/routers.md). Nothing was changed.`,
  });
}

async function planTakeover(
  viewing: Viewing,
  project: ComposeProject,
  definition: ServiceDefinition,
  current: Current,
  policy: ServicePolicy,
): Promise<Takeover> {
  const { edges, request } = viewing;
  const image = request.edgeImage;
  await edges.requireImage(viewing.project, definition.name, image, viewing.signal);
  const [container] = current.containers.filter(({ state }) => state === 'running');
  const ports: EdgePort[] = [];
  for (const port of definition.ports.filter(edgeCanHave)) {
    ports.push({
      target: port.target,
      published: port.published,
      hostIp: port.hostIp,
      mode:
        policy.mode ??
        (container === undefined ? 'tcp' : await edges.modeOf(viewing.project, container, port.target, image)),
      proxyProtocol: policy.proxyProtocol,
    });
  }
  const names = networkNames(project.document, definition.name);
  const edge: EdgeSpec = {
    project: viewing.project,
    service: definition.name,
    image,
    ports,
    networks: Object.entries(names).map(([name, own]) => ({
      name,
      aliases: [...new Set([...own, ...(definition.containerName === undefined ? [] : [definition.containerName])])],
    })),
  };
  return { edge, redirectProblem: await edges.redirectProblem(edge) };
}
