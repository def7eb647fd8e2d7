import { randomBytes } from 'node:crypto';
import { ProcedureError } from '../model/errors.js';
import { lifetimeOf, type Lifetime } from '../model/job.js';
import type { Decision } from '../model/plan.js';
import { configHash, definitionOf, mountedPaths, newReleaseId, type ReleaseId } from '../model/release.js';
import { wantedReplicas } from '../model/replicas.js';
import type { ComposeProject, ServiceDefinition } from '../model/service.js';
import { decide } from '../strategies/decide.js';
import type { Current } from './candidate.js';
import { otherInlineFiles } from './contents.js';
import { hashFiles } from './files.js';
import { takenOverFrom } from './project-owner.js';
import { keptDefinitions, warnOfKept } from './kept-definitions.js';
import type { Viewing } from './session.js';
import { unlessBroken } from './serving.js';
import { currentFacts } from './way-back.js';
import type { WantedProject } from './wanted.js';

/** What a service is to become, as far as it is known without building or pulling anything. */
export interface Described {
  readonly service: string;
  readonly id: ReleaseId;
  readonly definition: ServiceDefinition;
  readonly current: Current;
  readonly composeHash: string;
  readonly configHash: string;
  /** The compose document reduced to this service. A secret. */
  readonly document: Readonly<Record<string, unknown>>;
  readonly files: Readonly<Record<string, string>>;
  readonly namedImage: string | undefined;
  readonly replicas: number;
  /** Networks and volumes that the engine has with another definition, one sentence each. */
  readonly keptDefinitions: readonly string[];
  /** Configs and secrets of which the containers have something else. */
  readonly otherContents: readonly string[];
  readonly takenOverFrom: string | undefined;
  readonly lifetime: Lifetime;
}

/** @param hashes Compose's hash of every service of the wanted project */
export async function describeWanted(
  viewing: Viewing,
  wanted: WantedProject,
  service: string,
  hashes: Readonly<Record<string, string>>,
  current: Current,
): Promise<Described> {
  const definition = serviceOf(wanted.project, service);
  const document = definitionOf(wanted.project, definition);
  const lifetime = lifetimeOf(wanted.project, service);
  const kept = await keptDefinitions(viewing, document, current);
  warnOfKept(viewing, service, kept);
  const files = await hashFiles(mountedPaths(wanted.project, definition), wanted.roots, viewing.source);
  return {
    service,
    id: newReleaseId(new Date(viewing.clock.now()), randomBytes(3).toString('hex')),
    definition,
    current,
    composeHash: hashes[service] ?? '',
    configHash: configHash(document, files),
    document,
    files,
    namedImage: (await viewing.engine.image(definition.image))?.id,
    replicas: wantedReplicas(definition, lifetime, current.containers.length),
    lifetime,
    keptDefinitions: kept,
    otherContents: await otherContents(viewing, wanted, definition, current),
    takenOverFrom: await takenOverFrom(viewing, current.containers),
  };
}

/** What cannot be read in a container is no reason to change it: it could not be read afterwards either. */
async function otherContents(
  viewing: Viewing,
  { project }: WantedProject,
  definition: ServiceDefinition,
  { containers }: Current,
): Promise<readonly string[]> {
  const others = await otherInlineFiles(viewing, project, definition, containers);
  return others.flatMap(({ label, content }) => (content === undefined ? [] : [label]));
}

/**
 * @param fingerprint identity of the wanted image; undefined when nothing was built or pulled
 * @throws ProcedureError E_VERIFICATION when all is as wanted, and nobody can tell whether it serves
 */
export async function decideDescribed(
  viewing: Viewing,
  wanted: WantedProject,
  one: Described,
  fingerprint: string | undefined,
): Promise<Decision> {
  const { configHash: hash, composeHash, replicas, files, lifetime, current } = one;
  const { otherContents, takenOverFrom } = one;
  const decision = decide(
    {
      configHash: hash,
      composeHash,
      fingerprint,
      commit: wanted.commit,
      replicas,
      files,
      lifetime,
      otherContents,
      takenOverFrom,
    },
    currentFacts(current),
  );
  return unlessBroken(viewing, one.service, decision, current);
}

/** @throws ProcedureError E_SERVICE when the wanted commit has no such service */
function serviceOf(project: ComposeProject, service: string): ServiceDefinition {
  const definition = project.services[service];
  if (definition !== undefined) return definition;
  throw new ProcedureError('E_SERVICE', `The wanted compose files have no service "${service}"`, {
    next: `They have: ${Object.keys(project.services).sort().join(', ')}. Nothing was changed.`,
  });
}
