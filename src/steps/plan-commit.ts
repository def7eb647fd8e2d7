import path from 'node:path';
import { canonicalJson } from '../model/canonical.js';
import { definitionDiff } from '../model/definition-diff.js';
import { ProcedureError } from '../model/errors.js';
import { lifetimeOf } from '../model/job.js';
import type { Operation } from '../operations/operation.js';
import type { Decision } from '../model/plan.js';
import type { Plan } from '../operations/plan.js';
import { policyOf } from '../model/project-policy.js';
import { definitionOf, keptImageTag, mountedPaths } from '../model/release.js';
import { dependencyOrder, type ComposeProject, type ServiceDefinition } from '../model/service.js';
import { isolatedTree } from './isolated-tree.js';
import { keptDefinitions } from './kept-definitions.js';
import { withDependents } from './left-dependents.js';
import { observe } from './observe.js';
import { liveTarget, requireServices } from './open-project.js';
import { planFor } from './plan-service.js';
import { viewedCandidate } from './preview.js';
import type { Viewing } from './session.js';
import { fetchCommit, showNew } from './source.js';
import { trafficFacts } from './traffic-facts.js';

/** Longest diff that is kept of one service. */
const LONGEST_DIFF = 100;

export interface PlannedCommit {
  readonly commit: string;
  readonly plan: Plan;
  /** Services that the commit's compose files no longer have; a deploy leaves them alone. */
  readonly gone: readonly string[];
  /** What differs in `x-rolling-restart:`, as lines of a diff. */
  readonly policy: readonly string[];
}

/**
 * What deploying a commit would do, for a commit that nobody has merged. Both it and the commit that is live are rendered
 * where Compose sees nothing of the host, with stand-ins for the host's variables, so that what differs is what the
 * commit changes; nothing of it is executed, built or pulled.
 */
export async function planCommit(viewing: Viewing): Promise<PlannedCommit> {
  const { opened, request } = viewing;
  const top = opened.checkout?.topLevel;
  const base = opened.checkout?.commit;
  const wanted = await fetchCommit(viewing, opened, viewing.signal);
  if (top === undefined || base === undefined || wanted === undefined) {
    throw new ProcedureError('E_SOURCE', `${request.workingDirectory} is not a git checkout with a commit`, {
      next: 'A plan compares a commit with the one that is live: use it with a live checkout. Nothing was changed.',
    });
  }
  await showNew(viewing, opened, wanted);
  const before = await renderCommit(viewing, top, base);
  const after = await renderCommit(viewing, top, wanted.commit);
  requireServices(request.services, [...Object.keys(after.services), ...Object.keys(before.services)]);
  const preparation: Operation[] = [];
  const services: Plan['services'][number][] = [];
  for (const name of dependencyOrder(after)) {
    const definition = after.services[name];
    if (definition === undefined || (request.services.length > 0 && !request.services.includes(name))) continue;
    const one = { name, definition, before, after, top, commits: [base, wanted.commit] as const };
    const { plan, builds } = await planOne(viewing, one);
    if (builds !== undefined) preparation.push(builds);
    services.push(plan);
  }
  const gone = Object.keys(before.services).filter((name) => after.services[name] === undefined);
  const plan = withDependents(after, { procedure: 'code-update', preparation, services });
  return { commit: wanted.commit, plan, gone, policy: policyDiff(before, after) };
}

async function renderCommit(viewing: Viewing, top: string, commit: string): Promise<ComposeProject> {
  const { opened, request, project, isolated, signal } = viewing;
  const { place } = opened;
  // What COMPOSE_FILE of the host's environment names is named here, where Compose does not have it.
  const files = place.byDefault ? [] : place.files;
  const target = { ...liveTarget(request), files, projectName: opened.live.name };
  const tree = await isolatedTree(viewing, { top, commit, target });
  const envFiles = target.envFiles.filter((file) => tree.has(file));
  return isolated.render({ ...target, envFiles }, tree, { project, signal }).catch((error: unknown) => {
    if (!(error instanceof ProcedureError) || error.code !== 'E_COMPOSE_FILE') throw error;
    throw new ProcedureError('E_COMPOSE_FILE', `In commit ${commit.slice(0, 12)}: ${error.message}`, {
      next: 'It was rendered where Compose sees the files of the commit and none of the host: what it names has to be in the repository. Nothing was changed.',
      cause: error,
      excerpt: error.excerpt,
    });
  });
}

interface One {
  readonly name: string;
  readonly definition: ServiceDefinition;
  readonly before: ComposeProject;
  readonly after: ComposeProject;
  readonly top: string;
  readonly commits: readonly [string, string];
}

