import { ProcedureError } from '../model/errors.js';
import type { OperationOf } from '../operations/operation.js';
import type { ComposeTarget } from '../model/ports/engine.js';
import { canonicalJson } from '../model/canonical.js';
import { definitionOf, withoutStubNetworks, type ReleaseWithDefinition } from '../model/release.js';
import { removeLeftovers, stopAndRemove } from './leftovers.js';
import { liveTarget } from './open-project.js';
import { renderedTarget } from './rendered.js';
import type { Session } from './session.js';

/** Longest that `docker compose up` may take to stop and start containers, beyond their own stop grace periods. */
const UP_TIMEOUT_MS = 5 * 60_000;

/**
 * Replaces the containers of a service through Compose itself, so that what runs afterwards is what a person's own
 * `docker compose up -d` would have made. The user's files are used when they, rendered now, define exactly this
 * release; otherwise the definition that the ledger keeps is.
 */
export async function replaceContainers(
  session: Session,
  operation: OperationOf<'replace-containers'>,
  signal: AbortSignal,
): Promise<void> {
  const release = await releaseOf(session, operation.to);
  const { service } = operation;
  await removeLeftovers(session, service, signal);
  if (operation.replicas === 0) return removeAll(session, service, signal);
  if (await filesDefine(session, release)) {
    await up(session, { ...liveTarget(session.request), projectName: session.project }, release, operation, signal);
    return;
  }
  session.progress.info(
    `  the compose files as they lie do not define ${release.id}; the definition that the ledger keeps is used`,
  );
  const services = withoutStubNetworks(release.definition['services'] as Readonly<Record<string, unknown>>, service);
  await up(session, renderedTarget(session, { ...release.definition, services }), release, operation, signal);
}

/** Compose is not needed to have no container of a service, and `up --scale NAME=0` differs between its versions. */
async function removeAll(session: Session, service: string, signal: AbortSignal): Promise<void> {
  const containers = await session.engine.containers(session.project, service);
  await stopAndRemove(
    session,
    containers.map(({ id }) => id),
    signal,
  );
}

/** @returns the hash that plain Compose computes for a release with the files as they lie, or of what the ledger keeps */
export async function expectedHash(session: Session, release: ReleaseWithDefinition): Promise<string> {
  if (!sharesWithAnother(release) && (await filesDefine(session, release))) return release.composeHash;
  return hashOf(session, release);
}

/**
 * The hashes by which a container is known to be of a release: the one that was recorded with it, and the one that Compose
 * computes for it today, which differs after an upgrade of Compose. A release that lives in another container's namespace
 * has only the one of today: the recorded one names a container that may be gone.
 */
export async function hashesOf(session: Session, release: ReleaseWithDefinition): Promise<ReadonlySet<string>> {
  const today = await expectedHash(session, release);
  return new Set(sharesWithAnother(release) ? [today] : [release.composeHash, today]);
}

async function hashOf(session: Session, { definition, service }: ReleaseWithDefinition): Promise<string> {
  const hashes = await session.compose.documentHashes(definition, session.opened.place.directory);
  return hashes[service] ?? '';
}

/** Its hash holds the id of another service's container, which may have been replaced since it was computed. */
function sharesWithAnother(release: ReleaseWithDefinition): boolean {
  const raw = serviceIn(release);
  return (
    ['network_mode', 'ipc', 'pid'].some((key) => JSON.stringify(raw[key] ?? '').startsWith('"service:')) ||
    raw['volumes_from'] !== undefined
  );
}

function serviceIn({ definition, service }: ReleaseWithDefinition): Readonly<Record<string, unknown>> {
  const services = definition['services'] as Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  return services[service] ?? {};
}

/** @returns the name that the release's own definition gives its container */
export function containerNameOf(release: ReleaseWithDefinition): string | undefined {
  const name = serviceIn(release)['container_name'];
  return typeof name === 'string' ? name : undefined;
}

/** @returns whether the release's own definition gives it ports of the host */
export function publishesPorts(release: ReleaseWithDefinition): boolean {
  // Compose renders every port in its long form.
  const ports = (serviceIn(release)['ports'] ?? []) as readonly Readonly<Record<string, unknown>>[];
  return ports.some(({ published }) => published !== undefined);
}

/** Live files that Compose cannot read any more only mean that the kept definition is used. */
export async function filesDefine(session: Session, release: ReleaseWithDefinition): Promise<boolean> {
  if (release.definitionFrom !== 'rendered') return false;
  const moved = session.liveCommit.value !== session.startCommit;
  try {
    const target = { ...liveTarget(session.request), projectName: session.project };
    const live = moved ? await session.compose.render(target) : session.opened.live;
    const definition = live.services[release.service];
    return (
      definition !== undefined && canonicalJson(definitionOf(live, definition)) === canonicalJson(release.definition)
    );
  } catch (error) {
    session.progress.debug(`live compose files: ${String(error)}`);
    return false;
  }
}

async function up(
  session: Session,
  target: ComposeTarget,
  release: ReleaseWithDefinition,
  operation: OperationOf<'replace-containers'>,
  signal: AbortSignal,
): Promise<void> {
  await session.compose.up({
    target,
    service: operation.service,
    replicas: operation.replicas === 1 ? undefined : operation.replicas,
    forceRecreate: operation.force,
    hasDependencies: Object.keys(serviceIn(release)['depends_on'] ?? {}).length > 0,
    onLine: (line) => session.progress.debug(session.redactor.text(line)),
    signal,
    timeoutMs: Math.min(UP_TIMEOUT_MS, session.request.commandTimeoutMs),
  });
}

/** @throws ProcedureError E_LEDGER when the ledger does not have the release */
export async function releaseOf(session: Session, id: string): Promise<ReleaseWithDefinition> {
  const release = await session.ledger.definition(id);
  if (release !== undefined) return release;
  throw new ProcedureError('E_LEDGER', `The ledger has no definition of release ${id}`, {
    next: 'Run procedure check to see which releases can be gone back to.',
  });
}
