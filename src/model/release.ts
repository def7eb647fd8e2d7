import { createHash } from 'node:crypto';
import { canonicalJson } from './canonical.js';
import { omit } from './omit.js';
import type { ComposeProject, FileObject, ServiceDefinition } from './service.js';

/** Sorts by time and is unique: `20261124T031502Z-3f9a1c`. */
export type ReleaseId = string;

/** What runs, or ran, or is to run: image and configuration together. Kept in the ledger on the engine. */
export interface Release {
  readonly id: ReleaseId;
  readonly project: string;
  readonly service: string;
  readonly createdAt: string;
  readonly image: ReleaseImage;
  /** Hash of the rendered definition and of the files it mounts. */
  readonly configHash: string;
  /** What Compose calls its own hash of the definition; containers carry it as a label. */
  readonly composeHash: string;
  readonly replicas: number;
  /** Full commit id of the checkout, when it is one. */
  readonly commit: string | undefined;
  /** Where it came from, in the words of `rollback-to`: `git:…`, `image:…`, or `adopted` for what ran before we came. */
  readonly origin: string;
  /** How the definition was had: rendered from compose files, or rebuilt from a container nobody has files for any more. */
  readonly definitionFrom: 'rendered' | 'container';
  readonly by: string;
  readonly run: string | undefined;
  /** What the run was for, as in `refs/tags/v1.2.3`; undefined in a shell. */
  readonly ref?: string | undefined;
  readonly version: string | undefined;
  /** Ran once before it went live the first time. */
  readonly releaseCommand?: string | undefined;
}

export interface ReleaseImage {
  /** The name the compose file uses. */
  readonly name: string;
  readonly id: string;
  readonly fingerprint: string;
  /** `name@sha256:…` where a registry has it. */
  readonly digest: string | undefined;
  /** The tag of ours that keeps it from being cleaned up as dangling. */
  readonly keptAs: string;
}

/**
 * The ledger is a list of these; a record is never rewritten. `live`: verified and accepted. `bad`: it was rolled back.
 * `dropped`: it is no longer kept. `stopped`: the service was stopped on purpose while the release was live; `started`:
 * it runs again.
 */
export interface ReleaseEvent {
  readonly at: string;
  readonly kind: 'live' | 'bad' | 'dropped' | 'stopped' | 'started';
  readonly service: string;
  readonly release: ReleaseId;
  readonly reason: string;
  readonly run: string | undefined;
  /** From the beginning of the replacement to readiness, in milliseconds, when this run measured it. */
  readonly restartMs: number | undefined;
}

/** What the ledger knows of one service, newest release last. */
export interface ServiceHistory {
  readonly releases: readonly Release[];
  readonly events: readonly ReleaseEvent[];
}

/** A release with the rendered definition it needs to come back without network or checkout. */
export interface ReleaseWithDefinition extends Release {
  /** The compose document reduced to this service and what it uses. A secret. */
  readonly definition: Readonly<Record<string, unknown>>;
  /** Contents hashes of files it mounts, by path: what changed is named from it. */
  readonly files: Readonly<Record<string, string>>;
}

/** @returns the release that was accepted last, if any */
export function liveRelease(history: ServiceHistory): Release | undefined {
  const event = history.events.findLast((entry) => entry.kind === 'live');
  return history.releases.find((release) => release.id === event?.release);
}

/** @returns whether the release was rolled back and not accepted again since */
export function isBad(history: ServiceHistory, id: ReleaseId): boolean {
  return verdictOn(history, id) === 'bad';
}

/** @returns whether the release was verified and accepted, and not rolled back since */
export function isAccepted(history: ServiceHistory, id: ReleaseId): boolean {
  return verdictOn(history, id) === 'live';
}

function verdictOn({ events }: ServiceHistory, id: ReleaseId): ReleaseEvent['kind'] | undefined {
  return events.findLast(({ release, kind }) => release === id && (kind === 'live' || kind === 'bad'))?.kind;
}

/**
 * A service that was stopped on purpose stays so until somebody starts it, or makes a release of it live.
 * @returns who stopped it, when and why; undefined when nobody did
 */
