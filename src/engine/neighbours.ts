import { PROJECT_LABEL } from '../model/own-names.js';
import type { Engine } from '../model/ports/engine.js';
import type { Neighbour } from '../model/project-owner.js';
import type { EngineClient } from './client.js';
import { short } from './containers.js';
import { madeFrom, ONE_OFF, PROJECT, SERVICE, VOLUME } from './observed.js';

/** Whom everything on the engine belongs to, of whatever project: one call each (2 ms for 20 containers, measured). */
export function createNeighbours(client: EngineClient): Pick<Engine, 'neighbours' | 'volumeOwners'> {
  return {
    async neighbours() {
      const listed = await client.call('list all containers', (docker, abortSignal) =>
        docker.listContainers({ all: true, abortSignal }),
      );
      return listed.filter(({ Labels }) => Labels[ONE_OFF] !== 'True').map(neighbour);
    },

    async volumeOwners() {
      const { Volumes } = await client.call('list all volumes', (docker, abortSignal) =>
        docker.listVolumes({ abortSignal }),
      );
      const volumes = (Volumes as typeof Volumes | null) ?? [];
      return new Map(
        volumes.map(({ Name, Labels }) => {
          const labels = (Labels as Readonly<Record<string, string>> | null) ?? {};
          return [Name, { project: labels[PROJECT], key: labels[VOLUME] }];
        }),
      );
    },
  };
}

type Listed = Awaited<ReturnType<import('dockerode')['listContainers']>>[number];

function neighbour({ Id, Names, Labels, Image, Ports, Mounts }: Listed): Neighbour {
  return {
    // A link gives a container more names; its own has no folder in it.
    name: Names.map((name) => name.replace(/^\//, '')).find((name) => !name.includes('/')) ?? short(Id),
    project: Labels[PROJECT],
    worksFor: Labels[PROJECT_LABEL],
    service: Labels[SERVICE],
    ...madeFrom(Labels),
    image: Image,
    // A port that nothing leads to has no number of the host.
    ports: [...new Set(Ports.flatMap(({ PublicPort, Type }) => (PublicPort > 0 ? [`${PublicPort}/${Type}`] : [])))],
    volumes: Mounts.flatMap(({ Type, Name, Destination }) =>
      Type === 'volume' && Name !== undefined ? [{ name: Name, target: Destination }] : [],
    ),
  };
}
