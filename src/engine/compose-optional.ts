type Values = Readonly<Record<string, unknown>>;
type Document = Values;

/** @returns whether a service depends, optionally (`required: false`), on one that is not enabled for sure */
export function dependsOnProfiles(document: Document): boolean {
  const services = servicesOf(document);
  return Object.values(services).some((service) =>
    optionalOf(service).some((other) => {
      const { profiles } = services[other] ?? {};
      return Array.isArray(profiles) && profiles.length > 0;
    }),
  );
}

/**
 * Compose ignores an optional dependency on a service whose profile is off, before it computes its hash, and refuses a
 * document that still names it without the service (measured on 2.26.1).
 * @param enabled services of profiles that are on, and those without a profile
 */
export function withoutDisabled(document: Document, enabled: ReadonlySet<string>): Document {
  const services = Object.entries(servicesOf(document)).map(([name, service]) => {
    const off = new Set(optionalOf(service).filter((other) => !enabled.has(other)));
    if (off.size === 0) return [name, service] as const;
    const { depends_on: all, ...rest } = service;
    const left = Object.entries((all ?? {}) as Values).filter(([other]) => !off.has(other));
    return [name, left.length === 0 ? rest : { ...rest, depends_on: Object.fromEntries(left) }] as const;
  });
  return services.length === 0 ? document : { ...document, services: Object.fromEntries(services) };
}

function optionalOf(service: Values): readonly string[] {
  const all = (service['depends_on'] ?? {}) as Readonly<Record<string, Values | null>>;
  return Object.entries(all).flatMap(([name, dependency]) => (dependency?.['required'] === false ? [name] : []));
}

function servicesOf(document: Document): Readonly<Record<string, Values>> {
  return (document['services'] ?? {}) as Readonly<Record<string, Values>>;
}
