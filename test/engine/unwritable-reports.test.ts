import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeProject, type Project } from '../support/project.js';
import { makeJob, parseFileCommands, type Job, type RunnerResult } from '../support/runner.js';
import { served } from '../support/served.js';

const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

let project: Project;
let job: Job;
let full: string;
let live = 0;

/** A disk without space: a real one, small and filled up. */
function makeFullDisk(): string {
  const folder = join(project.root, 'full-disk');
  mkdirSync(folder);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder]);
  writeFileSync(join(folder, 'outputs'), '');
  writeFileSync(join(folder, 'summary'), '');
  fill();
  return folder;
}

/** Until not a byte more can be written; the files of a run before are in the way otherwise. */
function fill(): void {
  const filler = join(project.root, 'full-disk', 'filler');
  for (let size = 64 * 1024; size >= 1; size = Math.floor(size / 2)) {
    try {
      writeFileSync(filler, Buffer.alloc(size), { flag: 'a' });
    } catch {
      // As much of it as there is room for is written.
    }
  }
  expect(statfsSync(join(project.root, 'full-disk')).bfree).toBe(0);
}

beforeAll(async () => {
  [project, job] = await Promise.all([
    makeProject({ fixture: 'plain', files: { 'compose.yaml': served() } }),
    makeJob(),
  ]);
  full = makeFullDisk();
});

afterAll(async () => {
  execFileSync('umount', [join(project.root, 'full-disk')]);
  await Promise.all([job.remove(), project.cleanup()]);
});

const inputs = (more: Readonly<Record<string, string>>): Record<string, string> => ({
  procedure: 'code-update',
  'working-directory': project.dir,
  'project-name': project.name,
  'state-dir': join(project.root, 'state'),
  'min-free-disk': '10MB',
  watch: '1s',
  ...more,
});

/** @returns a commit that becomes live, or one that does not start */
const nextCommit = (good: boolean): Promise<string> => {
  live += 1;
  return project.commitRelease({ version: `${live}.0.0`, chaos: good ? '' : 'exit-at-once' });
};

function expectSaidOnce(log: string, outcome: string): void {
  const lines = log.split('\n').filter((line) => new RegExp(`(?:^error: |[✔↩] )${outcome}: `).test(line));
  expect(lines, log).toHaveLength(1);
  const [headline = ''] = /(?<=: )\S.*$/.exec(lines[0]?.replace(/^error: /, '') ?? '') ?? [];
  expect(log.split(headline.replace(/ \(E_\w+\)$/, '').slice(0, 60)).length - 1, `${headline}\n${log}`).toBe(1);
  expect(log).not.toMatch(/^\s+at .*\(.*:\d+:\d+\)/m);
}

/** What cannot be written in each situation, and how it is arranged. */
const SITUATIONS = {
  'a full disk': () => ({
    inputs: { 'evidence-dir': join(full, 'evidence') },
    environment: { GITHUB_OUTPUT: join(full, 'outputs'), GITHUB_STEP_SUMMARY: join(full, 'summary') },
  }),
  'a file where the folder of evidence should be, and no files of the runner': () => {
    writeFileSync(join(project.root, 'in-the-way'), '');
    return {
      inputs: { 'evidence-dir': join(project.root, 'in-the-way') },
      environment: {
        GITHUB_OUTPUT: join(project.root, 'none/outputs'),
        GITHUB_STEP_SUMMARY: join(project.root, 'none/summary'),
        GITHUB_STATE: join(project.root, 'none/state'),
      },
    };
  },
} as const;
type Situation = keyof typeof SITUATIONS;

