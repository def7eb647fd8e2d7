import type { Document } from './compose-render.js';

type Values = Readonly<Record<string, unknown>>;

function serviceOf(document: Document, name: string): Values {
  const services = (document['services'] ?? {}) as Readonly<Record<string, Values | undefined>>;
  return services[name] ?? {};
}

/** @returns services that the service waits for, directly or through others */
export function dependenciesOf(document: Document, service: string): readonly string[] {
  const found = new Set<string>();
  const visit = (name: string): void => {
    for (const other of Object.keys(serviceOf(document, name)['depends_on'] ?? {})) {
      if (found.has(other)) continue;
      found.add(other);
      visit(other);
    }
  };
  visit(service);
  return [...found];
}

/** @returns the name of the image that Compose runs for the service */
export function imageNameOf(document: Document, service: string): string {
  const { image } = serviceOf(document, service);
  return typeof image === 'string' ? image : `${String(document['name'])}-${service}`;
}

/** @returns how many containers the document gives the service */
export function replicasOf(document: Document, service: string): number {
  const { deploy, scale } = serviceOf(document, service);
  const replicas = (deploy as Values | null | undefined)?.['replicas'] ?? scale;
  return typeof replicas === 'number' ? replicas : 1;
}
