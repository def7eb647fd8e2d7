import type { Engine } from '../model/ports/engine.js';
import { imageFingerprint, type ImageFacts } from '../model/image.js';
import type { EngineClient } from './client.js';
import { unlessStatus } from './failures.js';
import { short } from './containers.js';

type Images = Pick<Engine, 'image' | 'tagImage' | 'untagImage' | 'tagsOf'>;

/** Removing an image's last name removes its layers. */
const REMOVE_MS = 120_000;

/**
 * What a reference can look like: an id, a digest, a name with a tag or a digest (distribution/reference). Anything else
 * names no image, and would become part of a request's path.
 */
const REFERENCE = /^[a-z0-9](?:[\w.:/@-]*\w)?$/i;

/** What is read of an image's inspect answer (Engine API, ImageInspect). */
interface ImageAnswer {
  readonly Id: string;
  readonly RepoTags?: readonly string[] | null;
  readonly RepoDigests?: readonly string[] | null;
  readonly Size: number;
  readonly Created?: string;
  readonly Architecture: string;
  readonly Os: string;
  readonly Variant?: string;
  readonly RootFS?: { readonly Layers?: readonly string[] | null };
  readonly Config?: Readonly<Record<string, unknown>> | null;
}

/** Looking at images, and giving and taking their names. */
export function createImages(client: EngineClient): Images {
  return {
    async image(reference) {
      if (!REFERENCE.test(reference) || reference.includes('..')) return undefined;
      const inspecting = client.getJson(`inspect image ${shortReference(reference)}`, `/images/${reference}/json`);
      // 400: not even a reference.
      const answer = await unlessStatus([400, 404], undefined, inspecting);
      return answer === undefined ? undefined : factsOf(answer as ImageAnswer);
    },

    async tagImage(image, tag) {
      const name = splitTag(tag);
      await client.call(`tag image ${shortReference(image)} as ${tag}`, async (docker, abortSignal) => {
        await docker.getImage(image).tag({ ...name, abortSignal });
      });
    },

    async untagImage(tag) {
      const removing = client.call(
        `take the image name ${tag} away`,
        async (docker, abortSignal) => {
          await docker.getImage(tag).remove({ force: false, abortSignal });
        },
        { timeoutMs: REMOVE_MS },
      );
      // 409: it is the last name, and a container uses the image. It could be forced while that container runs, and the
      // graph-driver store would take the image from under one that has just stopped: the name stays.
      await unlessStatus([404, 409], undefined, removing);
    },

    async tagsOf(repository) {
      if (!REFERENCE.test(repository)) return [];
      const name = familiar(repository);
      const listed = await client.call(`list tags of ${name}`, (docker, abortSignal) =>
        docker.listImages({ filters: JSON.stringify({ reference: [name] }), abortSignal }),
      );
      const tags = listed.flatMap(({ RepoTags }) => (RepoTags as readonly string[] | null) ?? []);
      return tags.filter((tag) => tag.slice(0, tag.lastIndexOf(':')) === name).sort();
    },
  };
}

function factsOf(answer: ImageAnswer): ImageFacts {
  return {
    id: answer.Id,
    tags: answer.RepoTags ?? [],
    digests: answer.RepoDigests ?? [],
    fingerprint: imageFingerprint({
      architecture: answer.Architecture,
      os: answer.Os,
      variant: answer.Variant,
      layers: answer.RootFS?.Layers ?? [],
      config: answer.Config ?? {},
    }),
    sizeBytes: answer.Size,
    createdAt: answer.Created ?? '',
    volumes: Object.keys((answer.Config?.['Volumes'] as Readonly<Record<string, unknown>> | null | undefined) ?? {}),
  };
}

/** The colon of a tag comes after the last slash; one before it belongs to a registry's port. */
function splitTag(name: string): { readonly repo: string; readonly tag: string } {
  const colon = name.lastIndexOf(':');
  return colon > name.lastIndexOf('/')
    ? { repo: name.slice(0, colon), tag: name.slice(colon + 1) }
    : { repo: name, tag: 'latest' };
}

/** The engine shows names on Docker Hub without its host (distribution/reference, FamiliarName). */
function familiar(repository: string): string {
  return repository.replace(/^(?:index\.)?docker\.io\//, '').replace(/^library\//, '');
}

function shortReference(reference: string): string {
  return short(reference.replace(/^sha256:/, ''));
}
