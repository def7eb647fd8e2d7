import { z } from 'zod';
import type { DeploymentFound } from '../model/ports/code-host.js';
import type { Ask } from './issues.js';

const deployments = z.array(z.looseObject({ id: z.number() }));
const statuses = z.array(z.looseObject({ state: z.string(), created_at: z.string() }));
/** A later deployment makes an earlier one inactive: that says nothing of how it went. */
const VERDICTS: ReadonlySet<string> = new Set(['success', 'failure', 'error']);
const LOOKED_AT = 5;

/** https://docs.github.com/rest/deployments: newest first. Needs `deployments: read`. */
export async function findDeployment(ask: Ask, commit: string, environment: string): Promise<DeploymentFound> {
  const { data } = await ask('GET /repos/{owner}/{repo}/deployments', {
    sha: commit,
    environment,
    per_page: LOOKED_AT,
  });
  let last: string | undefined;
  for (const { id } of deployments.parse(data)) {
    const answer = await ask('GET /repos/{owner}/{repo}/deployments/{deployment_id}/statuses', { deployment_id: id });
    const all = statuses.parse(answer.data);
    const verdict = all.find(({ state }) => VERDICTS.has(state));
    if (verdict?.state === 'success') return { kind: 'succeeded', at: verdict.created_at };
    last ??= verdict?.state ?? all[0]?.state ?? 'pending';
  }
  return { kind: 'not-there', last };
}
