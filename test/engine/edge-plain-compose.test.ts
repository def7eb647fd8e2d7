import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EDGE_IMAGE } from '../support/edge.js';
import { deploy } from '../support/live.js';
import { carryOut, type Carried } from '../support/procedure.js';
import { makeProject, type Project } from '../support/project.js';
import { served } from '../support/served.js';

/** What plain Compose does to a service behind its edge, and `config-change` after it. One story. */
let project: Project;
beforeAll(async () => {
  project = await makeProject({ fixture: 'plain', files: { 'compose.yaml': served() } });
  await deploy(project, 'app', { strategy: 'recreate' });
  await project.commitRelease({ version: '1.1.0' });
  await deploy(project, 'app', { 'edge-image': EDGE_IMAGE, router: 'edge', strategy: 'blue-green' });
});
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
