import { ProcedureError } from '../../model/errors.js';
import type { Run } from '../../run/run.js';
import type { GateFinding } from './pass-gate.js';

/** Runbook: always test in staging first. The same commit has to have been deployed there, by what the forge knows. */
export async function stagingGate(run: Run, commit: string): Promise<GateFinding> {
  const environment = run.request.requireEnvironment;
  if (environment === undefined) return { kind: 'pass', detail: 'no other environment is asked for' };
  const found = await run.codeHost.deploymentOf(commit, environment);
  const what = `commit ${commit.slice(0, 12)} in environment ${environment}`;
  switch (found.kind) {
    case 'succeeded':
      return { kind: 'pass', detail: `${what} was deployed on ${found.at}` };
    case 'not-there':
      return refuse(
        `There is no successful deployment of ${what}${found.last === undefined ? '' : ` (the last is ${found.last})`}`,
        'Deploy it there first',
      );
    case 'unknown':
      return refuse(
        `Whether ${what} was deployed cannot be told: ${found.reason}`,
        'Give github-token (deployments: read)',
      );
  }
}

function refuse(message: string, how: string): GateFinding {
  return {
    kind: 'refuse',
    error: new ProcedureError('E_GATE', message, {
      next: `${how}, or set gates: staging=warn or force: true. Nothing was changed.`,
    }),
  };
}
