import { z } from 'zod';
import type { Approval } from '../model/ports/code-host.js';
import type { Ask } from './issues.js';

const schema = z.looseObject({
  protection_rules: z
    .array(z.looseObject({ type: z.string(), reviewers: z.array(z.looseObject({ reviewer: z.unknown() })).nullish() }))
    .nullish(),
});
const named = z.looseObject({ login: z.string().optional(), slug: z.string().optional() });

/**
 * Who has to approve a job of an environment. Private repositories have such a rule on some plans only; without one GitHub
 * asks nobody, and says nothing of it. https://docs.github.com/rest/deployments/environments#get-an-environment; needs
 * `actions: read`.
 */
export async function findApproval(ask: Ask, environment: string): Promise<Approval> {
  const { data } = await ask('GET /repos/{owner}/{repo}/environments/{environment_name}', {
    environment_name: environment,
  });
  const rules = schema.parse(data).protection_rules ?? [];
  const reviewers = rules.flatMap(({ type, reviewers: asked }) =>
    type === 'required_reviewers' ? (asked ?? []).map(({ reviewer }) => nameOf(reviewer)) : [],
  );
  return reviewers.length === 0 ? { kind: 'nobody' } : { kind: 'asked', reviewers };
}

function nameOf(reviewer: unknown): string {
  const { login, slug } = named.safeParse(reviewer).data ?? {};
  return login ?? slug ?? 'somebody';
}
