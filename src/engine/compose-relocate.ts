type Values = Readonly<Record<string, unknown>>;

/**
 * Writes every path below `from` as the path below `to`, except in the build sections of services.
 * @see ComposeTarget.relocate
 */
export function relocateDocument(document: Values, from: string, to: string): Values {
  const move = (value: unknown): unknown => {
    if (typeof value === 'string') {
      return value === from || value.startsWith(`${from}/`) ? to + value.slice(from.length) : value;
    }
    if (Array.isArray(value)) return value.map(move);
    return isValues(value) ? mapValues(value, move) : value;
  };
  // Only a service's own `build:`: a service or a variable may have that name too.
  const moveService = (service: unknown): unknown => {
    if (!isValues(service)) return service;
    const { build, ...rest } = service;
    return { ...mapValues(rest, move), ...(build === undefined ? {} : { build }) };
  };
  const { services, ...rest } = document;
  return { ...mapValues(rest, move), ...(isValues(services) ? { services: mapValues(services, moveService) } : {}) };
}

function mapValues(values: Values, map: (value: unknown) => unknown): Values {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, map(value)]));
}

function isValues(value: unknown): value is Values {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}
