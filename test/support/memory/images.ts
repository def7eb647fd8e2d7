import { canonicalJson } from '../../../src/model/canonical.js';
import { imageFingerprint, type ImageFacts } from '../../../src/model/image.js';
import type { Behavior } from './behavior.js';
import { Refusal } from './faults.js';
import { digestOf } from './ids.js';

export interface Image {
  readonly id: string;
  readonly behavior: Behavior;
  readonly createdAt: string;
  readonly digests: readonly string[];
}

/** Images of the engine by their names. Two images with the same behavior are the same image, as after a cached build. */
export class Images {
  private readonly images = new Map<string, Image>();
  private readonly names = new Map<string, string>();

  /** @param createdAt RFC 3339 */
  add(tag: string, behavior: Behavior, createdAt: string, digests: readonly string[] = []): Image {
    const id = imageId(behavior);
    const image = { id, behavior, createdAt: this.images.get(id)?.createdAt ?? createdAt, digests };
    this.images.set(id, image);
    this.names.set(withTag(tag), id);
    return image;
  }

  /** By name, id or digest. */
  find(reference: string): Image | undefined {
    const byName = this.names.get(withTag(reference));
    if (byName !== undefined) return this.images.get(byName);
    const digits = reference.replace(/^sha256:/, '');
    return [...this.images.values()].find(
      ({ id, digests }) =>
        digests.includes(reference) || (/^[0-9a-f]{12,64}$/.test(digits) && id.startsWith(`sha256:${digits}`)),
    );
  }

  /** @throws Refusal when there is none */
  demand(reference: string): Image {
    const image = this.find(reference);
    if (image === undefined) throw new Refusal(404, `No such image: ${withTag(reference)}`);
    return image;
  }

  tag(reference: string, tag: string): void {
    this.names.set(withTag(tag), this.demand(reference).id);
  }

  /** @param usedBy id of a container that was made from an image, if there is one */
  untag(tag: string, usedBy: (image: string) => string | undefined): void {
    const image = this.demand(tag);
    const name = withTag(tag);
    if (this.tagsOf(image.id).length === 1) {
      const user = usedBy(image.id);
      if (user !== undefined) {
        const conflict = `conflict: unable to remove repository reference "${name}" (must force)`;
        const whose = `container ${user.slice(0, 12)} is using its referenced image ${image.id.slice(7, 19)}`;
        throw new Refusal(409, `${conflict} - ${whose}`);
      }
      this.images.delete(image.id);
    }
    this.names.delete(name);
  }

  /** @returns the tags below a repository name, sorted */
  below(repository: string): readonly string[] {
    return [...this.names.keys()].filter((name) => name.slice(0, name.lastIndexOf(':')) === repository).sort();
  }

  facts({ id, behavior, createdAt, digests }: Image): ImageFacts {
    return {
      id,
      tags: this.tagsOf(id),
      digests,
      fingerprint: imageFingerprint({
        architecture: 'amd64',
        os: 'linux',
        variant: undefined,
        layers: [`sha256:${digestOf(behaviorText(behavior))}`],
        config: { Labels: { behavior: behaviorText(behavior) } },
      }),
      sizeBytes: 100_000_000,
      createdAt,
      volumes: behavior.volumes ?? [],
    };
  }

  private tagsOf(id: string): readonly string[] {
    return [...this.names].flatMap(([name, image]) => (image === id ? [name] : []));
  }
}

function imageId(behavior: Behavior): string {
  return `sha256:${digestOf(`image ${behaviorText(behavior)}`)}`;
}

function behaviorText(behavior: Behavior): string {
  return canonicalJson({ ...behavior, memoryBytes: behavior.memoryBytes?.toString() });
}

/** The colon of a tag comes after the last slash. */
function withTag(name: string): string {
  return name.includes('@') || name.lastIndexOf(':') > name.lastIndexOf('/') ? name : `${name}:latest`;
}
