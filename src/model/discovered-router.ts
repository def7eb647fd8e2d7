import { DEFAULT_DISCOVERY, type RouterSpec } from './router.js';
import type { ServiceDefinition } from './service.js';

/**
 * Recognises that a proxy which follows Docker is meant to send requests to the service, by the words that Traefik,
 * caddy-docker-proxy and nginx-proxy are told with.
 */
export function discoveredRouter({ raw, environment }: ServiceDefinition): RouterSpec | undefined {
  const labels = Object.entries((raw['labels'] ?? {}) as Readonly<Record<string, unknown>>);
  const traefik = labels.some(
    ([name, value]) => (name === 'traefik.enable' && String(value) === 'true') || /^traefik\.(http|tcp)\./.test(name),
  );
  const disabled = labels.some(([name, value]) => name === 'traefik.enable' && String(value) === 'false');
  const caddy = labels.some(([name]) => /^caddy(_\d+)?$/.test(name));
  if ((traefik && !disabled) || caddy || environment['VIRTUAL_HOST'] != null) {
    return DEFAULT_DISCOVERY;
  }
  return undefined;
}
