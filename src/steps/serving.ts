import { asProcedureError, ProcedureError } from '../model/errors.js';
import { lifetimeOf, restOf, restWords } from '../model/job.js';
import { networkNames } from '../model/network-names.js';
import type { Decision } from '../model/plan.js';
import type { Locks } from '../model/ports/ledger.js';
import type { ProbeAnswer } from '../model/ports/probe.js';
import { liveRelease } from '../model/release.js';
import { NO_POLICY, policyOf } from '../model/project-policy.js';
import type { RouterSpec } from '../model/router.js';
import { hasActiveProfile, type ObservedContainer } from '../model/service.js';
import {
  describeServing,
  isServing,
  judgeJob,
  judgeServing,
  mayPass,
  type Serving,
  type ServingRouter,
} from '../model/serving.js';
import { publishedPorts, tcpPorts } from '../model/target-ports.js';
import { isAnswer, waysTo, type Way } from '../model/ways.js';
import { withServing } from '../strategies/decide.js';
import type { Current } from './candidate.js';
import { observe } from './observe.js';
import { addressOf } from './probes/address.js';
import { probesFor } from './probes/probes-for.js';
import { readinessTimeout } from './readiness.js';
import type { OpenProject, Viewing } from './session.js';
import { describeStop, isStopped } from './stopped.js';
import { placedRouter } from './traffic-facts.js';

/** What is needed to look whether a service serves; nothing is changed with it. */
export type Looking = Pick<
  Viewing,
  'clock' | 'engine' | 'edges' | 'routers' | 'probes' | 'redactor' | 'request' | 'ledger' | 'project'
> & {
  /** Undefined when the compose files cannot be read. */
  readonly opened: OpenProject | undefined;
};

export interface ServingOptions {
  /** How long after its start a container may take to be ready, in milliseconds; no longer is waited for it. */
  readonly readyMs: number;
  readonly signal: AbortSignal;
}

/** One question to a port or a container. */
const QUESTION_MS = 5_000;
const PAUSE_MS = 300;
/** What a router has not seen yet, and a connection that is lost, pass within this; a person waits for it. */
const GLANCE_MS = 3_000;

/**
 * Whether a service serves: every container that is wanted runs and is ready, on its networks; somebody has each port that
 * it publishes; its router sends requests to every container; and a request that is sent that way gets an answer.
 * @param current what was seen of it; its containers are looked at again
 */
export async function servingOf(
  looking: Looking,
  service: string,
  current: Pick<Current, 'containers' | 'history' | 'release'>,
  { readyMs, signal }: ServingOptions,
): Promise<Serving> {
  const meant = await meantToServe(looking, service, current);
  if (meant.kind !== 'meant') return meant;
  const soon = looking.clock.monotonic() + GLANCE_MS;
  for (;;) {
    const { serving, youngestMs } = await lookOnce(looking, service, meant, signal);
    const passes = mayPass(serving);
    const waits = looking.clock.monotonic() < soon || (passes === 'when-ready' && youngestMs < readyMs);
    if (isServing(serving) || passes === 'no' || !waits) return serving;
    await looking.clock.sleep(PAUSE_MS, signal);
  }
}

/** @returns whether a service serves, after the time that it may take to be ready */
export async function servingAfter(viewing: Viewing, service: string, signal: AbortSignal): Promise<Serving> {
  const current = await observe(viewing.engine, viewing, viewing.project, service);
  const readyMs = readinessTimeout(current.containers[0]?.healthCheck, viewing.request.readinessTimeoutMs);
  return servingOf(viewing, service, current, { readyMs, signal });
}

/** @param failure of the last try to repair it */
export function notServing(service: string, serving: Serving, failure?: ProcedureError): ProcedureError {
  return new ProcedureError('E_VERIFICATION', describeServing(service, serving), {
    next: `${failure === undefined ? '' : `Repairing it failed: ${failure.message}. ${failure.next} `}Look at procedure check and the log of ${service}; remove the cause.`,
    cause: failure,
    excerpt: failure?.excerpt ?? [],
  });
}

