import { jobReasons, type Lifetime, type ServiceState } from './job.js';
import type { ProbeAnswer } from './ports/probe.js';
import type { RouterKind } from './router.js';
import type { ObservedContainer, PublishedPort } from './service.js';

/** Whether a service serves, as the engine, its router and a request show it. Only `serves` is green. */
export type Serving =
  | { readonly kind: 'serves' }
  | { readonly kind: 'not-serving'; readonly faults: readonly ServingFault[] }
  /** Nothing is known to be wrong, and something could not be looked at. */
  | { readonly kind: 'unknown'; readonly why: readonly string[] }
  /** It is not meant to serve now: it was stopped on purpose, runs once and ends, or has no replicas. */
  | { readonly kind: 'not-meant'; readonly why: string };

/** What keeps it from serving. */
export interface ServingFault {
  readonly kind: ServingFaultKind;
  /** One sentence, without a secret. */
  readonly text: string;
}

/**
 * `missing`: it has no container, or too few. `container`: one does not run, or is unhealthy. `readiness`: one is not ready yet.
 * `network`: one is not on its networks. `port`: nobody has a port of the host. `router`: the router sends it no requests.
 * `request`: a request got no answer.
 */
export type ServingFaultKind = 'missing' | 'container' | 'readiness' | 'network' | 'port' | 'router' | 'request';

export interface ServingFacts {
  readonly service: string;
  /** How many containers are to run. */
  readonly replicas: number;
  readonly containers: readonly ServingContainer[];
  /** What a container that runs answered when it was asked whether it is ready, by its id. */
  readonly readiness: ReadonlyMap<string, ProbeAnswer>;
  /** TCP ports that its definition publishes on the host. */
  readonly ports: readonly PublishedPort[];
  /** Networks that its definition names, as the engine calls them. */
  readonly networks: readonly string[];
  readonly edge: ServingEdge | undefined;
  readonly router: ServingRouter;
  /** What a request to a port of the host came to, by the port. */
  readonly requests: ReadonlyMap<string, ProbeAnswer>;
}

export type ServingContainer = Pick<
  ObservedContainer,
  'id' | 'name' | 'state' | 'health' | 'exitCode' | 'hostPorts' | 'networkMode' | 'healthCheck'
> & { readonly networks: Readonly<Record<string, unknown>> };

/** The service's managed edge. */
export interface ServingEdge {
  readonly open: boolean;
  /** What stands in for it while ports change hands is there. */
  readonly takeover: boolean;
  /** Ports of the host that lead to it now. */
  readonly hostPorts: readonly number[];
  /** Networks that it is to be on, and is not. */
  readonly networksLost: readonly string[];
}

/** What the router says. `serving`: ids of the containers that get new requests; undefined: it cannot say. */
export type ServingRouter =
  | { readonly kind: RouterKind; readonly serving: readonly string[] | undefined }
  | { readonly kind: RouterKind; readonly problem: string };

/** @returns the verdict, every fault named; what matters most first */
export function judgeServing(facts: ServingFacts): Serving {
  const faults = [
    ...containerFaults(facts),
    ...readinessFaults(facts),
    ...networkFaults(facts),
    ...portFaults(facts),
    ...routerFaults(facts),
    ...requestFaults(facts),
  ];
  if (faults.length > 0) return { kind: 'not-serving', faults };
  const why = [...unseenRouter(facts), ...unseenRequests(facts)];
  return why.length > 0 ? { kind: 'unknown', why } : { kind: 'serves' };
}

/** A container by its state alone. */
export type ContainerCondition = Pick<ServingContainer, 'name' | 'state' | 'health' | 'exitCode'>;

/** @returns what is wrong with the containers by their state alone */
export function containerFaults({
  replicas,
  containers,
}: Pick<ServingFacts, 'replicas'> & { readonly containers: readonly ContainerCondition[] }): readonly ServingFault[] {
  if (containers.length === 0) return [fault('missing', 'it has no container')];
  const wrong = containers.flatMap(({ name, state, health, exitCode }) => {
    if (state === 'created') return [fault('container', `${name} was created and not started`)];
    if (state === 'exited') return [fault('container', `${name} is exited with exit code ${exitCode}`)];
    if (state === 'restarting') return [fault('readiness', `${name} is restarting`)];
    if (state !== 'running') return [fault('container', `${name} is ${state}`)];
    return health === 'unhealthy' ? [fault('container', `${name} is unhealthy`)] : [];
  });
  const running = containers.filter(({ state }) => state === 'running').length;
  return wrong.length === 0 && running < replicas
    ? [fault('missing', `${running} of ${replicas} containers run`)]
    : wrong;
}

/** A job is judged by its end: nothing is wrong with it while it runs, and exit code 0 is success. */
export function judgeJob(lifetime: Lifetime, state: ServiceState): Serving {
  const reasons = jobReasons(lifetime, state);
  if (reasons.length === 0) return { kind: 'not-meant', why: 'it is a job' };
  return { kind: 'not-serving', faults: reasons.map((text) => fault('container', text)) };
}

/** Faults that time alone does not end. */
const LASTING: ReadonlySet<ServingFaultKind> = new Set(['missing', 'container', 'network', 'port']);

/** @returns whether it may serve in a moment without anybody doing anything: it starts, or a router has not seen it yet */
export function mayPass(serving: Serving): 'no' | 'soon' | 'when-ready' {
  if (serving.kind === 'unknown') return 'soon';
  if (serving.kind !== 'not-serving' || serving.faults.some(({ kind }) => LASTING.has(kind))) return 'no';
  return serving.faults.some(({ kind }) => kind === 'readiness') ? 'when-ready' : 'soon';
}

