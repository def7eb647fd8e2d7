import { owned } from '../model/creatable.js';
import { omit } from '../model/omit.js';
import { definitionOf } from '../model/release.js';
import type { Session, Viewing } from './session.js';

type Definition = Readonly<Record<string, unknown>>;

/** What Compose makes for a service before its first container, by the key in the definition. */
export interface Surrounding {
  readonly key: string;
  /** The engine's name of it. */
  readonly name: string;
  readonly what: 'network' | 'volume';
  readonly there: boolean;
}

/** @returns whether the engine has a network of that name */
export async function hasNetwork({ engine }: Pick<Viewing, 'engine'>, name: string): Promise<boolean> {
  return (await engine.resource({ kind: 'network', name })) !== undefined;
}

/** @returns the networks and volumes of a release that Compose makes; external ones are none of them */
export async function surroundingsOf(
  { engine, data, project }: Pick<Viewing, 'engine' | 'data' | 'project'>,
  definition: Definition,
): Promise<readonly Surrounding[]> {
  const [networks, volumes] = [owned(definition['networks'], project), owned(definition['volumes'], project)];
  return Promise.all([
    ...networks.map(async ([key, name]): Promise<Surrounding> => {
      return { key, name, what: 'network', there: await hasNetwork({ engine }, name) };
    }),
    ...volumes.map(async ([key, name]): Promise<Surrounding> => {
      return { key, name, what: 'volume', there: await data.hasVolume(name) };
    }),
  ]);
}

/** @returns the volumes that a service of the live files has and that are not there */
export async function missingVolumes(viewing: Viewing, service: string): Promise<readonly Surrounding[]> {
  const definition = viewing.opened.live.services[service];
  if (definition === undefined) return [];
  const all = await surroundingsOf(viewing, definitionOf(viewing.opened.live, definition));
  return all.filter(({ what, there }) => what === 'volume' && !there);
}

/**
 * Has Compose make what is missing, with the names, labels and options that the file gives it: by a container of its own that
 * has nothing else of the service, is never started and goes at once.
 */
export async function makeMissing(
  session: Session,
  of: { readonly definition: Definition; readonly service: string; readonly image: string },
  missing: readonly Surrounding[],
  signal: AbortSignal,
): Promise<void> {
  if (missing.length === 0) return;
  const { compose, engine, project, request } = session;
  const name = `${of.service}-surroundings`;
  const keysOf = (what: Surrounding['what']): readonly string[] =>
    missing.flatMap((one) => (one.what === what ? [one.key] : []));
  const [networks, volumes] = [keysOf('network'), keysOf('volume')];
  await compose.create({
    document: {
      ...omit(of.definition, 'configs', 'secrets'),
      name: project,
      services: {
        [name]: {
          image: of.image,
          ...(networks.length === 0 ? { network_mode: 'none' } : { networks }),
          volumes: volumes.map((key, index) => ({ type: 'volume', source: key, target: `/volume-${index}` })),
        },
      },
    },
    services: [name],
    signal,
    timeoutMs: request.commandTimeoutMs,
  });
  for (const { id } of await engine.containers(project, name)) {
    await engine.removeContainer(id, 'with-anonymous-volumes');
  }
}