/**
 * A service that is as it is wanted, and does not serve, is changed: that repairs it, or says why it cannot.
 * @throws ProcedureError E_VERIFICATION when nobody can tell
 */
export async function unlessBroken(
  viewing: Viewing,
  service: string,
  decision: Decision,
  current: Current,
): Promise<Decision> {
  if (decision.kind !== 'unchanged') return decision;
  const readyMs = readinessTimeout(current.containers[0]?.healthCheck, viewing.request.readinessTimeoutMs);
  const serving = await servingOf(viewing, service, current, { readyMs, signal: viewing.signal });
  if (serving.kind !== 'unknown') return withServing(decision, serving);
  throw new ProcedureError('E_VERIFICATION', describeServing(service, serving), {
    next: 'Repair what cannot be asked, then run this again. Nothing was changed.',
  });
}

/** @returns who changes the project now: what a run is in the middle of is not judged; undefined when nobody does */
export async function workUnderWay(locks: Pick<Locks, 'holder'>): Promise<string | undefined> {
  const holder = await locks.holder();
  if (holder === undefined || holder.alive === false) return undefined;
  return `${holder.procedure} by ${holder.actor} is under way`;
}

/** What its definition says, reduced to the service or not. */
interface Meant {
  readonly kind: 'meant';
  readonly document: Readonly<Record<string, unknown>>;
  readonly replicas: number;
}

async function meantToServe(
  { opened, ledger }: Looking,
  service: string,
  current: Pick<Current, 'containers' | 'history' | 'release'>,
): Promise<Meant | Serving> {
  const stop = isStopped(current);
  if (stop !== undefined) return { kind: 'not-meant', why: `it is ${describeStop(stop)}` };
  const lifetime = opened === undefined ? 'stays' : lifetimeOf(opened.live, service);
  const rest = restOf(lifetime, current);
  if (rest !== undefined) return { kind: 'not-meant', why: `it ${restWords(rest)}` };
  if (lifetime === 'ends') return judgeJob(lifetime, current);
  const definition = opened?.live.services[service];
  if (current.containers.length === 0 && opened !== undefined) {
    if (definition === undefined) return { kind: 'not-meant', why: 'the compose files do not have it' };
    if (!hasActiveProfile(definition, opened.place.profiles)) return { kind: 'not-meant', why: 'its profile is off' };
  }
  const { release } = current;
  // What runs may be of other files than those that lie there now.
  const kept = release === undefined ? undefined : await ledger.definition(release.id);
  const document = kept?.definition ?? opened?.live.document ?? {};
  const replicas = release?.replicas ?? definition?.replicas ?? 1;
  if (replicas === 0) return { kind: 'not-meant', why: 'it has no replicas' };
  if (current.containers.length === 0 && liveRelease(current.history) === undefined) {
    return { kind: 'not-meant', why: 'it was never deployed' };
  }
  return { kind: 'meant', document, replicas };
}

async function lookOnce(
  looking: Looking,
  service: string,
  { document, replicas }: Meant,
  signal: AbortSignal,
): Promise<{ readonly serving: Serving; readonly youngestMs: number }> {
  const { engine, edges, project, opened, request } = looking;
  const [containers, edge] = await Promise.all([engine.containers(project, service), edges.find(project, service)]);
  const policy = policyOf(opened?.live.policy ?? NO_POLICY, service);
  const readiness = request.readiness ?? policy.readiness;
  const ports = publishedPorts(document, service).filter((port) => isFixed(port));
  const running = containers.filter(({ state }) => state === 'running');
  const byEdge = edge !== undefined && (edge.open || edge.takeover);
  const ways = waysTo(ports, readiness, running[0]?.healthCheck, byEdge ? edge.spec.ports : []);
  const [ready, router, requests] = await Promise.all([
    askContainers(looking, running, tcpPorts(document, service), signal),
    askRouter(looking, service, placedRouter(byEdge, policy, request.router)),
    running.length === 0 ? [] : askWays(looking, ways, running, signal),
  ]);
  const serving = judgeServing({
    service,
    replicas,
    containers,
    readiness: new Map(ready),
    ports,
    networks: Object.keys(networkNames(document, service)),
    edge,
    router,
    requests: new Map(requests),
  });
  const youngestMs = Math.min(...containers.map(({ startedAt }) => looking.clock.now() - Date.parse(startedAt)));
  return { serving, youngestMs };
}

