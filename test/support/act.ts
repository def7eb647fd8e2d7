import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { act } from '../../scripts/lib/workflow-tools.mjs';
import { JOB_TOKEN, type Permissions } from './github-permissions.js';
import {
  EXAMPLE_COMMIT,
  EXAMPLE_REPOSITORY,
  fillCaller,
  layRepositoryForAct,
  layAttest,
  layUploadArtifact,
  pinnedReference,
} from '../../scripts/lib/workflow-transform.mjs';

/** One attempt of one run of an example caller. */
export interface WorkflowRun {
  /** File in `examples/roma/.github/workflows/`. */
  readonly caller: string;
  /** A git repository that has `ref`: what GitHub holds. It is cloned, and the live checkout may be another clone. */
  readonly repository: string;
  /** `refs/heads/main`, `refs/tags/v1.0.0`. */
  readonly ref: string;
  /** A caller that does not run on it is made to: some day somebody writes one that does. */
  readonly event: 'push' | 'workflow_dispatch' | 'pull_request';
  /** Further fields of the event's payload. */
  readonly payload?: Readonly<Record<string, unknown>>;
  /** What a person filled into the form of `workflow_dispatch`. */
  readonly inputs?: Readonly<Record<string, string>>;
  readonly attempt?: number;
  /** Inputs of the called workflow that differ from the example's: the live checkout as `working-directory`, … */
  readonly with?: Readonly<Record<string, string | number | boolean>>;
  /** Permissions that the caller has beside those of the example, as its comments say. */
  readonly granted?: Permissions;
  /** What its token is refused, as the documents say. */
  readonly refused?: RegExp;
  /** Stands for `dist/`. */
  readonly bundle?: string;
  /** Versions of this repository that there are, in place of the one that the example pins, and the one that the caller names. */
  readonly versions?: readonly Version[];
  readonly pinned?: string;
  /** Workflows that call others are left as they are. Only for runs that succeed: act ends at a call that fails. */
  readonly nested?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  /** Folder that comes first in PATH, such as that of another Node. */
  readonly path?: string;
  readonly timeoutMs?: number;
}

/** This repository at a commit, as a tag, a branch or the commit itself names it. */
export interface Version {
  readonly ref: string;
  readonly commit: string;
  readonly bundle: string;
}

export interface WorkflowResult {
  readonly exitCode: number;
  /** `skipped` when no job ran at all. */
  readonly conclusion: 'success' | 'failure' | 'skipped';
  /** What the steps printed, and what act said about them. */
  readonly log: string;
  /** Outputs of the step that runs the action; where several jobs have it, the last one's win. */
  readonly outputs: Readonly<Record<string, string>>;
  /** Outputs of steps by the id of the step: with `deploy-chain.yml`, `chain` is the one that sums up. */
  readonly stepOutputs: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Job summary, all steps. */
  readonly summary: string;
  /** How each job that ran ended, by its name in the workflow. */
  readonly jobs: Readonly<Record<string, string>>;
  /** Folder with one folder per uploaded artifact. */
  readonly artifactsPath: string;
  readonly artifacts: readonly string[];
  /** Commit that the run was for: `GITHUB_SHA`. */
  readonly sha: string;
  /** Removes everything that the run left in temporary folders. */
  dispose(): void;
}

interface LogLine {
  readonly msg?: string;
  readonly command?: string;
  readonly name?: string;
  readonly arg?: string;
  readonly content?: string;
  readonly stepID?: readonly string[];
  readonly jobResult?: string;
  readonly jobID?: string;
}

/** What GitHub would call the repository of the caller. */
export const REPOSITORY = 'company/roma';

/** Labels of the example callers, and of the runner that touches no host: all of them are this machine. */
const LABELS = ['production', 'staging', 'web-1', 'web-2', 'ubuntu-24.04'];

const CALLERS = new URL('../../examples/roma/.github/workflows/', import.meta.url);

/**
 * Executes an example caller, and the public workflow that it calls, with act in host mode: the steps run on this
 * machine as on a self-hosted runner. Concurrency, permissions and environments are not act's; see
 * scripts/lib/workflow-transform.mjs for what is rewritten.
 */
export async function runWorkflow(run: WorkflowRun): Promise<WorkflowResult> {
  const root = mkdtempSync(join(tmpdir(), 'rr-act-'));
  try {
    const prepared = prepare(root, run);
    return {
      ...(await runAct(prepared.args, run)),
      sha: prepared.sha,
      artifactsPath: prepared.artifacts,
      artifacts: existsSync(prepared.artifacts) ? readdirSync(prepared.artifacts) : [],
      dispose: () => rmSync(root, { recursive: true, force: true }),
    };
  } catch (error) {
    rmSync(root, { recursive: true, force: true });
    throw error;
  }
}