async function planOne(
  viewing: Viewing,
  one: One,
): Promise<{ readonly plan: Plan['services'][number]; readonly builds: Operation | undefined }> {
  const { name, definition, after } = one;
  const current = await observe(viewing.engine, viewing, viewing.project, name);
  const { decision, diff, built } = await decideOne(
    viewing,
    one,
    current.containers.length > 0 || current.release !== undefined,
  );
  // Another image is neither built nor pulled for a plan.
  const image = built || one.before.services[name]?.image !== definition.image ? undefined : current.image;
  const candidate = {
    ...viewedCandidate(viewing, {
      service: name,
      definition,
      policy: policyOf(after.policy, name),
      current,
      commit: one.commits[1],
      lifetime: lifetimeOf(after, name),
    }),
    ...(await trafficFacts(viewing, after, definition, current, image)),
    decision,
    diff,
    keptDefinitions: await keptDefinitions(viewing, definitionOf(after, definition), current),
  };
  const { id } = candidate.release;
  const tag = keptImageTag(viewing.project, name, id);
  return {
    plan: planFor(viewing, candidate, one.commits[0]),
    builds: built ? { kind: 'build-image', service: name, tag, pullBase: false } : undefined,
  };
}

interface Decided {
  readonly decision: Decision;
  readonly diff: readonly string[];
  readonly built: boolean;
}

async function decideOne(viewing: Viewing, one: One, exists: boolean): Promise<Decided> {
  const { name, definition, before, after } = one;
  const old = before.services[name];
  const building = definition.build !== undefined;
  const reasons: string[] = [];
  const [was, is] = [old === undefined ? {} : partOf(before, old), partOf(after, definition)];
  const diff = canonicalJson(was) === canonicalJson(is) ? [] : definitionDiff(bothWays(was), bothWays(is));
  const title = [`--- ${name}: ${old === undefined ? 'not there' : 'live'}`, `+++ ${name}: this commit`];
  const shown = diff.length === 0 ? [] : [...title, ...diff.slice(0, LONGEST_DIFF)];
  if (old === undefined || !exists) return { decision: { kind: 'first-deploy' }, diff: shown, built: building };
  if (diff.length > 0) reasons.push('the definition in the compose files differs');
  const built =
    building &&
    (canonicalJson(old.raw['build']) !== canonicalJson(definition.raw['build']) ||
      (await differs(viewing, one, contextsOf(definition))));
  if (built) reasons.push('what its image is made of differs: the image will be built');
  if (definition.image !== old.image && !building) reasons.push(`the image will be ${definition.image}`);
  const files = mountedPaths(after, definition);
  if (await differs(viewing, one, files)) reasons.push('files that it mounts differ');
  return {
    decision: reasons.length === 0 ? { kind: 'unchanged', release: undefined } : { kind: 'change', reasons },
    diff: shown,
    built,
  };
}

/** Whether git has something else at one of the paths; what lies outside of the checkout is not looked at. */
async function differs(
  { source }: Viewing,
  { top, commits }: One,
  paths: readonly (string | undefined)[],
): Promise<boolean> {
  for (const wanted of paths) {
    if (wanted === undefined) continue;
    const inside = path.relative(top, wanted);
    if (inside.startsWith('..') || path.isAbsolute(inside)) continue;
    const [was, is] = await Promise.all(
      commits.map((commit) => source.treeId(top, commit, inside === '' ? '.' : inside)),
    );
    if (was !== is) return true;
  }
  return false;
}

/** What an image is made of: its context, its Dockerfile, which may lie elsewhere, and the contexts beside it. */
function contextsOf({ raw }: ServiceDefinition): readonly string[] {
  const { context, dockerfile, additional_contexts: more } = (raw['build'] ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof context !== 'string') return [];
  const file = typeof dockerfile === 'string' ? [path.resolve(context, dockerfile)] : [];
  const others = Object.values(more ?? {}).filter((one): one is string => typeof one === 'string');
  return [context, ...file, ...others.filter((one) => path.isAbsolute(one))];
}

function partOf(project: ComposeProject, definition: ServiceDefinition): Readonly<Record<string, unknown>> {
  const { services, ...rest } = definitionOf(project, definition) as {
    readonly services: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  };
  return { ...services[definition.name], build: definition.raw['build'], project: rest };
}

/** How the project is changed is in the compose file too, and decides what runs on the host. */
function policyDiff(before: ComposeProject, after: ComposeProject): readonly string[] {
  const [was, is] = [before, after].map(({ document }) => document['x-rolling-restart'] ?? {});
  const diff = definitionDiff(bothWays(was), bothWays(is));
  if (diff.length === 0) return [];
  return ['--- x-rolling-restart: live', '+++ x-rolling-restart: this commit', ...diff.slice(0, LONGEST_DIFF)];
}

/** Stand-ins are no secrets, and what the repository itself says is read by whoever reads the plan. */
function bothWays(part: unknown): { readonly raw: unknown; readonly shown: unknown } {
  return { raw: part, shown: part };
}
