import { asProcedureError } from '../model/errors.js';
import { differenceOf, type ContainerFacts, type Difference, type ServiceState } from '../model/live-state.js';
import { changesService, type Operation } from '../operations/operation.js';
import { hashesOf } from './replace.js';
import type { Session } from './session.js';

/**
 * Remembers what was there before the effects of a run, and compares at its end: which branch of the code was reached does
 * not tell whether anything changed.
 */
export class ChangeMeter {
  private commit: string | undefined;
  /** Each service as it was before the first operation that may change it. */
  private readonly services = new Map<string, ServiceState>();
  /** What names meant before this run moved them. */
  private readonly tags = new Map<string, string | undefined>();
  private begun = false;
  private unread = false;

  /** To be called before each operation. Never throws: where nothing could be read, what was begun decides. */
  async beforeEffect(session: Session, operation: Operation): Promise<void> {
    if (!changesService(operation)) return;
    if (!this.begun) this.commit = session.liveCommit.value;
    this.begun = true;
    if (!('service' in operation) || this.unread) return;
    // In an emergency nobody waits for a reading, least of all of an engine that hangs.
    this.unread = session.request.procedure === 'emergency';
    if (this.unread) return;
    try {
      if (!this.services.has(operation.service)) {
        this.services.set(operation.service, await readService(session, operation.service));
      }
      if (operation.kind === 'tag-image' && !this.tags.has(operation.tag)) {
        this.tags.set(operation.tag, (await session.engine.image(operation.tag))?.id);
      }
    } catch (error) {
      this.unread = true;
      session.progress.debug(`what was there before: ${asProcedureError(error).message}`);
    }
  }

  /** @returns undefined when it cannot be told; `same` when nothing was begun that could change anything */
  async difference(session: Session): Promise<Difference | undefined> {
    if (!this.begun) return 'same';
    if (this.unread) return undefined;
    try {
      const services: Record<string, ServiceState> = {};
      for (const [name, before] of this.services) services[name] = await readAgain(session, name, before);
      const tags: Record<string, string | undefined> = {};
      for (const name of this.tags.keys()) tags[name] = (await session.engine.image(name))?.id;
      const before = {
        services: Object.fromEntries(this.services),
        tags: Object.fromEntries(this.tags),
        commit: this.commit,
      };
      return differenceOf(before, { services, tags, commit: await commitOf(session) });
    } catch (error) {
      session.progress.debug(`what is there now: ${asProcedureError(error).message}`);
      return undefined;
    }
  }
}

async function commitOf({ opened, source, request }: Session): Promise<string | undefined> {
  if (opened.checkout === undefined) return undefined;
  return (await source.inspect(request.workingDirectory))?.commit;
}

async function readService({ engine, edges, project }: Session, service: string): Promise<ServiceState> {
  const [containers, edge] = await Promise.all([engine.containers(project, service), edges.find(project, service)]);
  return {
    edge: edge?.open === true,
    containers: containers.map(({ id, state, startedAt, imageId, composeHash }) => {
      return { id, running: state === 'running', startedAt, imageId, composeHash };
    }),
  };
}

async function readAgain(session: Session, service: string, before: ServiceState): Promise<ServiceState> {
  const now = await readService(session, service);
  return { ...now, containers: await withKnownHashes(session, service, before.containers, now.containers) };
}

/** A release that was made anew may carry the hash that Compose computes today, which stands for the recorded one. */
async function withKnownHashes(
  session: Session,
  service: string,
  before: readonly ContainerFacts[],
  after: readonly ContainerFacts[],
): Promise<readonly ContainerFacts[]> {
  const earlier = new Set(before.map(({ composeHash }) => composeHash));
  if (after.every(({ composeHash }) => earlier.has(composeHash))) return after;
  const stands = new Map<string, string>();
  const { releases } = await session.ledger.history(service);
  for (const { id, composeHash } of releases.filter((one) => earlier.has(one.composeHash))) {
    const release = await session.ledger.definition(id);
    if (release === undefined) continue;
    for (const hash of await hashesOf(session, release)) stands.set(hash, composeHash);
  }
  return after.map((one) => ({ ...one, composeHash: stands.get(one.composeHash) ?? one.composeHash }));
}
