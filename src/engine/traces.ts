import { EDGE_LABEL, EDGE_PROJECT_PREFIX, PROJECT_LABEL, SERVICE_LABEL } from '../model/own-names.js';
import type { Trace, Traces } from '../model/ports/traces.js';
import type { EngineClient } from './client.js';
import { TEMPLATE } from './compose-template.js';
import { removeContainer } from './containers.js';
import { PROJECT } from './observed.js';
import { createVolumes } from './volumes.js';

type Labels = Readonly<Record<string, string>>;

/** Finds what is ours on an engine by the labels that everything of ours carries. */
export function createTraces(client: EngineClient): Traces {
  const { listVolumes, removeVolume } = createVolumes(client);

  const containers = async (label: string): Promise<readonly { readonly name: string; readonly labels: Labels }[]> => {
    const listed = await client.call(`list containers with ${label}`, (docker, abortSignal) =>
      docker.listContainers({ all: true, filters: { label: [label] }, abortSignal }),
    );
    return listed.map(({ Names, Id, Labels: labels }) => ({ name: Names[0]?.replace(/^\//, '') ?? Id, labels }));
  };

  return {
    async projects() {
      const all = [...(await containers(PROJECT_LABEL)), ...(await listVolumes(PROJECT_LABEL))];
      return [...new Set(all.map(({ labels }) => labels[PROJECT_LABEL] ?? ''))].filter((name) => name !== '').sort();
    },

    async of(project) {
      const own = [
        ...(await containers(`${PROJECT_LABEL}=${project}`)),
        ...(await containers(`${TEMPLATE}=${project}`)),
      ].filter(({ labels }) => labels[PROJECT] !== project);
      const volumes = await listVolumes(`${PROJECT_LABEL}=${project}`);
      return [
        ...own.map((one) => trace('container', project, one)),
        ...volumes.map((one) => trace('volume', project, one)),
      ].sort((one, other) => (one.name < other.name ? -1 : one.name > other.name ? 1 : 0));
    },

    remove: ({ kind, name }) => (kind === 'container' ? removeContainer(client, name) : removeVolume(name)),
  };
}

function trace(
  kind: Trace['kind'],
  project: string,
  { name, labels }: { readonly name: string; readonly labels: Labels },
): Trace {
  const part = name.startsWith(`rolling-restart.${project}.`) ? name.slice(`rolling-restart.${project}.`.length) : '';
  const ofEdge = labels[EDGE_LABEL] !== undefined || name.startsWith(EDGE_PROJECT_PREFIX);
  const isLock = kind === 'volume' && /^(?:lock|yield)\./.test(part);
  return {
    kind,
    what: ofEdge ? 'edge' : part === 'records' ? 'records' : isLock ? 'lock' : 'other',
    name,
    service: labels[SERVICE_LABEL],
  };
}
