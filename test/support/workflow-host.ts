/**
 * A host with a live checkout and a self-hosted runner, and what GitHub would hold of its repository: the example callers
 * carried out on it with the compiled action, nothing replaced by a stand-in but the upload of artifacts.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureNode24 } from '../../scripts/lib/node24.mjs';
import { grantedTo } from './github-permissions.js';
import { startGitHub, type GitHub } from './github.js';
import { REPOSITORY, runWorkflow, type WorkflowResult, type WorkflowRun } from './act.js';
import { makeProject, type Project } from './project.js';

/** pnpm, which the runbook's commands use, is one of this repository's own packages. */
const PROGRAMS = fileURLToPath(new URL('../../node_modules/.bin', import.meta.url));

export interface WorkflowHost {
  readonly project: Project;
  /** What the workflows say to GitHub's REST API. */
  readonly github: GitHub;
  /** Another live checkout of the same repository, under a project of its own: what a second host would have. */
  another(): Promise<Project>;
  /** Puts a tag on a commit of the origin. */
  tag(name: string, commit: string): void;
  /** Carries out an example caller. What it left in temporary folders goes with the host. */
  run(run: Omit<WorkflowRun, 'repository' | 'bundle' | 'path'>): Promise<WorkflowResult>;
  cleanup(): Promise<void>;
}

/**
 * @param env more variables for the live `.env`
 * @param options `several`: the repository suits several hosts, which `another()` makes
 */
export async function makeWorkflowHost(
  env: Record<string, string> = {},
  { several = false }: { readonly several?: boolean } = {},
): Promise<WorkflowHost> {
  const node = process.env['ROLLING_RESTART_TEST_NODE24'] ?? (await ensureNode24());
  const project = await makeProject({ fixture: 'roma', env, namesFromEnv: several });
  const others: Project[] = [];
  const github = await startGitHub(REPOSITORY);
  const results: WorkflowResult[] = [];
  return {
    project,
    github,
    async another() {
      if (!several) throw new Error('the names in this repository are those of one host: several: true');
      const other = await makeProject({ fixture: 'roma', env, repositoryOf: project });
      others.push(other);
      return other;
    },
    tag: (name, commit) => {
      execFileSync('git', ['--git-dir', project.origin, 'tag', name, commit]);
    },
    async run(run) {
      github.grant({ ...grantedTo(run.caller), ...run.granted });
      const before = github.problems.length;
      const result = await runWorkflow({
        ...run,
        repository: project.origin,
        // Runners bring their own Node 24, whatever the host has.
        path: [dirname(node), PROGRAMS].join(delimiter),
        env: { GITHUB_API_URL: github.apiUrl, ...run.env },
        with: {
          'working-directory': project.dir,
          'state-dir': join(project.root, 'state'),
          'min-free-disk': '10MB',
          watch: '2s',
          ...run.with,
        },
      });
      results.push(result);
      const problems = github.problems.splice(before).filter((problem) => run.refused?.test(problem) !== true);
      github.problems.push(...problems);
      if (problems.length > 0) throw new Error(`${problems.join('\n')}\n${result.log}`);
      return result;
    },
    async cleanup() {
      for (const result of results) result.dispose();
      github.close();
      for (const other of others) await other.cleanup();
      await project.cleanup();
    },
  };
}

/** Files of the only artifact of a run, by path. */
export function artifactFiles(result: WorkflowResult): string[] {
  const [name, ...more] = result.artifacts;
  if (name === undefined || more.length > 0) throw new Error(`the run has ${result.artifacts.length} artifacts`);
  return readdirSync(join(result.artifactsPath, name), { recursive: true }).map(String).sort();
}

/** The report that a run uploaded, as JSON. */
export function artifactReport(result: WorkflowResult): Record<string, unknown> {
  const path = join(result.artifactsPath, result.artifacts[0] ?? '', 'report.json');
  return JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
}

/** The version that the service answers with at its published port. */
export async function servedVersion(project: Project): Promise<string> {
  const { status, text } = await project.get('/version');
  if (status !== 200) throw new Error(`/version answers ${status}`);
  return (JSON.parse(text) as { version: string }).version;
}
