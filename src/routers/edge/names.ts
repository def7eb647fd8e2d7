import { createHash } from 'node:crypto';
import { EDGE_PROJECT_PREFIX, PROJECT_LABEL, SERVICE_LABEL } from '../../model/own-names.js';

/** What everything of an edge is called on the engine, and found by. */

/** EdgeSpec as JSON: the engine is where an edge is described, so that any runner finds it. */
export const SPEC_LABEL = 'rolling-restart.edge-spec';

/** `edge` has the published ports; `takeover` stands in for it, on other ports, while they change hands. */
export type Role = 'edge' | 'takeover';

export interface Of {
  readonly project: string;
  readonly service: string;
}

/**
 * The compose project of an edge. Compose allows lower-case letters, digits, `-` and `_` in a project's name, and more in
 * a service's: what does not fit is replaced, and told apart by a hash.
 */
export function edgeProject({ project, service }: Of): string {
  const plain = service.toLowerCase().replace(/[^a-z0-9_-]/g, '-');
  const hash = createHash('sha256').update(service).digest('hex').slice(0, 6);
  return `${EDGE_PROJECT_PREFIX}${project}-${plain === service ? plain : `${plain}-${hash}`}`;
}

/**
 * The service of a container in the compose project of its edge. Compose makes it a name on every network that the container
 * joins, and those are networks of the user: a plain `edge` there would take requests from a service of that name.
 */
export const composeService = (of: Of, role: Role): string => `${edgeProject(of)}-${role}`;

/** The container's name is a name on these networks as well. */
export const containerName = (of: Of, role: Role): string => `${composeService(of, role)}-1`;

export function labelsOf({ project, service }: Of): Readonly<Record<string, string>> {
  return { [PROJECT_LABEL]: project, [SERVICE_LABEL]: service };
}

/** Where an edge has its configuration, in a volume of its own. */
export const FOLDER = '/etc/rolling-restart-edge';
export const CONFIG_FILE = `${FOLDER}/edge.cfg`;
export const LUA_FILE = `${FOLDER}/hold.lua`;
export const volumeName = (of: Of): string => `${edgeProject(of)}_configuration`;

/** Both only inside the edge's own network namespace, where nothing else runs. */
export const RUNTIME_PORT = 9999;
export const MASTER_PORT = 9998;
