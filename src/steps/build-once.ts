import { ProcedureError } from '../model/errors.js';
import type { ImageFacts } from '../model/image.js';
import type { OperationOf } from '../operations/operation.js';
import { isPinned, pushedAs, repositoryFor, tellsServicesApart } from '../model/recorded-image.js';
import type { Release } from '../model/release.js';
import type { Request } from '../model/request.js';
import type { Current } from './candidate.js';
import type { Session, Viewing } from './session.js';

/** Where an image that is built for a commit goes; nothing for a build on fresh bases, which is another image each time. */
export function repositoryOf({ pushTo, procedure, pullBase, image }: Request, service: string): string | undefined {
  const carriesOut = procedure === 'code-update' || procedure === 'rollback' || procedure === 'check';
  if (pushTo === undefined || !carriesOut || pullBase || image !== undefined) return undefined;
  return repositoryFor(pushTo, service);
}

/** @returns whether the images of this run are known by digest once they are there, so that records can wait for them */
export function buildsOnce({ request }: Pick<Viewing, 'request'>): boolean {
  return repositoryOf(request, 'service') !== undefined;
}

interface Building {
  readonly service: string;
  readonly current: Current;
}

/**
 * The images that were built for the commit before, by service: from the ledger of this host, or else from what GitHub
 * keeps of releases and deployments. What is recorded there is a digest, and counts only for the very commit and for the
 * repository that this run would push to.
 * @param building services whose image would be built
 * @param look what has it where neither could be asked, or nobody would have recorded it
 */
export async function recordedImages(
  viewing: Viewing,
  commit: string | undefined,
  building: readonly Building[],
  look?: (service: string, commit: string) => Promise<string | undefined>,
): Promise<ReadonlyMap<string, string>> {
  const { request, invocation, codeHost } = viewing;
  const found = new Map<string, string>();
  if (!buildsOnce(viewing) || building.length === 0) return found;
  if (commit === undefined) {
    throw new ProcedureError('E_INPUT', 'push-to needs a git checkout: an image is recorded for a commit', {
      next: 'Leave push-to out, or deploy from a git checkout. Nothing was changed.',
    });
  }
  requireRepositories(request.pushTo ?? '', building);
  for (const { service, current } of building) {
    const repository = repositoryOf(request, service) ?? '';
    const known = current.history.releases.findLast(
      (release) => release.commit === commit && isPinned(repository, release.image.digest),
    );
    if (known?.image.digest !== undefined) found.set(service, known.image.digest);
  }
  if (building.every(({ service }) => found.has(service))) return found;
  const names = [request.rollbackTo.kind === 'git' ? request.rollbackTo.ref : undefined, request.ref, invocation.ref];
  const missing = building.map(({ service }) => service).filter((service) => !found.has(service));
  const tags = [...new Set(names.flatMap((name) => name ?? []))];
  const { images, told } = await codeHost.recordedImages(commit, tags, missing);
  for (const service of missing) {
    const reference = images[service];
    if (isPinned(repositoryOf(request, service) ?? '', reference)) found.set(service, reference);
    else if ((!told || nobodyRecords(viewing)) && look !== undefined) {
      const inRegistry = await look(service, commit);
      if (inRegistry !== undefined) found.set(service, inRegistry);
    }
  }
  return found;
}

/** Outside of an environment there is no deployment that would have the digest: that GitHub has none says nothing. */
function nobodyRecords({ request }: Viewing): boolean {
  return request.deployment.environment === undefined;
}

/**
 * The image that the registry has for a commit, where nobody could be asked for its digest: a second build of the commit would
 * be another image, and would take its name.
 * @returns its digest; undefined when there is none
 */
