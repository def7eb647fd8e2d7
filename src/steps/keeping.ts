import { stat } from 'node:fs/promises';
import type { EdgePort } from '../model/edge.js';
import { ProcedureError } from '../model/errors.js';
import type { ImageFacts } from '../model/image.js';
import type { ServicePlan } from '../operations/plan.js';
import {
  inlineFiles,
  isAlive,
  type ComposeProject,
  type ObservedContainer,
  type ServiceDefinition,
} from '../model/service.js';
import { lossesOf, undecidedVolumes, withoutSlash, type Keeping } from '../strategies/losses.js';
import type { Candidate, Current } from './candidate.js';
import { volumeName } from './data-places.js';
import type { Viewing } from './session.js';

/** What is asked of, and what is known of it already. */
interface About {
  /** The wanted project, or one that is reduced to the service. */
  readonly project: Pick<ComposeProject, 'name' | 'volumes' | 'configs' | 'secrets'>;
  readonly definition: ServiceDefinition;
  readonly observed: readonly ObservedContainer[];
  readonly image: Pick<ImageFacts, 'volumes'> | undefined;
  readonly edgePorts: readonly EdgePort[] | undefined;
}

/** @returns what a change of a service has to keep; changes nothing */
export async function keepingOf(
  { engine, compose, project, data }: Viewing,
  { project: wanted, definition, observed, image, edgePorts }: About,
): Promise<Keeping> {
  const [borrowers, lentVolumes, composeKeepsVolumes, filledTargets] = await Promise.all([
    engine.borrowers(observed.filter(isAlive), project),
    lentTo(engine, observed),
    compose.keepsVolumes(definition.dependsOn.length > 0),
    filled(data, wanted, definition),
  ]);
  return {
    definition,
    observed,
    imageVolumes: image?.volumes,
    lentVolumes,
    filledTargets,
    inlineFiles: inlineFiles(wanted, definition).map(({ name }) => name),
    edgePorts,
    borrowers,
    composeKeepsVolumes,
    removedFirst: false,
  };
}

/** @returns the same of a service that keeps the definition of the live files: what is restarted, or stands still for a while */
export async function keepingOfLive(viewing: Viewing, service: string, current: Current): Promise<Keeping> {
  const { live } = viewing.opened;
  const definition = live.services[service];
  if (definition === undefined) {
    throw new ProcedureError('E_SERVICE', `The live compose files have no service "${service}"`, {
      next: 'Restore the service in the compose file. Nothing was changed.',
    });
  }
  const edge = await viewing.edges.find(viewing.project, service);
  const edgePorts = edge?.open === true ? edge.spec.ports : undefined;
  const { containers: observed, image } = current;
  return keepingOf(viewing, { project: live, definition, observed, image, edgePorts });
}

/** @returns a candidate whose containers, and those of the others that are named, are removed before its plan begins */
export function withRemovedFirst(candidate: Candidate, services: ReadonlySet<string>): Candidate {
  const { keeping } = candidate;
  const borrowers = keeping.borrowers.filter(({ service }) => service === undefined || !services.has(service));
  return { ...candidate, keeping: { ...keeping, borrowers, removedFirst: true } };
}

/**
 * Every plan that makes containers of a service, or stops and starts them, passes here: without that `execute` does not
 * carry it out.
 * @returns the plan, with what is not known yet
 * @throws ProcedureError E_WOULD_LOSE, before anything is touched and also with `force`
 */
export function requireKept({ kept, recorder }: Viewing, plan: ServicePlan, keeping: Keeping): ServicePlan {
  const { service, operations } = plan;
  const lost = lossesOf(keeping, operations);
  if (lost.length > 0) {
    const error = new ProcedureError('E_WOULD_LOSE', `${service}: ${lost.map(({ why }) => why).join('; ')}`, {
      next: `${sentence([...new Set(lost.map(({ change }) => change))].join('; '))}. Nothing was changed.`,
    });
    recorder.gates.push({ gate: 'losses', state: 'refused', detail: error.message });
    throw error;
  }
  kept.add(service);
  const undecided = undecidedVolumes(keeping, operations);
  if (undecided.length === 0) return plan;
  const note = `Its volume without a name at ${undecided.join(', ')} stays only if the new image has one there as well: that is known after the build or pull.`;
  return { ...plan, notes: [...plan.notes, note] };
}

/** @returns where containers have a volume without a name that is another container's */
async function lentTo(
  engine: Pick<Viewing['engine'], 'container'>,
  observed: readonly ObservedContainer[],
): Promise<readonly string[]> {
  const lenders = new Set(
    observed.flatMap(({ borrows }) => borrows.flatMap(({ what, from }) => (what === 'volumes' ? [from] : []))),
  );
  const found = await Promise.all([...lenders].map((id) => engine.container(id)));
  return found.flatMap((one) => one?.anonymousVolumes ?? []);
}

/** A volume that is there before Compose makes it, or a folder of the host: somebody has put something into it. */
async function filled(
  data: Viewing['data'],
  project: About['project'],
  { mounts }: ServiceDefinition,
): Promise<readonly string[]> {
  const found = await Promise.all(
    mounts.map(async ({ type, source, target }) => {
      if (source === undefined) return [];
      const there =
        type === 'volume' ? data.hasVolume(volumeName(project, source)) : type === 'bind' ? isThere(source) : false;
      return (await there) ? [withoutSlash(target)] : [];
    }),
  );
  return found.flat();
}

function isThere(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}

function sentence(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
