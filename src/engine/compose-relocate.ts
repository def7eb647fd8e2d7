import type { Relocation } from '../model/ports/engine.js';

type Values = Readonly<Record<string, unknown>>;

/**
 * Writes every path below a `from` as the path below its `to`, except in the build sections of services.
 * @see ComposeTarget.relocate
 */
export function relocateDocument(document: Values, pairs: readonly Relocation[]): Values {
  const move = (value: unknown): unknown => {
    if (typeof value === 'string') {
      const pair = pairs.find(({ from }) => value === from || value.startsWith(`${from}/`));
      return pair === undefined ? value : pair.to + value.slice(pair.from.length);
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
