import type { EdgePort } from './edge.js';
import type { ReadinessSignal } from './readiness.js';
import type { HealthCheck, PublishedPort } from './service.js';

/** How a request gets to a service from outside: a port of the host, and what is asked for there. */
export interface Way {
  /** As it is written: `8080`. */
  readonly published: string;
  readonly address: string;
  readonly port: number;
  /** Port of the containers that it leads to. */
  readonly target: number;
  /** Undefined: only whether a connection is accepted. */
  readonly http: { readonly tls: boolean; readonly path: string } | undefined;
}

/**
 * @param readiness what says that the service is ready, besides its health check
 * @returns one way for each TCP port that a service publishes under a fixed number
 */
export function waysTo(
  ports: readonly PublishedPort[],
  readiness: ReadinessSignal | undefined,
  healthCheck: HealthCheck | undefined,
  edge: readonly Pick<EdgePort, 'target' | 'mode'>[],
): readonly Way[] {
  const asked = [readiness?.kind === 'http' ? readiness : undefined, healthUrl(healthCheck)];
  return ports.flatMap(({ target, published, protocol, hostIp }) => {
    if (protocol !== 'tcp' || published === undefined || !/^\d+$/.test(published)) return [];
    const known = asked.find((one) => one?.port === target);
    const byEdge = edge.some((port) => port.target === target && port.mode === 'http');
    const http = known ?? (byEdge ? { tls: false, path: '/' } : undefined);
    return [
      {
        published,
        address: isAnywhere(hostIp) ? '127.0.0.1' : hostIp,
        port: Number(published),
        target,
        http: http && { tls: http.tls, path: http.path },
      },
    ];
  });
}

/** Answers of a router that has nobody to send to. What else is answered comes from the service. */
const NOBODY = /^HTTP 50[234]\b/;

/** @returns whether what was said is an answer of the service: also one that it refuses the path with */
export function isAnswer(said: string): boolean {
  return /^HTTP \d{3}\b/.test(said) && !NOBODY.test(said);
}

interface HealthUrl {
  readonly tls: boolean;
  readonly port: number;
  readonly path: string;
}

/** What a health check of the usual form (`wget`, `curl`) asks for inside the container. */
function healthUrl(check: HealthCheck | undefined): HealthUrl | undefined {
  const found =
    /\b(https?):\/\/(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\])(?::(\d+))?(\/[^\s'"`|;&)\\$]*)?(\S?)/.exec(
      check?.test.join(' ') ?? '',
    );
  if (found === null) return undefined;
  const [, scheme = 'http', port, path = '/', after] = found;
  // A path with a variable of the shell in it is known only in the container.
  if (after === '$') return undefined;
  const tls = scheme === 'https';
  return { tls, port: port === undefined ? (tls ? 443 : 80) : Number(port), path };
}

function isAnywhere(hostIp: string | undefined): hostIp is undefined | '' {
  return hostIp === undefined || hostIp === '' || hostIp === '0.0.0.0' || hostIp === '::';
}
