import { EDGE_LABEL } from '../../model/own-names.js';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EdgeSpec } from '../../model/edge.js';
import { ProcedureError } from '../../model/errors.js';
import type { Compose, Engine } from '../../model/ports/engine.js';
import type { OwnContainer, OwnContainers } from '../../model/ports/own-containers.js';
import { inLines, parseServersConn, type RuntimeTransport } from '../haproxy-runtime.js';
import { EMPTY_SETTING, parseSetting, renderConfig, type EdgeSetting } from './config.js';
import { CONFIG_FILE, labelsOf, RUNTIME_PORT, SPEC_LABEL, type Of, type Role } from './names.js';

/** What an edge is worked with; built in `wiring.ts`. */
export interface EdgeTools {
  readonly engine: Pick<
    Engine,
    'exec' | 'container' | 'image' | 'killContainer' | 'logs' | 'removeContainer' | 'startContainer' | 'stopContainer'
  >;
  readonly own: OwnContainers;
  readonly compose: Pick<Compose, 'create' | 'pull'>;
}

/** One of the two containers that an edge can have. */
export interface EdgeContainer extends OwnContainer {
  readonly role: Role;
  readonly spec: EdgeSpec;
}

/** A new file until it takes the old one's place. */
const BESIDE = `${CONFIG_FILE}.new`;
/** Exit code for a file that HAProxy does not take: none that a shell or nc ends with. */
const REFUSED = 93;
const EXEC_MS = 15_000;
const ANSWER_MS = 15_000;
const POLL_MS = 50;
/** 128 servers with a hundred columns each. */
const OUTPUT_LIMIT = 4 * 1024 * 1024;

/** The containers of a service's edge, the one with the published ports first. */
export async function edgeContainers({ own }: EdgeTools, of: Of): Promise<readonly EdgeContainer[]> {
  const found = await own.findByLabels(labelsOf(of));
  return found
    .flatMap((container) => {
      const role = container.labels[EDGE_LABEL];
      const spec = container.labels[SPEC_LABEL];
      if ((role !== 'edge' && role !== 'takeover') || spec === undefined) return [];
      return [{ ...container, role, spec: JSON.parse(spec) as EdgeSpec } satisfies EdgeContainer];
    })
    .sort((one, other) => (one.role === other.role ? 0 : one.role === 'edge' ? -1 : 1));
}

/**
 * The Runtime API of an edge, from inside its container: it listens only there, and whoever reaches the engine reaches it,
 * also from a container or from afar.
 */
export function runtimeOf(tools: Pick<EdgeTools, 'engine'>, container: string): RuntimeTransport {
  return (commands) => ask(tools, container, ASK, commands);
}

const ASK = `for line in "$@"; do printf '%s\\n' "$line" | nc 127.0.0.1 ${RUNTIME_PORT} || exit 1; done`;

async function ask(
  { engine }: Pick<EdgeTools, 'engine'>,
  container: string,
  script: string,
  commands: readonly string[],
  user?: string,
): Promise<string> {
  const { exitCode, output } = await engine.exec(container, ['sh', '-c', script, 'sh', ...inLines(commands)], {
    timeoutMs: EXEC_MS,
    outputLimit: OUTPUT_LIMIT,
    ...(user === undefined ? {} : { user }),
  });
  if (exitCode === 0) return output;
  if (exitCode === REFUSED) throw refused(output);
  throw new ProcedureError('E_ROUTER', `The edge does not answer: ${output.trim() || `exit code ${exitCode}`}`, {
    next: 'Look at its log: docker logs, with the container that docker ps shows for rolling-restart-edge.',
  });
}

/** What the edge's file says; nothing at all where there is none. */
export async function readSetting({ own }: EdgeTools, container: string): Promise<EdgeSetting> {
  const file = await own.readFile(container, CONFIG_FILE);
  return (file && parseSetting(file.toString('utf8'))) ?? EMPTY_SETTING;
}

/**
 * Writes the edge's file. One that HAProxy refuses never takes its place: it is written beside, checked by the HAProxy that
 * will read it, then renamed.
 * @throws ProcedureError E_ROUTER with HAProxy's words when it refuses the file, and nothing is changed
 */
export async function writeSetting(tools: EdgeTools, container: EdgeContainer, setting: EdgeSetting): Promise<void> {
  await writeConfig(tools, container, await configOf(tools, container, setting));
}

