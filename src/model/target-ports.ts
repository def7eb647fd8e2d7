import type { PublishedPort } from './service.js';

type Values = Readonly<Record<string, unknown>>;

/** A port as Compose renders it. */
export interface RenderedPort {
  readonly target: number;
  readonly published?: string | number | undefined;
  readonly protocol?: string | undefined;
  readonly host_ip?: string | undefined;
}

export function publishedPort({ target, published, protocol, host_ip: hostIp }: RenderedPort): PublishedPort {
  return {
    target,
    // 0 is how Docker writes that the engine chooses.
    published: published === undefined || Number(published) === 0 ? undefined : String(published),
    protocol: protocol === 'udp' ? 'udp' : (protocol ?? 'tcp') === 'tcp' ? 'tcp' : 'other',
    hostIp,
  };
}

/**
 * Ports that the definition of a service publishes, whether the engine or an edge does that.
 * @param document a rendered project, or one that is reduced to a service; anything else has none
 */
export function publishedPorts(document: Values, service: string): readonly PublishedPort[] {
  const services = (document['services'] ?? {}) as Readonly<Record<string, Values | undefined>>;
  const ports = services[service]?.['ports'];
  if (!Array.isArray(ports)) return [];
  return (ports as readonly Partial<RenderedPort>[]).flatMap(({ target, ...rest }) =>
    typeof target === 'number' ? [publishedPort({ target, ...rest })] : [],
  );
}

/** @returns the TCP ports of its containers that a service publishes */
export function tcpPorts(document: Values, service: string): readonly number[] {
  const targets = publishedPorts(document, service).flatMap(({ target, protocol }) =>
    protocol === 'tcp' ? [target] : [],
  );
  return [...new Set(targets)];
}
