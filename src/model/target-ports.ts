type Values = Readonly<Record<string, unknown>>;

/**
 * TCP ports of the containers of a service that its definition publishes, whether the engine or an edge does that.
 * @param document a rendered project, or one that is reduced to a service; anything else has none
 */
export function tcpPorts(document: Values, service: string): readonly number[] {
  const services = (document['services'] ?? {}) as Readonly<Record<string, Values | undefined>>;
  const ports = services[service]?.['ports'];
  if (!Array.isArray(ports)) return [];
  const targets = (ports as readonly Values[]).flatMap(({ target, protocol }) =>
    typeof target === 'number' && (protocol ?? 'tcp') === 'tcp' ? [target] : [],
  );
  return [...new Set(targets)];
}
