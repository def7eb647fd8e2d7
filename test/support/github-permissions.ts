/** What a job's token may do at GitHub, as far as this project asks for it: from the workflows as they are written. */
import { basename } from 'node:path';
import { EXAMPLE_WORKFLOWS, OWN_WORKFLOWS, readWorkflows, type WorkflowFile } from './workflow-files.js';

/** The token that jobs get from the harness; a person's own token may do what it may. */
export const JOB_TOKEN = 'token-of-the-harness';

/** `read` or `write`, by the names that `permissions:` has. */
export type Permissions = Readonly<Record<string, string>>;

/**
 * Permissions of each route: https://docs.github.com/rest/authentication/permissions-required-for-github-apps. The first
 * that fits counts.
 */
const NEEDED: readonly (readonly [method: RegExp, path: RegExp, name: string, level: 'read' | 'write'])[] = [
  [/GET/, /\/environments\/[^/]+$|\/actions\/runs\//, 'actions', 'read'],
  [/GET/, /\/commits\/\w+\/pulls$/, 'pull-requests', 'read'],
  [/GET/, /\/deployments/, 'deployments', 'read'],
  [/./, /\/deployments/, 'deployments', 'write'],
  [/GET/, /\/releases|\/git\//, 'contents', 'read'],
  [/./, /\/releases|\/git\//, 'contents', 'write'],
];

/** @returns in words what a request needs and was not granted; undefined when nothing is missing */
export function missingPermission(method: string, pathname: string, granted: Permissions): string | undefined {
  const found = NEEDED.find(([ofMethod, path]) => ofMethod.test(method) && path.test(pathname));
  // Of an issue and a pull request either permission is enough to write to it, where it is that.
  const isIssue = found === undefined && /\/issues/.test(pathname);
  const names = isIssue ? ['issues', 'pull-requests'] : [found?.[2] ?? 'contents'];
  const level = isIssue ? (method === 'GET' ? 'read' : 'write') : (found?.[3] ?? 'read');
  const has = names.some((name) => granted[name] === 'write' || granted[name] === level);
  return has ? undefined : `${method} ${pathname} needs ${names.join(' or ')}: ${level}, which the job does not have`;
}

/**
 * What the tokens of the jobs that an example caller starts may do, all of them together: a called job gets what it asks
 * for, and what the calling one has where it asks for nothing.
 */
export function grantedTo(caller: string): Permissions {
  const own = new Map(readWorkflows(OWN_WORKFLOWS).map((file) => [file.name, file]));
  const file = readWorkflows(EXAMPLE_WORKFLOWS).find(({ name }) => name === caller);
  if (file === undefined) throw new Error(`no example ${caller}`);
  return granted(file, {}, own);
}

function granted(file: WorkflowFile, above: Permissions, own: ReadonlyMap<string, WorkflowFile>): Permissions {
  const all = Object.values(file.jobs).map(({ uses, permissions }): Permissions => {
    const given = permissions ?? (file.permissions === undefined ? above : {});
    const called = uses === undefined ? undefined : own.get(basename(uses.split('@')[0] ?? ''));
    return called === undefined ? given : granted(called, given, own);
  });
  return all.reduce<Record<string, string>>((sum, one) => {
    for (const [name, level] of Object.entries(one)) if (sum[name] !== 'write') sum[name] = level;
    return sum;
  }, {});
}
