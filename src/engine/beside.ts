import type Docker from 'dockerode';
import { withoutHelperLabels } from '../model/own-names.js';
import type { BesideOptions, Engine } from '../model/ports/engine.js';
import type { EngineClient } from './client.js';
import { short } from './containers.js';
import { unlessStatus } from './failures.js';
import { CONFIG_HASH, NUMBER, PROJECT, SERVICE } from './observed.js';

type Beside = Pick<Engine, 'createBeside' | 'renameContainer' | 'nameOnNetworks'>;

/** Labels by which Compose finds a project's files again, and orders what it stops. */
const FILES = 'com.docker.compose.project.config_files';
const DIRECTORY = 'com.docker.compose.project.working_dir';
const TAKEN_OVER = ['com.docker.compose.depends_on', 'com.docker.compose.project.environment_file'] as const;

const CREATE_MS = 60_000;

/** What a container is created and joined to networks with (Engine API, ContainerInspect and ContainerCreate). */
interface Template {
  readonly Config: Readonly<Record<string, unknown>> & { readonly Labels: Readonly<Record<string, string>> | null };
  readonly HostConfig: Readonly<Record<string, unknown>> & { readonly NetworkMode: string };
  readonly NetworkSettings: { readonly Networks: Readonly<Record<string, Endpoint>> };
  readonly Name: string;
}

interface Endpoint {
  readonly IPAMConfig?: unknown;
  readonly Links?: readonly string[] | null;
  readonly Aliases?: readonly string[] | null;
  readonly DriverOpts?: Readonly<Record<string, string>> | null;
}

/** Containers of a service beside those that run, made through the API so that they have what Compose cannot give. */
export function createBeside(client: EngineClient): Beside {
  const inspect = async (id: string): Promise<Template> =>
    (await client.getJson(`inspect container ${short(id)}`, `/containers/${id}/json`)) as Template;

  const join = (network: string, container: string, endpoint: Endpoint): Promise<void> =>
    client.call(`join container ${short(container)} to network ${network}`, async (docker, abortSignal) => {
      const options = { Container: container, EndpointConfig: { ...endpoint }, abortSignal };
      await docker.getNetwork(network).connect(options as unknown as Docker.NetworkConnectOptions);
    });

  return {
    async createBeside(template, options) {
      const made = await inspect(template);
      const like = options.like === undefined ? undefined : await inspect(options.like);
      const networks = Object.entries(made.NetworkSettings.Networks).map(
        ([name, endpoint]) => [name, endpointOf(endpoint, options.names[name] ?? [])] as const,
      );
      const [first, ...others] = networks;
      const settings = {
        ...made.Config,
        name: options.name,
        // Docker makes it of the id unless the file sets one.
        Hostname: template.startsWith(String(made.Config['Hostname'])) ? undefined : made.Config['Hostname'],
        Labels: labelsOf(made, like, options),
        HostConfig: { ...made.HostConfig, ...(first === undefined ? {} : { NetworkMode: first[0] }) },
        // Engine 24 takes one network here; the others are joined before the start.
        ...(first === undefined ? {} : { NetworkingConfig: { EndpointsConfig: { [first[0]]: first[1] } } }),
      };
      const id = await client.call(
        `create container ${options.name}`,
        async (docker, abortSignal) => {
          const container = await docker.createContainer({
            ...settings,
            abortSignal,
          } as unknown as Docker.ContainerCreateOptions);
          return container.id;
        },
        { timeoutMs: CREATE_MS },
      );
      for (const [network, endpoint] of others) await join(network, id, endpoint);
      return id;
    },

    async renameContainer(id, name) {
      await client.call(`rename container ${short(id)} to ${name}`, async (docker, abortSignal) => {
        await docker.getContainer(id).rename({ name, abortSignal });
      });
    },

    async nameOnNetworks(id, names) {
      const { NetworkSettings } = await inspect(id);
      for (const [network, endpoint] of Object.entries(NetworkSettings.Networks)) {
        const has = endpoint.Aliases ?? [];
        const wanted = names[network] ?? [];
        if (wanted.every((name) => has.includes(name))) continue;
        const leaving = client.call(
          `take container ${short(id)} off network ${network}`,
          async (docker, abortSignal) => {
            await docker.getNetwork(network).disconnect({ Container: id, Force: true, abortSignal });
          },
        );
        // Off it already: an earlier try was cut short between leaving and joining.
        await unlessStatus([403, 404], undefined, leaving);
        await join(network, id, endpointOf({ ...endpoint, Aliases: [] }, [...new Set([...has, ...wanted])]));
      }
    },
  };
}

/** An address that the file fixes stays; the template's own names go. */
function endpointOf({ IPAMConfig, Links, DriverOpts }: Endpoint, names: readonly string[]): Endpoint {
  return {
    ...(IPAMConfig === null || IPAMConfig === undefined ? {} : { IPAMConfig }),
    ...(Links === null || Links === undefined ? {} : { Links }),
    ...(DriverOpts === null || DriverOpts === undefined ? {} : { DriverOpts }),
    Aliases: names,
  };
}

function labelsOf(
  made: Template,
  like: Template | undefined,
  options: BesideOptions,
): Readonly<Record<string, string>> {
  const others = like?.Config.Labels ?? {};
  const files = others[FILES] ?? options.files.names.join(',');
  return {
    ...withoutHelperLabels(made.Config.Labels ?? {}),
    ...Object.fromEntries(TAKEN_OVER.flatMap((name) => (others[name] === undefined ? [] : [[name, others[name]]]))),
    [PROJECT]: options.project,
    [SERVICE]: options.service,
    [NUMBER]: String(options.number),
    [CONFIG_HASH]: options.composeHash,
    [FILES]: files,
    [DIRECTORY]: others[DIRECTORY] ?? options.files.directory,
  };
}