function isFixed({
  published,
  protocol,
}: {
  readonly published: string | undefined;
  readonly protocol: string;
}): boolean {
  return protocol === 'tcp' && published !== undefined;
}

async function askContainers(
  looking: Looking,
  running: readonly ObservedContainer[],
  published: readonly number[],
  signal: AbortSignal,
): Promise<readonly (readonly [string, ProbeAnswer])[]> {
  const { request, opened } = looking;
  return Promise.all(
    running.map(async (container) => {
      const { readiness } = policyOf(opened?.live.policy ?? NO_POLICY, container.service);
      let last: ProbeAnswer = { good: true, reached: false, said: 'not asked' };
      for (const probe of probesFor(looking, container, request.readiness ?? readiness, published)) {
        last = await probe.ask(container, QUESTION_MS, signal);
        if (!last.good) break;
      }
      return [container.id, last] as const;
    }),
  );
}

async function askRouter({ routers, project }: Looking, service: string, spec: RouterSpec): Promise<ServingRouter> {
  const { kind } = spec;
  if (kind === 'none') return { kind, serving: undefined };
  try {
    const router = await routers.open(spec, { project, service });
    return { kind, serving: await router.serving() };
  } catch (error) {
    return { kind, problem: asProcedureError(error).message };
  }
}

async function askWays(
  looking: Looking,
  ways: readonly Way[],
  running: readonly ObservedContainer[],
  signal: AbortSignal,
): Promise<readonly (readonly [string, ProbeAnswer])[]> {
  if (ways.length === 0) return [];
  const { here } = looking.opened?.facts ?? (await looking.engine.facts());
  return Promise.all(
    ways.map(async (way) => {
      const asked = await askWay(looking, way, signal);
      const answer = asked.good || !(await isUnused(looking, way, running, signal)) ? asked : UNUSED;
      // From another host, a port that cannot be reached says nothing of the service.
      return [way.published, here || answer.good ? answer : { ...answer, reached: false }] as const;
    }),
  );
}

const UNUSED: ProbeAnswer = { good: true, reached: true, said: 'nothing listens there in its containers' };

/** Files publish ports that nothing listens on (443 of a server without a certificate): that is not the way's fault. */
async function isUnused(
  { engine, probes }: Looking,
  { target, http }: Way,
  running: readonly ObservedContainer[],
  signal: AbortSignal,
): Promise<boolean> {
  if (http !== undefined) return false;
  const answers = await Promise.all(
    running.map(async (container) => {
      const address = await addressOf(engine, container);
      return address === undefined
        ? undefined
        : probes.tcp({ address, port: target }, { timeoutMs: QUESTION_MS, signal });
    }),
  );
  return answers.every((answer) => answer?.reached === true && !answer.good);
}

/** A connection that is accepted may come from the engine alone: where it is known to be HTTP, an answer is asked for. */
async function askWay({ probes, redactor }: Looking, way: Way, signal: AbortSignal): Promise<ProbeAnswer> {
  const { address, port, http } = way;
  const options = { timeoutMs: QUESTION_MS, signal };
  if (http === undefined) return probes.tcp({ address, port }, options);
  const answer = await probes.http({ address, port, ...http }, options);
  return { ...answer, good: answer.good || isAnswer(answer.said), said: redactor.text(answer.said) };
}
