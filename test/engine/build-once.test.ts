import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, it } from 'vitest';
import { startRegistry, type Registry } from '../../scripts/lib/registry.mjs';
import { engineState } from '../support/engine-state.js';
import { carryOut, type Carried } from '../support/procedure.js';
import { makeProject, type Project } from '../support/project.js';

/** `push-to` of a project with two services that are built, and a registry that may not be there. */
const SERVICE = `
    build:
      context: .
      args:
        BASE_IMAGE: \${BASE_IMAGE:-node:22-alpine}
`;
const COMPOSE = `services:\n  web:${SERVICE}  worker:${SERVICE}`;

let registry: Registry;
let project: Project;
beforeAll(async () => {
  registry = await startRegistry();
});
afterAll(() => registry.stop());
beforeEach(async () => {
  project = await makeProject({ fixture: 'plain', files: { 'compose.yaml': COMPOSE } });
});
afterEach(() => project.cleanup());

const update = (pushTo: string, more: Readonly<Record<string, string>> = {}): Promise<Carried> =>
  carryOut(project, { procedure: 'code-update', 'push-to': pushTo, ...more });
const built = ({ log }: Carried): number => log.match(/✓ build \w+/g)?.length ?? 0;

describe('several services', () => {
  it('have a repository each, and are built once', async () => {
    const repository = `${registry.address}/${project.name}/{service}`;
    const first = await update(repository);
    expect(first.report.outcome, first.log).toBe('deployed');
    expect(built(first)).toBe(2);
    for (const service of ['web', 'worker']) {
      const digest = first.report.services.find((one) => one.service === service)?.imageDigest ?? '';
      expect(digest).toMatch(new RegExp(`^${registry.address}/${project.name}/${service}@sha256:`));
      execFileSync('docker', ['manifest', 'inspect', '--insecure', digest], { stdio: 'pipe' });
    }
    // Deploying the commit of before again builds nothing.
    const head = await project.git('rev-parse', 'HEAD');
    await project.commitRelease({ version: '2.0.0' });
    expect((await update(repository)).report.outcome).toBe('deployed');
    const again = await update(repository, { ref: head, 'allow-downgrade': 'true', force: 'true' });
    expect(again.report.outcome, again.log).toBe('deployed');
    expect(built(again)).toBe(0);
  });

  it('are taken by another host, which knows of no record and cannot ask, from the name of the commit', async () => {
    const repository = `${registry.address}/${project.name}/{service}`;
    const first = await update(repository);
    expect(first.report.outcome, first.log).toBe('deployed');
    const other = await makeProject({ fixture: 'plain', repositoryOf: project });
    try {
      const there = await carryOut(other, { procedure: 'code-update', 'push-to': repository });
      expect(there.report.outcome, there.log).toBe('deployed');
      expect(built(there)).toBe(0);
      expect(there.log).toContain('which image was built for the commit is not known here');
      for (const service of ['web', 'worker']) {
        expect((await other.inspect(service)).Image).toBe((await project.inspect(service)).Image);
      }
      expect(there.report.services.map(({ imageDigest }) => imageDigest)).toEqual(
        first.report.services.map(({ imageDigest }) => imageDigest),
      );
    } finally {
      await other.cleanup();
    }
  });

  it('are refused one repository for both before anything is built', async () => {
    const before = await engineState(project);
    const { report, log } = await update(`${registry.address}/${project.name}/app`);
    expect(report.outcome, log).toBe('refused');
    expect(report.error?.code).toBe('E_INPUT');
    expect(report.error?.next).toContain('{service}');
    expect(built({ report, log })).toBe(0);
    expect((await engineState(project)).filter((line) => line.includes('container'))).toEqual(
      before.filter((line) => line.includes('container')),
    );
  });

  it('show in a dry run that they would be built and pushed', async () => {
    const { report, log } = await update(`${registry.address}/${project.name}/{service}`, { 'dry-run': 'true' });
    expect(report.outcome, log).toBe('completed');
    expect(report.plan?.preparation.map(({ kind }) => kind)).toEqual([
      'build-image',
      'push-image',
      'build-image',
      'push-image',
    ]);
  });
});

describe('a registry that is not there', () => {
  it('refuses the deploy, and what runs is as it was', async () => {
    const first = await carryOut(project, { procedure: 'code-update' });
    expect(first.report.outcome, first.log).toBe('deployed');
    const running = await project.containerId('web');
    await project.commitRelease({ version: '2.0.0' });
    const { report, log } = await update('127.0.0.1:1/nobody/{service}');
    expect(report.outcome, log).toBe('failed');
    expect(report.error?.code).toBe('E_PUSH');
    expect(report.changed).toBe(false);
    expect(await project.containerId('web')).toBe(running);
    expect(execFileSync('docker', ['images', '--quiet', '127.0.0.1:1/nobody/web'], { encoding: 'utf8' })).toBe('');
  });
});
