import { CONFIG_HASH, DIRECTORY, FILES, NUMBER, PROJECT, SERVICE } from '../../../src/engine/observed.js';
import { withoutHelperLabels } from '../../../src/model/own-names.js';
import type { BesideOptions, Engine } from '../../../src/model/ports/engine.js';
import type { Caller } from './calls.js';
import type { DockerWorld } from './docker.js';

const TAKEN_OVER = ['com.docker.compose.depends_on', 'com.docker.compose.project.environment_file'] as const;
const CREATE_MS = 60_000;

type Labels = Readonly<Record<string, string>>;

/** Containers that are made beside others, and their names. */
export function createBesideMember(
  { containers }: DockerWorld,
  call: Caller,
): Pick<Engine, 'createBeside' | 'renameContainer' | 'nameOnNetworks'> {
  const nameOf = (id: string): string => containers.find(id)?.name ?? id;
  return {
    async createBeside(template, options) {
      const what = `create container ${options.name}`;
      const id = await call({ member: 'createBeside', what, target: options.name, timeoutMs: CREATE_MS }, () => {
        const { spec } = containers.demand(template);
        const like = options.like === undefined ? {} : containers.demand(options.like).spec.labels;
        const networks = Object.keys(spec.networks).map((name) => [name, options.names[name] ?? []] as const);
        const [first] = networks;
        return containers.create(options.name, {
          ...spec,
          labels: labelsOf(spec.labels, like, options),
          networks: Object.fromEntries(networks),
          networkMode: first?.[0] ?? spec.networkMode,
          // What has no name in the template is its own: the new one gets another.
          mounts: spec.mounts.map((mount) =>
            /^[0-9a-f]{64}$/.test(mount.name ?? '') ? { ...mount, name: undefined } : mount,
          ),
        }).id;
      });
      if (id === undefined) throw new Error(what);
      return id;
    },
    async renameContainer(id, name) {
      await call({ member: 'renameContainer', what: `rename container ${id} to ${name}`, target: nameOf(id) }, () =>
        containers.rename(id, name),
      );
    },
    async nameOnNetworks(id, names) {
      await call({ member: 'nameOnNetworks', what: `name container ${id} on its networks`, target: nameOf(id) }, () => {
        for (const [network, endpoint] of containers.demand(id).endpoints) {
          const wanted = names[network] ?? [];
          if (wanted.every((name) => endpoint.names.includes(name))) continue;
          containers.join(id, network, [...new Set([...endpoint.names, ...wanted])]);
        }
      });
    },
  };
}

function labelsOf(made: Labels, like: Labels, options: BesideOptions): Labels {
  return {
    ...withoutHelperLabels(made),
    ...Object.fromEntries(TAKEN_OVER.flatMap((name) => (like[name] === undefined ? [] : [[name, like[name]]]))),
    [PROJECT]: options.project,
    [SERVICE]: options.service,
    [NUMBER]: String(options.number),
    [CONFIG_HASH]: options.composeHash,
    [FILES]: options.files.names.join(','),
    [DIRECTORY]: options.files.directory,
  };
}
