import { z } from 'zod';
import type { DeploymentOrigin, DeploymentStart, DeploymentStatus } from '../model/deployment.js';
import type { DeploymentId, Deployments, Place } from '../model/ports/deployments.js';
import { connect, mayBeOtherwise, type GitHubAccess, type Once } from './client.js';
import type { Ask } from './issues.js';

/** For one step, its tries included. */
const DEADLINE_MS = 12_000;
/** Older records than these are not looked at; GitHub gives no more at once. */
const LOOKED_AT = 100;
/** Records whose statuses are asked for, newest first: there is one that is live, and those that runs left. */
const OTHERS = 20;

/** What a record says that was not ended, or is not said to be over. */
const LEFT: ReadonlySet<string | undefined> = new Set([undefined, 'success', 'in_progress']);

const KEY = 'rolling-restart';

const deploymentSchema = z.looseObject({ id: z.number(), sha: z.string(), payload: z.unknown() });
const statusesSchema = z.array(z.looseObject({ state: z.string() }));
const originSchema = z.looseObject({ run: z.string(), project: z.string(), host: z.string() });

interface Known {
  readonly id: DeploymentId;
  readonly sha: string;
  readonly origin: Pick<DeploymentOrigin, 'run' | 'project' | 'host'>;
}

type Asking = (once?: Once) => Ask;

/** GitHub's Deployments. The token needs `deployments: write`. */
export function createDeployments(access: GitHubAccess): Deployments {
  return {
    async begin(start) {
      return create(await connect(access, DEADLINE_MS), start);
    },

    async report(id, status) {
      await report((await connect(access, DEADLINE_MS))(), id, status);
    },

    async unfinished(environment, run) {
      const ask = (await connect(access, DEADLINE_MS))();
      const found = (await ours(ask, environment)).find(({ origin }) => origin.run === run);
      if (found === undefined) return undefined;
      // Without any, the run was killed before it said a word.
      const state = await stateOf(ask, found.id);
      return state === undefined || state === 'in_progress' ? found.id : undefined;
    },

    async retireOthers(environment, id, place, status) {
      const ask = (await connect(access, DEADLINE_MS))();
      const others = (await ours(ask, environment)).filter((one) => one.id !== id && isAt(one, place)).slice(0, OTHERS);
      const states = await Promise.all(others.map((one) => stateOf(ask, one.id)));
      // Without any, it was made and GitHub never heard more of it.
      const left = others.filter((_, index) => LEFT.has(states[index]));
      for (const one of left) await report(ask, one.id, status);
      return left.length;
    },

    async liveBefore(environment, id, place, commit) {
      const ask = (await connect(access, DEADLINE_MS))();
      const same = (await ours(ask, environment)).filter(
        (one) => one.id !== id && one.sha === commit && isAt(one, place),
      );
      for (const one of same.slice(0, OTHERS)) {
        if ((await statesOf(ask, one.id)).includes('success')) return one.id;
      }
      return undefined;
    },
  };
}

/**
 * `auto_merge: false` and `required_contexts: []`: what is to be deployed is decided, and neither other branches nor
 * checks have a say. The request is not repeated blindly: an answer that was lost may have made the record.
 */
async function create(ask: Asking, { environment, commit, description, origin }: DeploymentStart): Promise<number> {
  const body = {
    ref: commit,
    environment,
    description,
    task: 'deploy',
    auto_merge: false,
    required_contexts: [],
    payload: { [KEY]: origin },
  };
  const make = async (): Promise<number> => {
    const { data } = await ask('once')('POST /repos/{owner}/{repo}/deployments', body);
    return deploymentSchema.parse(data).id;
  };
  try {
    return await make();
  } catch (error) {
    if (!mayBeOtherwise(error)) throw error;
    const made = (await ours(ask(), environment)).find(({ origin: { run } }) => run === origin.run);
    return made?.id ?? make();
  }
}

async function report(ask: Ask, id: DeploymentId, status: DeploymentStatus): Promise<void> {
  await ask('POST /repos/{owner}/{repo}/deployments/{deployment_id}/statuses', {
    deployment_id: id,
    state: status.state,
    description: status.description,
    ...(status.logUrl === undefined ? {} : { log_url: status.logUrl }),
    ...(status.environmentUrl === undefined ? {} : { environment_url: status.environmentUrl }),
    // Which records are over is known here, and it depends on the host as well as on the environment.
    auto_inactive: false,
  });
}

/** @returns records that we made in the environment, newest first */
async function ours(ask: Ask, environment: string): Promise<readonly Known[]> {
  const query = { environment, per_page: LOOKED_AT };
  const { data } = await ask('GET /repos/{owner}/{repo}/deployments', query);
  return z
    .array(deploymentSchema)
    .parse(data)
    .flatMap(({ id, sha, payload }) => {
      const origin = originSchema.safeParse(payloadOf(payload)[KEY]);
      return origin.success ? [{ id, sha, origin: origin.data }] : [];
    });
}

/** GitHub gives a payload back as an object, and older servers as the text of one. */
function payloadOf(payload: unknown): Readonly<Record<string, unknown>> {
  const value = typeof payload === 'string' ? textOf(payload) : payload;
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

function textOf(payload: string): unknown {
  try {
    return JSON.parse(payload);
  } catch {
    return undefined; // somebody else's
  }
}

async function stateOf(ask: Ask, id: DeploymentId): Promise<string | undefined> {
  return (await statesOf(ask, id))[0];
}

/** Newest first. */
async function statesOf(ask: Ask, id: DeploymentId): Promise<readonly string[]> {
  const query = { deployment_id: id, per_page: LOOKED_AT };
  const { data } = await ask('GET /repos/{owner}/{repo}/deployments/{deployment_id}/statuses', query);
  return statusesSchema.parse(data).map(({ state }) => state);
}

function isAt({ origin }: Known, place: Place): boolean {
  return origin.project === place.project && origin.host === place.host;
}