function prepare(root: string, run: WorkflowRun): { args: string[]; sha: string; artifacts: string } {
  const [upload, artifacts] = [join(root, 'upload'), join(root, 'artifacts')];
  const nested = run.nested === undefined ? {} : { nested: run.nested };
  const versions = run.versions ?? [{ ref: EXAMPLE_COMMIT, commit: EXAMPLE_COMMIT, bundle: run.bundle }];
  const libraries = versions.map(({ ref, commit, bundle }) => {
    const library = join(root, 'library', ref);
    layRepositoryForAct(library, { ...(bundle === undefined ? {} : { bundle }), ...nested, commit });
    return `${EXAMPLE_REPOSITORY}@${ref}=${library}`;
  });
  layUploadArtifact(upload, artifacts);
  const attest = join(root, 'attest');
  layAttest(attest, artifacts);

  const workspace = join(root, 'workspace');
  execFileSync('git', ['clone', '--quiet', run.repository, workspace]);
  execFileSync('git', ['-C', workspace, 'checkout', '--quiet', '--detach', localName(run.ref)]);
  const sha = execFileSync('git', ['-C', workspace, 'rev-parse', 'HEAD'], { encoding: 'utf8' }).trim();
  const workflow = join(root, 'workflows', run.caller);
  mkdirSync(join(root, 'workflows'));
  const example = readFileSync(new URL(run.caller, CALLERS), 'utf8');
  const caller = example.replace(`@${EXAMPLE_COMMIT}`, `@${run.pinned ?? EXAMPLE_COMMIT}`);
  writeFileSync(workflow, fillCaller(caller, run.with ?? {}, run.event));
  const event = join(root, 'event.json');
  writeFileSync(event, JSON.stringify({ ref: run.ref, ...run.payload, ...(run.inputs && { inputs: run.inputs }) }));

  const env = { GITHUB_RUN_ATTEMPT: String(run.attempt ?? 1), GITHUB_REPOSITORY: REPOSITORY, ...run.env };
  const args = [
    ...[run.event, '--json', '--directory', workspace, '--workflows', workflow, '--eventpath', event],
    ...LABELS.flatMap((label) => ['--platform', `${label}=-self-hosted`]),
    ...['--action-cache-path', join(root, 'cache')],
    ...libraries.flatMap((library) => ['--local-repository', library]),
    ...['--local-repository', `${pinnedReference('deploy.yml', 'actions/upload-artifact')}=${upload}`],
    ...['--local-repository', `${pinnedReference('release.yml', 'actions/attest-build-provenance')}=${attest}`],
    // Masked wherever it occurs, so it is a word that nothing else says.
    ...['--secret', `GITHUB_TOKEN=${JOB_TOKEN}`],
    ...Object.entries(env).flatMap(([name, value]) => ['--env', `${name}=${value}`]),
  ];
  return { args, sha, artifacts };
}

function localName(ref: string): string {
  return ref.replace(/^refs\/heads\//, 'origin/').replace(/^refs\/tags\//, 'tags/');
}

/** What act itself says of a run. */
export type ActResult = Omit<WorkflowResult, 'sha' | 'artifactsPath' | 'artifacts' | 'dispose'>;

/** @param args of act, with `--json` among them */
export async function runAct(args: string[], run: Pick<WorkflowRun, 'path' | 'timeoutMs'>): Promise<ActResult> {
  const { exitCode, stdout } = await execute(await act(), args, run);
  return { ...read(stdout), exitCode };
}

function execute(
  program: string,
  args: string[],
  run: Pick<WorkflowRun, 'path' | 'timeoutMs'>,
): Promise<{ exitCode: number; stdout: string }> {
  const path = [...(run.path === undefined ? [] : [run.path]), process.env.PATH ?? ''].join(delimiter);
  return new Promise((resolve, reject) => {
    const options = { env: { ...process.env, PATH: path }, timeout: run.timeoutMs ?? 170_000, maxBuffer: 64e6 };
    const child = execFile(program, args, options, (error, stdout, stderr) => {
      if (error?.killed === true) {
        reject(new Error(`act took too long:\n${stdout.slice(-4000)}`));
        return;
      }
      if (!stdout.includes('jobResult') && child.exitCode !== 0) {
        reject(new Error(`act failed: ${stderr}${stdout}`));
        return;
      }
      resolve({ exitCode: child.exitCode ?? 1, stdout });
    });
  });
}

function read(stdout: string): Omit<ActResult, 'exitCode'> {
  const lines = stdout.split('\n').flatMap(parseLine);
  const results = lines.flatMap(({ jobResult }) => jobResult ?? []);
  const stepOutputs: Record<string, Record<string, string>> = {};
  for (const { command, stepID, name, arg } of lines) {
    if (command === 'set-output') (stepOutputs[stepID?.[0] ?? ''] ??= {})[name ?? ''] = arg ?? '';
  }
  return {
    log: lines.map(({ msg }) => (msg ?? '').trimEnd()).join('\n'),
    outputs: stepOutputs['rolling-restart'] ?? {},
    stepOutputs,
    summary: lines.map(({ command, content }) => (command === 'summary' ? (content ?? '') : '')).join(''),
    jobs: Object.fromEntries(
      lines.flatMap(({ jobID, jobResult }) => (jobResult === undefined ? [] : [[jobID ?? '', jobResult]])),
    ),
    conclusion:
      results.length === 0 ? 'skipped' : results.every((result) => result === 'success') ? 'success' : 'failure',
  };
}

function parseLine(line: string): LogLine[] {
  if (!line.startsWith('{')) return [];
  return [JSON.parse(line) as LogLine];
}
