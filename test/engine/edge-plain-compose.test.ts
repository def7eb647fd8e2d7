import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EDGE_IMAGE } from '../support/edge.js';
import { docker } from '../support/engine-containers.js';
import { deploy } from '../support/live.js';
import { carryOut, type Carried } from '../support/procedure.js';
import { makeProject, type Project } from '../support/project.js';
import { served } from '../support/served.js';
import { typeInShell } from '../support/shell.js';

/** What happens to a service behind its edge besides its updates: plain Compose, and another image for the edge. One story. */
let project: Project;
beforeAll(async () => {
  project = await makeProject({ fixture: 'plain', files: { 'compose.yaml': served() } });
  await deploy(project, 'app', { strategy: 'recreate' });
  await project.commitRelease({ version: '1.1.0' });
  await deploy(project, 'app', { 'edge-image': EDGE_IMAGE, router: 'edge', strategy: 'blue-green' });
});
const newer = (): string => `${project.name}-edge:newer`;
afterAll(() => project.cleanup());

/** A person's `up` that meets the edge's port. */
async function conflicting(...args: string[]): Promise<void> {
  const { exitCode, stderr } = await project.compose(['up', '-d', ...args], { mayFail: true });
  expect(exitCode, stderr).not.toBe(0);
  expect(stderr).toMatch(/port is already allocated|address already in use/);
}

const change = (): Promise<Carried> =>
  carryOut(project, { procedure: 'config-change', service: 'app', 'edge-image': EDGE_IMAGE });

describe('config-change', () => {
  it('brings a service back that a plain up --force-recreate took down', async () => {
    await conflicting('--force-recreate');
    const { report, log } = await change();
    expect(report.outcome, log).toBe('deployed');
    expect((await project.get('/')).text, log).toContain('1.1.0');
  });

  it('applies a changed file that a plain up could not', async () => {
    await writeFile(join(project.dir, 'compose.yaml'), served({ environment: { COLOUR: 'blue' } }));
    await conflicting();
    const { report, log } = await change();
    expect(report.outcome, log).toBe('deployed');
    expect((await project.get('/env?name=COLOUR')).text, log).toBe('blue\n');
  });
});

const ours = async (...kinds: readonly string[]): Promise<string> =>
  docker(...kinds, '--filter', `label=rolling-restart.project=${project.name}`);
const volumes = (): Promise<string> => ours('volume', 'ls', '-q');
/** Containers of ours with the moment they were started: none of them is another one, or was started again. */
const containers = async (): Promise<string> => {
  const ids = (await ours('ps', '-aq', '--no-trunc')).split('\n').filter((id) => id !== '');
  return ids.length === 0 ? '' : docker('inspect', '--format', '{{.Id}} {{.State.StartedAt}}', ...ids);
};

describe('uninstall', () => {
  it('is refused while an edge is open, also with --yes and --force, and the ports are served on', async () => {
    const before = [await containers(), await volumes()];
    expect(before[0]).not.toBe('');
    for (const words of [[], ['--yes'], ['--yes', '--force']]) {
      await expect(typeInShell(project, 'uninstall', ...words)).rejects.toMatchObject({
        code: 'E_GATE',
        message: 'The managed edge carries the requests of app',
        next: expect.stringContaining('eject --service app') as string,
      });
      expect([await containers(), await volumes()]).toEqual(before);
      expect((await project.get('/env?name=COLOUR')).text).toBe('blue\n');
    }
  });
});

describe('an edge of another image than edge-image says', () => {
  const other = (procedure: string, inputs: Readonly<Record<string, string>> = {}): Promise<Carried> =>
    carryOut(project, { procedure, service: 'app', 'edge-image': newer(), ...inputs });

  it('is left alone by a change, whose plan says how it is upgraded and what that costs', async () => {
    await docker('tag', EDGE_IMAGE, newer());
    await writeFile(join(project.dir, 'compose.yaml'), served({ environment: { COLOUR: 'green' } }));
    const { report, log } = await other('config-change', { 'dry-run': 'true' });
    const said = report.plan?.services[0]?.notes.find((note) => note.includes('To upgrade it'));
    expect(said, log).toContain(`The edge of app is of ${EDGE_IMAGE} and stays so`);
    expect(said).toMatch(/What it costs: (no new connection fails|the ports cannot be redirected here)/);
    const checked = await other('check');
    expect(checked.report.nextSteps.join('\n'), checked.log).toContain('To upgrade it: procedure eject');
  });

  it('is upgraded by eject and the next change with router: edge', async () => {
    const ejected = await other('eject');
    expect(ejected.report.outcome, ejected.log).toBe('deployed');
    const changed = await other('config-change', { router: 'edge', strategy: 'blue-green' });
    expect(changed.report.outcome, changed.log).toBe('deployed');
    expect((await project.get('/env?name=COLOUR')).text, changed.log).toBe('green\n');
    const { report, log } = await other('check');
    expect(report.nextSteps, log).toEqual([]);
    expect(JSON.stringify(report.findings)).toContain(newer());
  });
});

describe('uninstall, once the ports are given back', () => {
  it('takes everything of ours away, and the service has its ports itself', async () => {
    const ejected = await carryOut(project, { procedure: 'eject', service: 'app' });
    expect(ejected.report.outcome, ejected.log).toBe('deployed');
    const done = await typeInShell(project, 'uninstall', '--yes');
    expect(done.value, done.text).toMatchObject({ removed: true });
    expect([await containers(), await volumes()]).toEqual(['', '']);
    expect((await project.get('/env?name=COLOUR')).text).toBe('green\n');
  });
});
