import type { RouterSpec } from '../model/router.js';
import type { ServiceDefinition } from '../model/service.js';

/** Proxies that follow Docker's events do so within a second; those that ask every so often, within a few. */
const SETTLE_MS = 5_000;

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
    return { kind: 'discovery', settleMs: SETTLE_MS, drainCommand: undefined };
  }
  return undefined;
}