export async function imageInRegistry(session: Session, service: string, commit: string): Promise<string | undefined> {
  const { engine, compose, request, progress } = session;
  const repository = repositoryOf(request, service) ?? '';
  const reference = pushedAs(repository, commit);
  try {
    await compose.pull(reference, () => undefined, session.signal, request.commandTimeoutMs);
    const pinned = digestIn(await engine.image(reference), repository);
    if (pinned !== undefined)
      progress.warning(
        `${service}: which image was built for the commit is not known here; ${reference} is taken, ${pinned}`,
      );
    return pinned;
  } catch (error) {
    session.signal.throwIfAborted();
    progress.debug(`${reference}: ${String(error)}`);
    return undefined;
  } finally {
    await engine.untagImage(reference);
  }
}

/** @throws ProcedureError E_INPUT when the images of two services would go to one place */
function requireRepositories(pushTo: string, building: readonly Building[]): void {
  if (building.length < 2 || tellsServicesApart(pushTo)) return;
  const names = building.map(({ service }) => service).join(', ');
  throw new ProcedureError('E_INPUT', `push-to: ${pushTo} would hold the images of several services (${names})`, {
    next: `Write it with {service} in it, as in ${pushTo}-{service}. Nothing was changed.`,
  });
}

/** @returns the step that pushes what was built, for the plan and for the run */
export function pushOperation(
  { request }: Viewing,
  service: string,
  commit: string | undefined,
  tag: string,
): OperationOf<'push-image'> | undefined {
  const repository = repositoryOf(request, service);
  if (repository === undefined || commit === undefined) return undefined;
  return { kind: 'push-image', service, image: tag, reference: pushedAs(repository, commit) };
}

/**
 * Pushes what was built, before anything that runs is touched: what is deployed here can be deployed again everywhere.
 * @returns the image by its digest in the registry; undefined when nothing is pushed
 * @throws ProcedureError E_PUSH
 */
export async function pushBuilt(
  session: Session,
  service: string,
  commit: string | undefined,
  tag: string,
): Promise<string | undefined> {
  const operation = pushOperation(session, service, commit, tag);
  if (operation === undefined) return undefined;
  await session.execute(operation, session.signal);
  const reference = session.recorder.pushed.get(service);
  if (reference === undefined) {
    throw new ProcedureError('E_PUSH', `The engine does not know the digest of ${operation.reference}`, {
      next: 'Look at the image in the registry; run again. Nothing that runs was touched.',
    });
  }
  return reference;
}

/** Carries out the push; the name it needs on the engine is taken away again, so that it keeps no image from cleaning up. */
export async function pushImage(
  session: Session,
  { service, image, reference }: OperationOf<'push-image'>,
  signal: AbortSignal,
): Promise<void> {
  const { engine, compose, request, progress, redactor, recorder } = session;
  const onLine = (line: string): void => progress.info(`  │ ${redactor.text(line)}`);
  await engine.tagImage(image, reference);
  try {
    await compose.push(reference, onLine, signal, request.commandTimeoutMs);
    const pinned = digestIn(await engine.image(reference), repositoryOf(request, service) ?? '');
    if (pinned !== undefined) recorder.pushed.set(service, pinned);
  } finally {
    await engine.untagImage(reference);
  }
}

function digestIn(image: ImageFacts | undefined, repository: string): string | undefined {
  return image?.digests.find((digest) => isPinned(repository, digest));
}

/**
 * Keeps for the records which images of the commit are in the registry for good, whoever pushed them.
 * @param releases those of the commit count; services that go back may come from several
 * @returns the images, by service
 */
export function rememberPinned(
  { request, recorder }: Session,
  commit: string | undefined,
  releases: readonly Pick<Release, 'service' | 'image' | 'commit'>[],
): Readonly<Record<string, string>> {
  const { pushTo } = request;
  if (pushTo !== undefined && commit !== undefined) {
    for (const { service, image, commit: of } of releases) {
      if (of === commit && isPinned(repositoryFor(pushTo, service), image.digest))
        recorder.pinned.set(service, image.digest);
    }
  }
  return Object.fromEntries(recorder.pinned);
}