export function stoppedOnPurpose({ events }: ServiceHistory): ReleaseEvent | undefined {
  const last = events.findLast(({ kind }) => kind === 'stopped' || kind === 'started' || kind === 'live');
  return last?.kind === 'stopped' ? last : undefined;
}

/**
 * The release to go back to from `current`: the one accepted last that is another one, is not bad and not dropped.
 * After a rollback B → A, the previous of A is what was live before A first was, never B. A maintenance deploys what runs once
 * more: the same image with the same configuration is the same to whoever wants to go back.
 */
export function previousRelease(history: ServiceHistory, current: ReleaseId | undefined): Release | undefined {
  const firstLive = history.events.findIndex((event) => event.kind === 'live' && event.release === current);
  const before = firstLive === -1 ? history.events : history.events.slice(0, firstLive);
  const candidates = before.filter(
    (event) => event.kind === 'live' && event.release !== current && !isBad(history, event.release),
  );
  const gone = new Set(history.events.filter((event) => event.kind === 'dropped').map((event) => event.release));
  const known = new Map(history.releases.map((release) => [release.id, release]));
  const now = current === undefined ? undefined : known.get(current);
  return candidates
    .filter((event) => !gone.has(event.release))
    .flatMap((event) => known.get(event.release) ?? [])
    .findLast((release) => now === undefined || !isSameContent(release, now));
}

function isSameContent(one: Release, other: Release): boolean {
  return one.configHash === other.configHash && one.image.fingerprint === other.image.fingerprint;
}

/**
 * The releases whose images are kept: the live one, the one to go back to, and the newest ones up to `count`; a bad one
 * never takes a good one's place.
 * @returns the ids of the kept releases that are beyond it
 */
export function releasesToDrop(history: ServiceHistory, count: number): readonly Release[] {
  const live = liveRelease(history);
  const spared = new Set([live?.id, previousRelease(history, live?.id)?.id]);
  const lastLive = (release: Release): number =>
    history.events.findLastIndex((event) => event.kind === 'live' && event.release === release.id);
  const kept = [...keptReleases(history)].sort((a, b) => lastLive(b) - lastLive(a));
  const good = kept.filter((release) => !isBad(history, release.id));
  const newest = [...kept.slice(0, count), ...good.slice(0, count)].map((release) => release.id);
  const stay = new Set([...newest, ...spared]);
  return kept.filter((release) => !stay.has(release.id));
}

/** @returns how long the last replacement of the service took, in milliseconds; undefined before the first */
export function knownRestartMs(history: ServiceHistory): number | undefined {
  return history.events.findLast((event) => event.kind === 'live' && event.restartMs !== undefined)?.restartMs;
}

/** The releases that can be gone back to, newest first. */
export function keptReleases(history: ServiceHistory): readonly Release[] {
  const gone = new Set(history.events.filter((event) => event.kind === 'dropped').map((event) => event.release));
  const accepted = new Set(history.events.filter((event) => event.kind === 'live').map((event) => event.release));
  return history.releases.filter((release) => accepted.has(release.id) && !gone.has(release.id)).toReversed();
}

/**
 * A bad release that is the same as the wanted one: the same image and configuration, or the same commit and
 * configuration (a rebuild of the same source is the same release with other time stamps in its layers). What was said of the
 * same last counts: what a person has deployed again by force, and what held, is not bad any more.
 */
export function sameBadRelease(
  history: ServiceHistory,
  wanted: Pick<Release, 'configHash' | 'commit'> & { readonly fingerprint: string | undefined },
): Release | undefined {
  const same = history.releases.filter(
    (release) =>
      release.configHash === wanted.configHash &&
      (release.image.fingerprint === wanted.fingerprint ||
        (release.commit !== undefined && release.commit === wanted.commit && release.origin.startsWith('git:'))),
  );
  const ids = new Set(same.map(({ id }) => id));
  const verdict = history.events.findLast(
    ({ kind, release }) => (kind === 'live' || kind === 'bad') && ids.has(release),
  );
  return verdict?.kind === 'bad' ? same.find(({ id }) => id === verdict.release) : undefined;
}

/** @param now the moment of creation @param entropy at least six hexadecimal digits */
export function newReleaseId(now: Date, entropy: string): ReleaseId {
  const stamp = now.toISOString().replaceAll(/[-:]|\.\d+/g, '');
  return `${stamp}-${entropy.slice(0, 6)}`;
}

