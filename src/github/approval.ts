import { z } from 'zod';
import type { Approval } from '../model/approval.js';
import type { Ask } from './issues.js';

const environmentSchema = z.looseObject({
  protection_rules: z
    .array(z.looseObject({ type: z.string(), reviewers: z.array(z.looseObject({ reviewer: z.unknown() })).nullish() }))
    .nullish(),
});
const reviewsSchema = z.array(
  z.looseObject({
    state: z.string(),
    environments: z.array(z.looseObject({ name: z.string().optional() })),
    user: z.unknown(),
  }),
);
const named = z.looseObject({ login: z.string().optional(), slug: z.string().optional() });

/**
 * Who has to approve a job of an environment, and who did in this run. Private repositories have such a rule on some plans
 * only; without one GitHub asks nobody, and says nothing of it. Needs `actions: read`.
 * https://docs.github.com/rest/deployments/environments#get-an-environment
 * https://docs.github.com/rest/actions/workflow-runs#get-the-review-history-for-a-workflow-run
 * @param run GitHub's number of this run; undefined outside of a workflow
 */
export async function findApproval(ask: Ask, environment: string, run: string | undefined): Promise<Approval> {
  const { data } = await ask('GET /repos/{owner}/{repo}/environments/{environment_name}', {
    environment_name: environment,
  });
  const rules = environmentSchema.parse(data).protection_rules ?? [];
  const reviewers = rules.flatMap(({ type, reviewers: asked }) =>
    type === 'required_reviewers' ? (asked ?? []).map(({ reviewer }) => nameOf(reviewer)) : [],
  );
  if (reviewers.length === 0) return { kind: 'nobody' };
  // Who is asked is worth knowing alone.
  const approvedBy = run === undefined ? [] : await approversOf(ask, environment, run).catch(() => []);
  return { kind: 'asked', reviewers, approvedBy };
}

async function approversOf(ask: Ask, environment: string, run: string): Promise<readonly string[]> {
  const { data } = await ask('GET /repos/{owner}/{repo}/actions/runs/{run_id}/approvals', { run_id: Number(run) });
  const approvals = reviewsSchema
    .parse(data)
    .filter(
      ({ state, environments }) => state === 'approved' && environments.some(({ name }) => isSame(name, environment)),
    );
  return [...new Set(approvals.map(({ user }) => nameOf(user)))];
}

/** GitHub does not tell an environment from one that is written with other capitals. */
function isSame(name: string | undefined, environment: string): boolean {
  return name?.toLowerCase() === environment.toLowerCase();
}

function nameOf(reviewer: unknown): string {
  const { login, slug } = named.safeParse(reviewer).data ?? {};
  return login ?? slug ?? 'somebody';
}