describe('the action', () => {
  const run = async (commit: string, situation: Situation | 'nothing', more = {}): Promise<RunnerResult> => {
    const { inputs: given, environment } =
      situation === 'nothing' ? { inputs: {}, environment: {} } : SITUATIONS[situation]();
    return job.run({ inputs: inputs({ ...given, ...more }), environment: { GITHUB_SHA: commit, ...environment } });
  };

  it.each(Object.keys(SITUATIONS) as Situation[])(
    '%s: a green deploy stays green, a red one red',
    async (situation) => {
      const good = await run(await nextCommit(true), situation);
      expect(good.exitCode, good.log).toBe(0);
      expectSaidOnce(good.log, 'deployed');
      expect(good.log).toMatch(/could not be written \((?:ENOSPC|ENOTDIR|EEXIST|ENOENT|Missing file|Unable to access)/);
      expect(good.log).toContain('The outcome does not change.');
      expect((await project.get('/')).text).toMatch(new RegExp(`^${live}\\.0\\.0`));
      for (const what of ['Outputs', 'The summary', 'The report', 'Evidence']) {
        expect(good.log).toMatch(new RegExp(`${what}.* could not be written`));
      }
      // Half an entry makes the runner fail the step.
      expect(() => parseFileCommands(readFileSync(join(full, 'outputs'), 'utf8'))).not.toThrow();

      const served = live;
      const bad = await run(await nextCommit(false), situation);
      expect(bad.exitCode, bad.log).toBe(1);
      expectSaidOnce(bad.log, 'rolled-back');
      expect(bad.annotations.filter(({ text }) => text.startsWith('rolled-back: '))).toHaveLength(1);
      expect(bad.log).toContain('E_NOT_READY');
      expect((await project.get('/')).text).toMatch(new RegExp(`^${served}\\.0\\.0`));
    },
  );

  it('says each thing once where everything can be written', async () => {
    const good = await run(await nextCommit(true), 'nothing');
    expectSaidOnce(good.log, 'deployed');
    expect(good.log).not.toContain('could not be written');
    const raw = JSON.stringify(good.outputs);
    expect(raw.split('"outcome"')).toHaveLength(2);
    const refused = await run(project.firstCommit, 'nothing', { service: 'nobody' });
    expect(refused.outputs['outcome'], refused.log).toBe('refused');
    expectSaidOnce(refused.log, 'refused');
  });

  it('refuses a state directory that cannot be made, and shows no stack', async () => {
    writeFileSync(join(project.root, 'no-folder'), '');
    const result = await run(project.firstCommit, 'nothing', { 'state-dir': join(project.root, 'no-folder/state') });
    expect(result.exitCode).toBe(1);
    expect(result.outputs['outcome'], result.log).toBe('refused');
    expect(result.log).toMatch(/E_INPUT: The state directory .* cannot be used/);
    expect(result.log).not.toMatch(/^\s+at /m);
  });
});

describe('the shell', () => {
  const shell = (
    procedure: string,
    more: Readonly<Record<string, string>>,
    stdout = '',
  ): Promise<{ exitCode: number | null; text: string }> =>
    new Promise((resolve) => {
      const left = new Set([
        'procedure',
        ...(procedure === 'code-update' ? [] : ['min-free-disk']),
        ...(procedure === 'slo-report' ? ['watch'] : []),
      ]);
      const words = Object.entries(inputs(more)).flatMap(([name, value]) =>
        left.has(name) ? [] : [`--${name}`, value],
      );
      const program = `exec "$0" "$@"${stdout === '' ? '' : ` > ${stdout}`}`;
      const child = spawn('bash', ['-c', program, process.execPath, CLI, procedure, ...words]);
      let text = '';
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (text += String(chunk)));
      child.on('close', (exitCode) => resolve({ exitCode, text }));
    });

  it('a full disk for evidence, report and log: a green deploy ends with 0, a red one with 1', async () => {
    const evidence = { 'evidence-dir': join(full, 'evidence') };
    const good = await shell('code-update', { ...evidence, ref: await nextCommit(true) });
    expect(good.exitCode, good.text).toBe(0);
    expectSaidOnce(good.text, 'deployed');
    expect(good.text).toMatch(/The report .* could not be written \(ENOSPC/);

    const unheard = await shell('code-update', { ...evidence, ref: await nextCommit(true) }, '/dev/full');
    expect(unheard.exitCode, unheard.text).toBe(0);
    expect((await project.get('/')).text).toMatch(new RegExp(`^${live}\\.0\\.0`));

    const bad = await shell('code-update', { ...evidence, ref: await nextCommit(false) });
    expect(bad.exitCode, bad.text).toBe(1);
    expectSaidOnce(bad.text, 'rolled-back');
  });

  it('a full state directory: what needs none of it goes on, the incident log included', async () => {
    const stateDir = join(full, 'state');
    execFileSync('truncate', ['--size=-8192', join(full, 'filler')]);
    mkdirSync(stateDir);
    fill();
    const restarted = await shell('emergency', { 'state-dir': stateDir, service: 'app' });
    expect(restarted.exitCode, restarted.text).toBe(0);
    expectSaidOnce(restarted.text, 'deployed');
    expect(restarted.text).toMatch(/The incident log .* could not be written \(ENOSPC/);
    const metrics = await shell('slo-report', { 'metrics-file': join(full, 'metrics.prom') });
    // The file is what was asked for, and not a report of something else.
    expect(metrics.exitCode, metrics.text).toBe(1);
    expect(metrics.text).toMatch(/metrics.*ENOSPC/);
  });
});
