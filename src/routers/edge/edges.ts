import { setTimeout as sleep } from 'node:timers/promises';
import type { EdgeSpec, EdgeState } from '../../model/edge.js';
import { ProcedureError } from '../../model/errors.js';
import type { Edges } from '../../model/ports/edge.js';
import type { RouteTarget } from '../../model/ports/router.js';
import { parseVersion } from '../haproxy-runtime.js';
import { EMPTY_SETTING } from './config.js';
import {
  edgeContainers,
  readSetting,
  runtimeOf,
  startEdge,
  writeSetting,
  type EdgeContainer,
  type EdgeTools,
} from './containers.js';
import { edgeDocument } from './document.js';
import { HOLD_LUA } from './hold-lua.js';
import { modeOf, requireImage } from './image.js';
import { composeService, LUA_FILE, volumeName, type Of, type Role } from './names.js';
import { countScript, deleteScript, insertScript, onHost, redirectProblem, type Redirection } from './redirect.js';
import { confirmSetting, openEdge } from './router.js';
import { assignSlots } from './slots.js';
import { endGently } from './stopping.js';

const COMPOSE_SERVICE = 'com.docker.compose.service';
const CREATE_MS = 60_000;
/** How long the port may take to be free after its container has stopped. */
const PORT_MS = 10_000;
const POLL_MS = 50;
/** What was accepted before a rule came or went has reached HAProxy by then. */
const UNDER_WAY_MS = 500;
/** What the edge's own connections get when another listens already, and when nobody does. */
const CLOSE_MS = { redirected: 10_000, alone: 1_000 } as const;

/** Installs and removes edges: each step finds out from the engine how far it got. */
export function createEdges(tools: EdgeTools): Edges {
  return {
    find: (project, service) => find(tools, { project, service }),
    version: (project, service) => version(tools, { project, service }),
    requireImage: (project, service, image, signal) => requireImage(tools, { project, service }, image, signal),
    modeOf: (project, { id, service }, port, through) => modeOf(tools, { project, service }, id, port, through),
    install: (spec, targets, signal) => install(tools, spec, targets, signal),
    redirectProblem: (spec) => redirectProblem(tools.own, spec),
    redirect: (project, service) => redirect(tools, { project, service }),
    open: (project, service, signal) => open(tools, { project, service }, signal),
    close: (project, service, signal) => close(tools, { project, service }, signal),
    endRedirect: (project, service) => endRedirect(tools, { project, service }),
    endTakeover: (project, service, drainTimeoutMs, signal) =>
      endTakeover(tools, { project, service }, drainTimeoutMs, signal),
    remove: (project, service) => remove(tools, { project, service }),
  };
}

async function find(tools: EdgeTools, of: Of): Promise<EdgeState | undefined> {
  const containers = await edgeContainers(tools, of);
  const edge = containers.find(({ role }) => role === 'edge');
  const takeover = containers.find(({ role }) => role === 'takeover');
  const either = edge ?? takeover;
  if (either === undefined) return undefined;
  return {
    spec: either.spec,
    open: edge?.running === true,
    takeover: takeover !== undefined,
    // Rules are there only together with what they lead to: looking costs a container on the host's network.
    redirected: takeover !== undefined && (await countRules(tools, of, takeover.spec.image)) > 0,
  };
}

async function version(tools: EdgeTools, of: Of): Promise<string | undefined> {
  const running = (await edgeContainers(tools, of)).find((one) => one.running);
  return running && parseVersion(await runtimeOf(tools, running.id)(['show version']));
}

async function install(
  tools: EdgeTools,
  spec: EdgeSpec,
  targets: readonly RouteTarget[],
  signal: AbortSignal,
): Promise<void> {
  await requireNetworks(tools, spec);
  const edge = await one(tools, spec, 'edge');
  // A running one keeps the ports it has; it is made anew when it is opened next.
  if (edge?.running !== true) await create(tools, spec, 'edge', signal);
  const takeover = await standIn(tools, spec, signal, targets);
  await startEdge(tools, takeover.id, signal);
  await (await openEdge(tools, spec)).apply(targets, signal);
}

