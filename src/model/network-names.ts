/** Names that a container answers to on a network besides its own, by the engine's name of the network. */
export type NetworkNames = Readonly<Record<string, readonly string[]>>;

type Values = Readonly<Record<string, unknown>>;

/**
 * The networks of a service, and the names that Compose gives its containers there: the service's and its `aliases:`.
 * Empty for a service that shares a namespace (`network_mode`).
 * @param document a rendered project, or one that is reduced to a service
 */
export function networkNames(document: Values, service: string): NetworkNames {
  const services = (document['services'] ?? {}) as Readonly<Record<string, Values>>;
  const networks = (document['networks'] ?? {}) as Readonly<Record<string, Values | null>>;
  const own = (services[service]?.['networks'] ?? {}) as Readonly<Record<string, Values | null>>;
  return Object.fromEntries(
    Object.entries(own).map(([key, settings]) => {
      const aliases = (settings?.['aliases'] ?? []) as readonly string[];
      const name = networks[key]?.['name'];
      return [typeof name === 'string' ? name : `${String(document['name'])}_${key}`, [service, ...aliases]];
    }),
  );
}

/** @returns the same networks, with no names on them */
export function withoutNames(names: NetworkNames): NetworkNames {
  return Object.fromEntries(Object.keys(names).map((network) => [network, []]));
}
