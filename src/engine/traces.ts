import {
  EDGE_LABEL,
  EDGE_PROJECT_PREFIX,
  HELPER_LABEL,
  isLeftHelper,
  PROJECT_LABEL,
  SERVICE_LABEL,
} from '../model/own-names.js';
import type { Trace, Traces } from '../model/ports/traces.js';
import type { EngineClient } from './client.js';
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
      const own = (await containers(`${PROJECT_LABEL}=${project}`)).filter(
        ({ labels }) => labels[PROJECT] !== project || labels[HELPER_LABEL] !== undefined,
      );
      const volumes = await listVolumes(`${PROJECT_LABEL}=${project}`);
      return [
        ...own.map((one) => trace('container', project, one)),
        ...volumes.map((one) => trace('volume', project, one)),
      ].sort((one, other) => (one.name < other.name ? -1 : one.name > other.name ? 1 : 0));
    },

    async removeHelpers(project, runs) {
      const left = (await containers(`${PROJECT_LABEL}=${project}`)).filter(
        ({ labels }) => labels[HELPER_LABEL] !== undefined && isLeftHelper(labels, runs, Date.now()),
      );
      for (const { name } of left) await removeContainer(client, name);
      return left.map(({ name }) => name);
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
    what: ofEdge
      ? 'edge'
      : labels[HELPER_LABEL] !== undefined
        ? 'helper'
        : part === 'records'
          ? 'records'
          : isLock
            ? 'lock'
            : 'other',
    name,
    service: labels[SERVICE_LABEL],
  };
}
