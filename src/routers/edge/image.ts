import { ProcedureError } from '../../model/errors.js';
import type { ObservedContainer } from '../../model/service.js';
import type { EdgePort } from '../../model/edge.js';
import { isNewEnough } from '../haproxy-runtime.js';
import type { EdgeTools } from './containers.js';
import type { Of } from './names.js';

const PULL_MS = 300_000;
const TOOL_MS = 30_000;

/** @throws ProcedureError E_PULL when the image cannot be had; E_ROUTER when it is none for an edge */
export async function requireImage(tools: EdgeTools, of: Of, image: string, signal: AbortSignal): Promise<void> {
  if ((await tools.engine.image(image)) === undefined) {
    await tools.compose.pull(image, () => undefined, signal, PULL_MS);
  }
  const { output } = await tools.own.runTool({
    image,
    command: ['sh', '-c', 'haproxy -v && command -v nc'],
    networkMode: 'none',
    user: '0',
    binds: [],
    capabilities: [],
    helper: { ...of, work: 'image-probe' },
    timeoutMs: TOOL_MS,
    signal,
  });
  const problem = imageProblem(output);
  if (problem === undefined) return;
  throw new ProcedureError('E_ROUTER', `The image ${image} cannot be an edge: ${problem}`, {
    next: 'Set edge-image to the official image, such as haproxy:3.0-alpine, or to one with HAProxy 3.0 or newer, sh and nc. Nothing was changed.',
  });
}

/** @param output of `haproxy -v` and `command -v nc` @returns what is missing in the image */
export function imageProblem(output: string): string | undefined {
  const version = /HAProxy version (\d+\.\d+(?:\.\d+)?)/i.exec(output)?.[1];
  if (version === undefined) return 'it has no HAProxy';
  if (!isNewEnough(version)) return `it has HAProxy ${version}, and 3.0 or newer is needed`;
  // A busybox that prefers its own applets names them without a path.
  return /^(?:\S*\/)?nc$/m.test(output.trim()) ? undefined : 'it has no nc';
}

/**
 * Asks a port as a client would, from inside the container's own network, so that no route to it is needed.
 * @returns `http` when it answers HTTP/1, else `tcp`: TLS, HTTP/2 alone, anything else, nothing
 */
export async function modeOf(
  { own }: EdgeTools,
  of: Of,
  container: ObservedContainer['id'],
  port: number,
  image: string,
): Promise<EdgePort['mode']> {
  const request = 'GET / HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n';
  const { output } = await own.runTool({
    image,
    command: ['sh', '-c', `{ printf '${request}'; sleep 2; } | nc -w 2 127.0.0.1 ${port}`],
    networkMode: `container:${container}`,
    user: '0',
    binds: [],
    capabilities: [],
    helper: { ...of, work: 'image-probe' },
    timeoutMs: TOOL_MS,
  });
  return answersHttp(output) ? 'http' : 'tcp';
}

/** A TLS server that is spoken to in HTTP may say so in HTTP (nginx, Go). */
export function answersHttp(output: string): boolean {
  return /^HTTP\/1\.[01] \d{3}/.test(output) && !/\bHTTPS (?:server|port)\b/i.test(output);
}