/** @returns the tag of ours under which the engine keeps the image of a release */
export function keptImageTag(project: string, service: string, id: ReleaseId): string {
  return `rolling-restart/${project}-${service}:${id.toLowerCase()}`;
}

/**
 * Reduces a rendered project to one service and what that service uses, so that Compose computes the same config hash
 * from it as from the whole project, and a plain `docker compose up -d` finds its container `Running` (measured on
 * 2.26.1, 2.40.3 and 5.6.0). Compose leaves out of its hash: `build`, `pull_policy` and the replica count, everywhere.
 * It has in it: `develop`; `image`, or that there is none; up to 2.29.2 `depends_on`; in 2.26 `profiles`.
 * So these stay, a service without an image keeps an empty build, and dependencies are there by name alone: Compose
 * refuses a dependency that is not defined.
 */
export function definitionOf(project: ComposeProject, service: ServiceDefinition): Readonly<Record<string, unknown>> {
  const left = new Set(['build', 'pull_policy']);
  const raw: Record<string, unknown> = Object.fromEntries(
    Object.entries(service.raw).filter(([key]) => !left.has(key)),
  );
  const nameless = raw['image'] === undefined ? { build: { context: '.' } } : {};
  const stubs = service.dependsOn.map((dependency) => [dependency.service, { image: service.image }] as const);
  const used = (section: Readonly<Record<string, unknown>>, names: readonly string[]): Record<string, unknown> =>
    Object.fromEntries(Object.entries(section).filter(([name]) => names.includes(name)));
  const networkNames = Object.keys((raw['networks'] as Record<string, unknown> | undefined) ?? {});
  const volumeNames = service.mounts.flatMap((mount) =>
    mount.type === 'volume' && mount.source !== undefined ? [mount.source] : [],
  );
  return {
    name: project.name,
    services: { ...Object.fromEntries(stubs), [service.name]: { ...raw, ...nameless } },
    networks: used(project.networks, networkNames),
    volumes: used(project.volumes, volumeNames),
    configs: used(project.configs, service.configs),
    secrets: used(project.secrets, service.secrets),
  };
}

/**
 * The services of such a document as Compose is to bring one of them up. The others are there by name alone, and a service
 * without networks is on the project's default network: Compose would make that one, although the user's file may not use it.
 */
export function withoutStubNetworks(
  services: Readonly<Record<string, unknown>>,
  service: string,
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(services).map(([name, one]) =>
      name === service ? [name, one] : [name, { ...(one as object), network_mode: 'none' }],
    ),
  );
}

/**
 * Decides "same or changed" for the configuration: the definition and the contents of every file it mounts. Compose's
 * own hash is blind to the contents (measured on 2.26).
 * @param files content hash by path; for a directory of the checkout the id of its git tree
 */
export function configHash(
  definition: Readonly<Record<string, unknown>>,
  files: Readonly<Record<string, string>>,
): string {
  const services = definition['services'] as Record<string, Record<string, unknown>>;
  const comparable = Object.fromEntries(
    Object.entries(services).map(([name, service]) => {
      const deploy = (service['deploy'] ?? {}) as Record<string, unknown>;
      return [name, { ...omit(service, 'scale'), deploy: omit(deploy, 'replicas') }];
    }),
  );
  const text = canonicalJson({ definition: { ...definition, services: comparable }, files });
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}

/** In place of a content hash: the container may have other contents than the file has now, and nobody can tell which. */
export const UNKNOWN_CONTENTS = 'unknown';

/** @returns the paths whose contents belong to the service's configuration; directories included */
export function mountedPaths(project: ComposeProject, service: ServiceDefinition): readonly string[] {
  const objects: FileObject[] = [
    ...service.configs.flatMap((name) => project.configs[name] ?? []),
    ...service.secrets.flatMap((name) => project.secrets[name] ?? []),
  ];
  const binds = service.mounts.flatMap((mount) =>
    mount.type === 'bind' && mount.source !== undefined ? [mount.source] : [],
  );
  return [...new Set([...objects.flatMap((object) => object.file ?? []), ...binds])].sort();
}
