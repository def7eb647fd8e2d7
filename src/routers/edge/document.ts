import { EDGE_LABEL } from '../../model/own-names.js';
import type { EdgeSpec } from '../../model/edge.js';
import {
  composeService,
  CONFIG_FILE,
  containerName,
  edgeProject,
  FOLDER,
  labelsOf,
  MASTER_PORT,
  SPEC_LABEL,
  volumeName,
  type Role,
} from './names.js';

/**
 * The compose project of an edge, with one of its two containers, as Compose reads it.
 *
 * Its containers carry everything that says what they are, so that nothing on a disk is needed to find or change them.
 */
export function edgeDocument(spec: EdgeSpec, role: Role): Readonly<Record<string, unknown>> {
  const networks = spec.networks.map((network, index) => ({ key: `n${index}`, ...network }));
  const named = (names: readonly string[]): object => (names.length === 0 ? {} : { aliases: names });
  const document = {
    name: edgeProject(spec),
    services: {
      [composeService(spec, role)]: {
        image: spec.image,
        container_name: containerName(spec, role),
        // The official image's entrypoint is a script that adds -W and -db by itself.
        entrypoint: ['haproxy', '-W', '-db', '-S', `127.0.0.1:${MASTER_PORT}`, '-f', CONFIG_FILE],
        command: [],
        // What stands in for some seconds is not to come back after a restart of the engine.
        // `unless-stopped` stays down after a dockerd that was killed: on its next start it stops what still runs, and takes
        // that for a person's stop (seen with Engine 26.1.5).
        restart: role === 'edge' ? 'always' : 'no',
        // HAProxy ends at once at SIGTERM; at SIGUSR1 it takes no more connections and finishes those it has.
        stop_signal: 'SIGUSR1',
        stop_grace_period: '10s',
        cap_drop: ['ALL'],
        security_opt: ['no-new-privileges:true'],
        labels: { ...labelsOf(spec), [EDGE_LABEL]: role, [SPEC_LABEL]: JSON.stringify(spec) },
        ports: role === 'edge' ? publishedPorts(spec) : otherPorts(spec),
        volumes: [{ type: 'volume', source: 'configuration', target: FOLDER }],
        // The service's name leads to both: while ports change hands, a caller inside that finds one address refused has
        // another to try.
        networks: Object.fromEntries(networks.map(({ key, aliases }) => [key, named([spec.service, ...aliases])])),
      },
    },
    networks: Object.fromEntries(networks.map(({ key, name }) => [key, { name, external: true }])),
    volumes: { configuration: { name: volumeName(spec), labels: labelsOf(spec) } },
  };
  return escapeDollars(document) as Readonly<Record<string, unknown>>;
}

/** @returns whether only programs on the host itself reach the published ports */
export function loopbackOnly(spec: EdgeSpec): boolean {
  return spec.ports.every(({ hostIp }) => hostIp !== undefined && /^(127\.|::1$)/.test(hostIp));
}

function publishedPorts(spec: EdgeSpec): readonly object[] {
  return spec.ports.map(({ target, published, hostIp }) => ({
    mode: 'ingress',
    protocol: 'tcp',
    target,
    published,
    ...(hostIp === undefined ? {} : { host_ip: hostIp }),
  }));
}

/** Ports that the engine chooses: what is redirected arrives there. */
function otherPorts(spec: EdgeSpec): readonly object[] {
  return [...new Set(spec.ports.map(({ target }) => target))].map((target) => ({
    mode: 'ingress',
    protocol: 'tcp',
    target,
    ...(loopbackOnly(spec) ? { host_ip: '127.0.0.1' } : {}),
  }));
}

/** Compose puts variables in where it sees a dollar. */
function escapeDollars(value: unknown): unknown {
  if (typeof value === 'string') return value.replaceAll('$', '$$$$');
  if (Array.isArray(value)) return value.map(escapeDollars);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, escapeDollars(one)]));
}
