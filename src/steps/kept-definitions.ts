import { definedResources, describeKept, otherAttributes } from '../model/kept-definitions.js';
import type { Current } from './candidate.js';
import type { Viewing } from './session.js';
import { noSigns, raise } from './signs.js';

type Document = Readonly<Record<string, unknown>>;

/** Compose creates a network again whose definition changed (docker/compose#12267). */
const RECREATES_NETWORKS = [2, 31] as const;

/**
 * @param document a rendered project reduced to one service
 * @returns networks and volumes of it that the engine has with another definition, one sentence each
 */
export async function keptDefinitions(
  viewing: Viewing,
  document: Document,
  current: Current,
): Promise<readonly string[]> {
  const before = current.definition === undefined ? [] : definedResources(current.definition.definition);
  const found: string[] = [];
  for (const resource of definedResources(document)) {
    const actual = await viewing.engine.resource(resource);
    if (actual === undefined) continue;
    const old = before.find(({ kind, name }) => kind === resource.kind && name === resource.name)?.attributes;
    const others = otherAttributes(resource, actual.attributes, old);
    const recreates = resource.kind === 'network' && actual.hasComposeHash && (await recreatesNetworks(viewing));
    if (others.length > 0) found.push(describeKept(resource, others, { recreates }));
  }
  return found;
}

async function recreatesNetworks({ compose }: Viewing): Promise<boolean> {
  const [major = 0, minor = 0] = (await compose.version()).split('.').map(Number);
  return major > RECREATES_NETWORKS[0] || (major === RECREATES_NETWORKS[0] && minor >= RECREATES_NETWORKS[1]);
}

/** Warns once a run, also when several services use the same network. */
export function warnOfKept(viewing: Viewing, service: string, kept: readonly string[]): void {
  for (const message of kept) {
    if (viewing.recorder.warnings.some((warning) => warning.message === message)) continue;
    raise(viewing, noSigns(), { sign: 'note', severity: 'low', service, message });
  }
}