function readinessFaults({ containers, readiness }: ServingFacts): readonly ServingFault[] {
  return containers.flatMap(({ id, name, state, health }) => {
    const answer = readiness.get(id);
    if (state !== 'running' || health === 'unhealthy' || answer === undefined || answer.good) return [];
    return answer.reached ? [fault('readiness', `${name} is not ready: ${firstLine(answer.said)}`)] : [];
  });
}

/** A container whose network was removed and made again is on no network, and nobody reaches it by its name. */
function networkFaults({ service, containers, networks, edge }: ServingFacts): readonly ServingFault[] {
  const lost = running(containers).flatMap((container) => {
    const missing = ownsNetworks(container) ? networks.filter((name) => container.networks[name] === undefined) : [];
    return missing.length === 0 ? [] : [fault('network', `${container.name} is not on network ${missing.join(', ')}`)];
  });
  const edgeLost = edge?.open === true ? edge.networksLost : [];
  return edgeLost.length === 0
    ? lost
    : [...lost, fault('network', `the edge of ${service} is not on network ${edgeLost.join(', ')}`)];
}

function portFaults({ service, containers, ports, edge }: ServingFacts): readonly ServingFault[] {
  const up = running(containers);
  // Without a container that runs nobody can have its ports: that is told already.
  if (up.length === 0 || !up.some(ownsNetworks)) return [];
  const closed = ports.filter((port) => !isPublished(port, up, edge));
  const halfOpen =
    edge?.takeover === true ? [fault('port', `the take-over by the edge of ${service} is not finished`)] : [];
  if (closed.length === 0) return halfOpen;
  const words = `port ${closed.map(({ published }) => published).join(', ')} of the host`;
  if (edge !== undefined && !edge.open)
    return [fault('port', `the edge of ${service} does not run, and nobody has ${words}`)];
  return [...halfOpen, fault('port', `nobody has ${words}, which ${service} publishes`)];
}

/** By a container of the service, or by its edge. */
function isPublished(
  { target, published = '' }: PublishedPort,
  containers: readonly ServingContainer[],
  edge: ServingEdge | undefined,
): boolean {
  const own = containers.flatMap(({ hostPorts }) => hostPorts.filter(({ container }) => container === target));
  const theirs = edge?.open === true ? edge.hostPorts : [];
  return [...own.map(({ host }) => host), ...theirs].some((host) => isWithin(host, published));
}

/** @param published `8080` or `8080-8089` */
function isWithin(host: number, published: string): boolean {
  const [first = Number.NaN, last = first] = published.split('-').map(Number);
  return host >= first && host <= last;
}

function routerFaults({ service, containers, router }: ServingFacts): readonly ServingFault[] {
  if (!('serving' in router) || router.serving === undefined) return [];
  const { serving } = router;
  const idle = running(containers).filter(({ id }) => !serving.includes(id));
  if (idle.length === 0) return [];
  const names = idle.map(({ name }) => name).join(', ');
  return [fault('router', `${routerWords(router.kind, service)} sends no request to ${names}`)];
}

/** Asked only where the way is there: what is wrong with the way itself is told already. */
function requestFaults(facts: ServingFacts): readonly ServingFault[] {
  if (running(facts.containers).length === 0 || portFaults(facts).length > 0) return [];
  return [...facts.requests].flatMap(([port, { good, reached, said }]) =>
    good || !reached
      ? []
      : [fault('request', `a request to port ${port} of the host gets no answer: ${firstLine(said)}`)],
  );
}

function unseenRouter({ service, router }: ServingFacts): readonly string[] {
  if (!('problem' in router)) return [];
  return [`${routerWords(router.kind, service)} cannot be asked: ${firstLine(router.problem)}`];
}

/** From another host a request may have no way to the ports: then the container's own word has to do, where it has one. */
function unseenRequests({ service, containers, requests, readiness }: ServingFacts): readonly string[] {
  const unreached = [...requests].filter(([, answer]) => !answer.good && !answer.reached).map(([port]) => port);
  const proven = running(containers).every(
    ({ id, healthCheck }) => healthCheck !== undefined || readiness.get(id)?.reached === true,
  );
  if (unreached.length === 0 || proven) return [];
  return [`port ${unreached.join(', ')} of ${service} cannot be reached from here`];
}

/** @returns the faults as one sentence; what is not known, where nothing is known to be wrong */
export function describeServing(service: string, serving: Serving): string {
  switch (serving.kind) {
    case 'serves':
      return `${service} serves`;
    case 'not-serving':
      return `${service} does not serve: ${serving.faults.map(({ text }) => text).join('; ')}`;
    case 'unknown':
      return `nobody can tell whether ${service} serves: ${serving.why.join('; ')}`;
    case 'not-meant':
      return `${service} is not meant to serve: ${serving.why}`;
  }
}

/** @returns whether it counts as well: it serves, or is not meant to */
export function isServing({ kind }: Serving): boolean {
  return kind === 'serves' || kind === 'not-meant';
}

function routerWords(kind: RouterKind, service: string): string {
  return kind === 'edge' ? `the edge of ${service}` : `router ${kind} of ${service}`;
}

/** With the host's network, another container's or none, it has no ports and no networks of its own. */
function ownsNetworks({ networkMode }: Pick<ServingContainer, 'networkMode'>): boolean {
  return networkMode !== 'host' && networkMode !== 'none' && !networkMode.startsWith('container:');
}

function running<C extends Pick<ServingContainer, 'state'>>(containers: readonly C[]): readonly C[] {
  return containers.filter(({ state }) => state === 'running');
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? '';
}

function fault(kind: ServingFaultKind, text: string): ServingFault {
  return { kind, text };
}
