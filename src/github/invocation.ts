import { randomBytes } from 'node:crypto';
import { hostname, userInfo } from 'node:os';
import type { Invocation } from '../model/request.js';

/**
 * Who runs this and where, from the runner's variables, or from the shell when there are none.
 *
 * Read here and not through @actions/github: its context reads the event's payload and brings an HTTP client along, which
 * costs a tenth of a second before the first line (measured), and none of it is needed to know who runs this.
 * Variables: https://docs.github.com/actions/reference/workflows-and-actions/variables
 */
export function readInvocation(
  environment: Readonly<Record<string, string | undefined>> = process.env,
  host: InvocationHost = thisHost(),
): Invocation {
  const given = (name: string): string | undefined => {
    const value = environment[name]?.trim();
    return value === '' ? undefined : value;
  };
  const github = given('GITHUB_RUN_ID');
  const attempt = Number(given('GITHUB_RUN_ATTEMPT') ?? '1');
  return {
    runId: runId(host, github),
    actor: actor(given, host),
    runUrl: runUrl(given, github, attempt),
    sha: given('GITHUB_SHA'),
    ref: given('GITHUB_REF'),
    attempt: Number.isSafeInteger(attempt) && attempt > 0 ? attempt : 1,
    host: host.name,
  };
}

/** What an invocation takes from the machine. */
export interface InvocationHost {
  readonly now: Date;
  readonly name: string;
  readonly user: string;
  readonly pid: number;
  /** Eight hexadecimal digits: two jobs of one run, or two shells with the same pid on two hosts, are two runs. */
  readonly entropy: string;
}

function thisHost(): InvocationHost {
  return {
    now: new Date(),
    name: hostname(),
    user: userName(),
    pid: process.pid,
    entropy: randomBytes(4).toString('hex'),
  };
}

/** A container may run as a user id without a name; userInfo throws then. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}

/** Sorts by time: `20261124T031502-1234567-9f86d081`. Made of letters, digits and `-`: it names files and volumes. */
function runId({ now, pid, entropy }: InvocationHost, github: string | undefined): string {
  const stamp = now.toISOString().replaceAll(/[-:]|\.\d+Z/g, '');
  return `${stamp}-${(github ?? String(pid)).replaceAll(/[^0-9A-Za-z]/g, '')}-${entropy}`;
}

/** Whoever started a re-run is its actor, not whoever pushed in the first place. */
function actor(given: (name: string) => string | undefined, host: InvocationHost): string {
  const person = given('GITHUB_TRIGGERING_ACTOR') ?? given('GITHUB_ACTOR');
  if (person !== undefined) return `${person} via ${given('GITHUB_EVENT_NAME') ?? 'a workflow'}`;
  return `${host.user} at shell`;
}

function runUrl(
  given: (name: string) => string | undefined,
  run: string | undefined,
  attempt: number,
): string | undefined {
  const repository = given('GITHUB_REPOSITORY');
  if (repository === undefined || run === undefined) return undefined;
  const base = `${given('GITHUB_SERVER_URL') ?? 'https://github.com'}/${repository}/actions/runs/${run}`;
  return attempt > 1 ? `${base}/attempts/${attempt}` : base;
}