/** The take-over container, not started unless it was. */
async function standIn(
  tools: EdgeTools,
  spec: EdgeSpec,
  signal: AbortSignal,
  targets: readonly RouteTarget[] = [],
): Promise<EdgeContainer> {
  const existing = await one(tools, spec, 'takeover');
  if (existing === undefined || !sameSpec(existing.spec, spec)) await create(tools, spec, 'takeover', signal);
  const takeover = await demand(tools, spec, 'takeover');
  await tools.own.putFile(takeover.id, LUA_FILE, Buffer.from(HOLD_LUA));
  const edge = await one(tools, spec, 'edge');
  // Both read the same file. Where one of them runs by it, it is right; what differs now is told to both afterwards.
  if (takeover.running || edge?.running === true) return takeover;
  const wanted = targets.map(({ container, weight }) => ({ container: container.id, weight }));
  const servers = assignSlots(await readSetting(tools, takeover.id), wanted, new Set());
  await writeSetting(tools, takeover, { ...EMPTY_SETTING, servers });
  return takeover;
}

async function redirect(tools: EdgeTools, of: Of): Promise<void> {
  const takeover = await demand(tools, of, 'takeover');
  const { spec, hostPorts } = takeover;
  const redirections = spec.ports.map(({ published, hostIp, target }): Redirection => {
    const to = hostPorts.find(({ container }) => container === target)?.host;
    if (to === undefined) throw notRunning(of, 'take-over container');
    return { published, hostIp, to };
  });
  const { exitCode, output } = await onHost(tools.own, spec.image, of, insertScript(of, redirections));
  if (exitCode === 0 && (await countRules(tools, of, spec.image)) > 0) return;
  await endRedirect(tools, of);
  throw new ProcedureError('E_ROUTER', `The host does not redirect: ${output.trim() || `exit code ${exitCode}`}`, {
    next: 'Look whether iptables works on the host. The rules were taken away again.',
  });
}

async function open(tools: EdgeTools, of: Of, signal: AbortSignal): Promise<void> {
  const takeover = await one(tools, of, 'takeover');
  let edge = await one(tools, of, 'edge');
  const spec = takeover?.spec ?? edge?.spec;
  if (spec === undefined) throw notRunning(of, 'edge');
  if (edge === undefined || (!edge.running && !sameSpec(edge.spec, spec))) {
    await create(tools, spec, 'edge', signal);
    edge = await demand(tools, of, 'edge');
  }
  const endsAt = performance.now() + PORT_MS;
  for (let started = false; !started;) {
    try {
      await startEdge(tools, edge.id, signal);
      started = true;
    } catch (error) {
      if (!isPortTaken(error) || performance.now() > endsAt) throw error;
      await sleep(POLL_MS, undefined, { signal });
    }
  }
  await confirmSetting(tools, await demand(tools, of, 'edge'), signal);
}

async function close(tools: EdgeTools, of: Of, signal: AbortSignal): Promise<void> {
  const edge = await one(tools, of, 'edge');
  if (edge === undefined) return;
  if (!edge.running) return;
  const takeover = await standIn(tools, (await one(tools, of, 'takeover'))?.spec ?? edge.spec, signal);
  await startEdge(tools, takeover.id, signal);
  await confirmSetting(tools, takeover, signal);
  const redirected = (await redirectProblem(tools.own, edge.spec)) === undefined;
  if (redirected) {
    await redirect(tools, of);
    await sleep(UNDER_WAY_MS, undefined, { signal });
  }
  await endGently(tools, edge.id, redirected ? CLOSE_MS.redirected : CLOSE_MS.alone, signal);
}

