import { flat, ipamAttributes, type DefinedResource, type EngineResource } from '../model/kept-definitions.js';
import type { EngineClient } from './client.js';
import { unlessStatus } from './failures.js';
import { CONFIG_HASH } from './observed.js';

/** What is read of a network's or a volume's inspect answer (Engine API, NetworkInspect and VolumeInspect). */
interface ResourceAnswer {
  readonly Driver: string;
  readonly Labels?: Readonly<Record<string, string>> | null;
  readonly Options?: Readonly<Record<string, string>> | null;
  readonly Internal?: boolean;
  readonly Attachable?: boolean;
  readonly EnableIPv6?: boolean;
  readonly IPAM?: {
    readonly Driver?: string;
    readonly Config?: readonly Readonly<Record<string, unknown>>[] | null;
  } | null;
}

/** @returns how the engine has a network or volume; undefined when it has none of that name */
export async function readResource(
  client: EngineClient,
  { kind, name }: Pick<DefinedResource, 'kind' | 'name'>,
): Promise<EngineResource | undefined> {
  const inspecting = client.getJson(`inspect ${kind} ${name}`, `/${kind}s/${encodeURIComponent(name)}`);
  const answer = (await unlessStatus([404], undefined, inspecting)) as ResourceAnswer | undefined;
  if (answer === undefined) return undefined;
  const labels = answer.Labels ?? {};
  const ipam = (answer.IPAM?.Config ?? []).map(({ Subnet, Gateway, IPRange }) => {
    return { subnet: Subnet, gateway: Gateway, ip_range: IPRange };
  });
  return {
    hasComposeHash: labels[CONFIG_HASH] !== undefined,
    attributes: {
      driver: answer.Driver,
      ...flat('driver_opts', answer.Options),
      ...flat('labels', labels),
      ...(kind === 'volume'
        ? {}
        : {
            internal: String(answer.Internal === true),
            attachable: String(answer.Attachable === true),
            enable_ipv6: String(answer.EnableIPv6 === true),
            ...ipamAttributes(answer.IPAM?.Driver, ipam),
          }),
    },
  };
}