async function configOf(tools: EdgeTools, { spec }: EdgeContainer, setting: EdgeSetting): Promise<string> {
  const networks = await Promise.all(spec.networks.map(({ name }) => tools.own.network(name)));
  return renderConfig(spec, setting, { ipv6: networks.some((network) => network?.ipv6 === true) });
}

export async function writeConfig(
  { engine, own }: EdgeTools,
  container: Pick<EdgeContainer, 'id' | 'running'>,
  config: string,
): Promise<void> {
  const content = Buffer.from(config);
  // The HAProxy of a container that does not run cannot be asked; it reads the file at its start, and `start` looks.
  if (!container.running) return own.putFile(container.id, CONFIG_FILE, content);
  await own.putFile(container.id, BESIDE, content);
  const script = `haproxy -c -f ${BESIDE} && mv ${BESIDE} ${CONFIG_FILE}`;
  const { exitCode, output } = await engine.exec(container.id, ['sh', '-c', script], { timeoutMs: EXEC_MS, user: '0' });
  if (exitCode !== 0) throw refused(output);
}

function refused(output: string): ProcedureError {
  return new ProcedureError('E_ROUTER', 'HAProxy refuses the configuration of the edge; it goes on with the old one', {
    next: 'Please report this with the lines below, and with the version of HAProxy in the edge’s image.',
    excerpt: [{ title: 'haproxy -c', lines: output.trim().split('\n').slice(-20) }],
  });
}

/**
 * File and commands in one go: each start of a program in a container costs 70 ms (measured).
 * @param options.checked HAProxy says first whether it would take the file
 * @returns what HAProxy answers to the commands
 * @throws ProcedureError E_ROUTER with HAProxy's words when it refuses the file, and nothing is changed
 */
export async function writeAndOrder(
  tools: EdgeTools,
  options: {
    readonly container: EdgeContainer;
    readonly setting: EdgeSetting;
    readonly commands: readonly string[];
    readonly checked: boolean;
  },
): Promise<string> {
  const { container, setting, commands, checked } = options;
  await tools.own.putFile(container.id, BESIDE, Buffer.from(await configOf(tools, container, setting)));
  const check = checked ? `haproxy -c -f ${BESIDE} || exit ${REFUSED}; ` : '';
  return ask(tools, container.id, `${check}mv ${BESIDE} ${CONFIG_FILE} && ${ASK}`, commands, '0');
}

/** Starts a container of the edge, and waits until its HAProxy answers. */
export async function startEdge(tools: EdgeTools, container: string, signal: AbortSignal): Promise<void> {
  await tools.engine.startContainer(container);
  const ask = runtimeOf(tools, container);
  const endsAt = performance.now() + ANSWER_MS;
  for (;;) {
    signal.throwIfAborted();
    try {
      await ask(['show version']);
      return;
    } catch (error) {
      if (performance.now() > endsAt || !(await isRunning(tools, container)))
        throw await notStarted(tools, container, error);
    }
    await sleep(POLL_MS, undefined, { signal });
  }
}

async function isRunning({ engine }: EdgeTools, container: string): Promise<boolean> {
  return (await engine.container(container))?.state === 'running';
}

async function notStarted({ engine }: EdgeTools, container: string, cause: unknown): Promise<ProcedureError> {
  const chunks: Buffer[] = [];
  for await (const chunk of await engine.logs(container, { tail: 20 })) chunks.push(chunk as Buffer);
  const lines = Buffer.concat(chunks).toString('utf8').trim().split('\n');
  return new ProcedureError('E_ROUTER', 'The edge did not start', {
    next: 'Its last lines are below. Nothing of the service was touched by it.',
    cause,
    excerpt: [{ title: 'edge', lines }],
  });
}

/** @returns requests and connections in flight at all servers; 0 when HAProxy says nothing any more */
export async function connectionsIn(ask: RuntimeTransport): Promise<number> {
  try {
    return parseServersConn(await ask(['show servers conn'])).reduce((sum, { used }) => sum + used, 0);
  } catch (error) {
    if (error instanceof ProcedureError && (error.code === 'E_ROUTER' || error.code === 'E_ENGINE')) return 0;
    throw error;
  }
}