async function endRedirect(tools: EdgeTools, of: Of): Promise<void> {
  const image = (await edgeContainers(tools, of))[0]?.spec.image;
  // Without a container there is no edge, and rules go before the containers do.
  if (image === undefined) return;
  const { output } = await onHost(tools.own, image, of, deleteScript(of));
  if (Number(output.trim().split('\n').at(-1)) === 0) return;
  throw new ProcedureError('E_ROUTER', `Rules of ${of.service} in iptables cannot be taken away`, {
    next: 'See them with `iptables -t nat -S | grep rolling-restart`, and delete them with -D.',
    excerpt: [{ title: 'iptables', lines: output.trim().split('\n').slice(-20) }],
  });
}

async function endTakeover(tools: EdgeTools, of: Of, drainTimeoutMs: number, signal: AbortSignal): Promise<number> {
  const takeover = await one(tools, of, 'takeover');
  if (takeover === undefined) return 0;
  let cut = 0;
  if (takeover.running) {
    await sleep(UNDER_WAY_MS, undefined, { signal });
    cut = await endGently(tools, takeover.id, drainTimeoutMs, signal);
  }
  await tools.engine.removeContainer(takeover.id);
  return cut;
}

async function remove(tools: EdgeTools, of: Of): Promise<void> {
  const containers = await edgeContainers(tools, of);
  if (containers.some(({ role }) => role === 'takeover')) await endRedirect(tools, of);
  for (const { id } of containers) await tools.engine.removeContainer(id);
  await tools.own.removeVolume(volumeName(of));
}

async function one(tools: EdgeTools, of: Of, role: Role): Promise<EdgeContainer | undefined> {
  return (await edgeContainers(tools, of)).find((container) => container.role === role);
}

async function demand(tools: EdgeTools, of: Of, role: Role): Promise<EdgeContainer> {
  const container = await one(tools, of, role);
  if (container === undefined) throw notRunning(of, role === 'edge' ? 'edge' : 'take-over container');
  return container;
}

async function create(tools: EdgeTools, spec: EdgeSpec, role: Role, signal: AbortSignal): Promise<void> {
  const services = [composeService(spec, role)];
  const existing = await one(tools, spec, role);
  // An earlier version gave it another service: Compose would make a second one beside it.
  if (existing !== undefined && !services.includes(existing.labels[COMPOSE_SERVICE] ?? '')) {
    await tools.engine.removeContainer(existing.id);
  }
  await tools.compose.create({ document: edgeDocument(spec, role), services, signal, timeoutMs: CREATE_MS });
}

async function countRules(tools: EdgeTools, of: Of, image: string): Promise<number> {
  const { output } = await onHost(tools.own, image, of, countScript(of));
  return Number(output.trim().split('\n').at(-1)) || 0;
}

async function requireNetworks(tools: EdgeTools, spec: EdgeSpec): Promise<void> {
  for (const { name } of spec.networks) {
    const network = await tools.own.network(name);
    if (network?.userDefined === true) continue;
    const why = network === undefined ? 'does not exist' : 'has no names: only networks of a project or of yours have';
    throw new ProcedureError('E_ROUTER', `The edge cannot reach ${spec.service}: the network ${name} ${why}`, {
      next: 'Give the service a network of its compose project. Nothing was changed.',
    });
  }
  if (spec.networks.length > 0) return;
  throw new ProcedureError('E_ROUTER', `The edge cannot reach ${spec.service}: it is in no network`, {
    next: 'Give the service a network of its compose project. Nothing was changed.',
  });
}

function isPortTaken(error: unknown): boolean {
  return error instanceof Error && /port is already allocated|address already in use/i.test(error.message);
}

function sameSpec(left: EdgeSpec, right: EdgeSpec): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}

function notRunning({ project, service }: Of, what: string): ProcedureError {
  return new ProcedureError('E_ROUTER', `The ${what} of ${service} in ${project} is not there, or does not run`, {
    next: 'Install it with `router: edge`; a run begins where an earlier one ended.',
  });
}
