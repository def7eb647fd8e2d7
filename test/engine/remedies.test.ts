import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { BASE_IMAGE, docker } from '../support/engine-containers.js';
import { halfDeadEngine } from '../support/half-dead-engine.js';
import { deploy } from '../support/live.js';
import { carryOut, type Carried } from '../support/procedure.js';
import { makeProject, type Project } from '../support/project.js';
import { served } from '../support/served.js';

/** `app`, and `other`, which publishes the same port once its profile is on. */
const COMPOSE = `${served()}
  other:
    image: \${COMPOSE_PROJECT_NAME}-app
    profiles: [other]
    ports:
      - '\${HOST_PORT:-0}:8080'
    stop_grace_period: 1s
`;

const LISTEN = `
if (process.argv[2] === 'stubborn') process.on('SIGTERM', () => undefined);
require('node:http').createServer((_, response) => response.end('holder')).listen(Number(process.argv[1]), () => console.log('listens'));`;

/** One project; each test goes on from where the one before left it. */
describe('remedies: free-port', () => {
  let project: Project;
  const children: ChildProcess[] = [];
  const holderContainer = (): string => `${project.name}-holder`;

  beforeAll(async () => {
    project = await makeProject({ fixture: 'plain', files: { 'compose.yaml': COMPOSE } });
    await deploy(project, 'app');
  });

  afterEach(async () => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    await docker('rm', '--force', holderContainer()).catch(() => undefined);
  });

  afterAll(async () => {
    await project.cleanup();
  });

  /** A program of somebody else that listens on the port. */
  async function hold(...more: readonly string[]): Promise<ChildProcess & { readonly pid: number }> {
    const child = spawn(process.execPath, ['--eval', LISTEN, String(project.port), ...more], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    await once(child.stdout, 'data');
    const { pid } = child;
    if (pid === undefined) throw new Error('the holder did not start');
    return Object.assign(child, { pid });
  }

  const run = (procedure: string, more: Readonly<Record<string, string>> = {}): Promise<Carried> =>
    carryOut(project, { procedure, service: 'app', ...more });
  const said = ({ report }: Carried): string => JSON.stringify([report.findings, report.plan, report.nextSteps]);

  it('ends no process unless it is named, and then says who it was and how it ended', async () => {
    await project.compose(['stop', 'app']);
    const holder = await hold();
    const without = await run('emergency');
    expect(without.report.outcome, without.log).toBe('failed');
    expect(said(without)).toContain('remedies: free-port ends it');
    expect(holder.exitCode ?? holder.signalCode).toBeNull();

    const preview = await run('emergency', { remedies: 'free-port', 'dry-run': 'true' });
    expect(preview.report.plan?.services[0]?.operations, preview.log).toContainEqual(
      expect.objectContaining({
        kind: 'free-port',
        service: 'app',
        port: project.port,
        holder: { kind: 'process', pid: holder.pid, name: 'node', started: expect.any(String) as string },
      }),
    );
    expect(holder.exitCode ?? holder.signalCode).toBeNull();

    const freed = await run('emergency', { remedies: 'free-port' });
    expect(freed.report.outcome, freed.log).toBe('deployed');
    expect((await project.get('/')).text).toMatch(/^1\.0\.0 /);
    expect(holder.signalCode).toBe('SIGTERM');
    expect(freed.log).toContain(
      `✓ free port ${project.port} of the host for app: end process node (pid ${holder.pid})`,
    );
    expect(said(freed)).toContain('ended when it was asked to (SIGTERM)');
  });

  it('kills a process that does not end when it is asked to, in a start as well', async () => {
    const stopped = await run('stop');
    expect(stopped.report.outcome, stopped.log).toBe('completed');
    const holder = await hold('stubborn');
    const carried = await run('start', { remedies: 'free-port' });
    expect(carried.report.outcome, carried.log).toBe('deployed');
    expect(holder.signalCode).toBe('SIGKILL');
    expect(said(carried)).toContain('was killed, since it did not end within 10 s of SIGTERM');
    expect((await project.get('/')).text).toMatch(/^1\.0\.0 /);
  });

  it('stops a container of somebody else, and only where it is named', async () => {
    await project.compose(['rm', '--stop', '--force', 'app']);
    const name = holderContainer();
    await docker(
      'run',
      '--detach',
      '--name',
      name,
      '--publish',
      `${project.port}:8080`,
      BASE_IMAGE,
      'node',
      '--eval',
      LISTEN,
      '8080',
    );
    await project.commitRelease({ version: '2.0.0' });
    const refused = await run('code-update');
    expect(refused.report, refused.log).toMatchObject({ outcome: 'refused', changed: false });
    expect(refused.report.error?.message).toContain(`which container ${name} has`);
    expect(refused.report.error?.next).toContain('remedies: free-port');
    expect(await docker('inspect', '--format', '{{.State.Running}}', name)).toBe('true');

    const freed = await run('code-update', { remedies: 'free-port' });
    expect(freed.report.outcome, freed.log).toBe('deployed');
    expect((await project.get('/')).text).toMatch(/^2\.0\.0 /);
    expect(await docker('inspect', '--format', '{{.State.Running}}', name)).toBe('false');
    expect(freed.log).toMatch(/gate ports: app: port \d+, which container rr-\w+-holder has, is freed first/);
    expect(freed.report.timeline.map(({ text }) => text)).toContain(
      `port ${project.port} of the host was freed: container ${name} was stopped within its grace time`,
    );
  });

  it('frees a port before a full restart takes anything down, and for a restart of what does not run', async () => {
    await project.compose(['stop', 'app']);
    const first = await hold();
    const full = await carryOut(project, { procedure: 'full-restart', remedies: 'free-port' });
    expect(full.report.outcome, full.log).toBe('deployed');
    expect(first.signalCode).toBe('SIGTERM');
    const kinds = full.report.plan?.preparation.map(({ kind }) => kind) ?? [];
    expect(kinds.indexOf('free-port')).toBeGreaterThan(-1);
    expect(kinds.indexOf('free-port')).toBeLessThan(kinds.indexOf('remove-networks'));
    expect(kinds.indexOf('free-port')).toBeLessThan(kinds.indexOf('remove-containers'));

    await project.compose(['rm', '--stop', '--force', 'app']);
    const second = await hold();
    const restarted = await run('health-restart', { remedies: 'free-port' });
    expect(restarted.report.outcome, restarted.log).toBe('deployed');
    expect(second.signalCode).toBe('SIGTERM');
  });

  it('never ends a container of its own project, nor the process that this run is a child of', async () => {
    await project.compose(['rm', '--stop', '--force', 'app']);
    await project.compose(['--profile', 'other', 'up', '--detach', '--no-build', 'other']);
    await project.commitRelease({ version: '3.0.0' });
    const own = await run('code-update', { remedies: 'free-port' });
    expect(own.report, own.log).toMatchObject({ outcome: 'refused', changed: false, error: { code: 'E_GATE' } });
    expect(own.report.error?.message).toContain('it belongs to this project');
    expect((await project.inspect('other')).State.Running).toBe(true);
    await project.compose(['--profile', 'other', 'rm', '--stop', '--force', 'other']);

    const { createServer } = await import('node:net');
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(project.port, resolve));
    try {
      const parent = await run('code-update', { remedies: 'free-port' });
      expect(parent.report, parent.log).toMatchObject({ outcome: 'refused', changed: false });
      expect(parent.report.error?.message).toContain('this run is a child of it');
      expect(server.listening).toBe(true);
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  });

  it('stops a container of somebody else that shares the network of the host and publishes nothing', async () => {
    const name = holderContainer();
    await docker(
      'run',
      '--detach',
      '--name',
      name,
      '--network',
      'host',
      BASE_IMAGE,
      'node',
      '--eval',
      LISTEN,
      String(project.port),
    );
    await vi.waitUntil(async () => (await docker('logs', name)).includes('listens'), { timeout: 10_000 });
    const carried = await run('code-update', { remedies: 'free-port' });
    expect(carried.report.outcome, carried.log).toBe('deployed');
    expect(await docker('inspect', '--format', '{{.State.Running}}', name)).toBe('false');
    expect(said(carried)).toContain(`container ${name}`);
  });
});

describe('remedies: restart-docker', () => {
  it('restarts an engine that describes itself and looks at no container, and no engine that is well', async () => {
    const project = await makeProject({ fixture: 'plain', files: { 'compose.yaml': served() } });
    const sign = join(project.root, 'restarted');
    const restart = { remedies: 'restart-docker', 'restart-docker-command': `touch '${sign}'` };
    try {
      const well = await deploy(project, 'app', restart);
      expect(well.report.findings, well.log).toEqual([]);
      expect(existsSync(sign)).toBe(false);
      const engine = await halfDeadEngine((request) => request === 'GET /containers/json' && !existsSync(sign));
      try {
        const environment = { ...process.env, DOCKER_HOST: engine.host };
        const inputs = { procedure: 'health-restart', service: 'app', ...restart };
        const { report, log } = await carryOut(project, inputs, { environment });
        expect(report.outcome, log).toBe('deployed');
        expect(report.findings.map(({ title }) => title)).toContain('Remedy: restart-docker');
        expect(engine.stalled).toEqual(['GET /containers/json']);
      } finally {
        await engine.close();
      }
    } finally {
      await project.cleanup();
    }
  });
});
