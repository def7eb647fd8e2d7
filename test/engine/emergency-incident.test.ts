import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { docker } from '../support/engine-containers.js';
import { halfDeadEngine, type HalfDeadEngine } from '../support/half-dead-engine.js';
import { carryOut, type Carried } from '../support/procedure.js';
import { makeProject, type Project } from '../support/project.js';
import { served } from '../support/served.js';

/** One project; each test goes on from where the one before left it. */
describe('an emergency', () => {
  let project: Project;

  beforeAll(async () => {
    project = await makeProject({
      fixture: 'plain',
      files: { 'compose.yaml': served({ environment: { API_PASSWORD: 'hunter2-and-more' } }) },
    });
    const { report, log } = await carryOut(project, { procedure: 'code-update', service: 'app' });
    expect(report.outcome, log).toBe('deployed');
  });

  afterAll(async () => {
    await project.cleanup();
  });

  const incidents = async (): Promise<readonly string[]> =>
    (await readFile(join(project.root, 'state/incidents.log'), 'utf8')).trim().split('\n');
  const emergencyThrough = ({ host }: HalfDeadEngine): Promise<Carried> =>
    carryOut(
      project,
      { procedure: 'emergency', service: 'app' },
      { environment: { ...process.env, DOCKER_HOST: host } },
    );
  const evidence = (folder: string | undefined, name: string): Promise<string> =>
    readFile(join(folder ?? '', `app-before-${project.name}-app-1-${name}`), 'utf8');

  it('of a frozen process: a root cause from the log of before, an incident log, and one issue that is added to', async () => {
    const requests: { route: string; body: Record<string, unknown> }[] = [];
    let issue: Record<string, unknown> | undefined;
    const github = createServer((request, response) => {
      let text = '';
      request.on('data', (chunk: Buffer) => (text += chunk.toString()));
      request.on('end', () => {
        const route = `${request.method} ${request.url?.split('?')[0]}`;
        const body = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
        requests.push({ route, body });
        if (route === 'POST /repos/acme/roma/issues') {
          issue = { number: 7, html_url: 'https://github.test/acme/roma/issues/7', body: body['body'] };
        }
        const comment = { id: 1 };
        response.setHeader('content-type', 'application/json');
        response.statusCode = request.method === 'POST' ? 201 : 200;
        const list = issue === undefined ? [] : [issue];
        response.end(JSON.stringify(request.method === 'GET' ? list : route.endsWith('/comments') ? comment : issue));
      });
    });
    await new Promise<void>((resolve) => github.listen(0, '127.0.0.1', resolve));
    const address = github.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const environment = {
      ...process.env,
      GITHUB_REPOSITORY: 'acme/roma',
      GITHUB_API_URL: `http://127.0.0.1:${address.port}`,
    };
    try {
      for (const attempt of [1, 2]) {
        const id = await project.containerId('app');
        const lines = 'echo "Error: deadlock found, password hunter2-and-more"; echo "ENOSPC: no space left on device"';
        await docker('exec', id, 'sh', '-c', `(${lines}) > /proc/1/fd/1`);
        await docker('kill', '--signal', 'STOP', id);
        const { report, log } = await carryOut(
          project,
          {
            procedure: 'emergency',
            service: 'app',
            'github-token': 't0ken',
            reason: `it answers nothing (${attempt})`,
            'min-free-disk': '999TB',
          },
          { environment },
        );
        expect(report.outcome, log).toBe('deployed');
        expect((await project.get('/')).status).toBe(200);
        const [cause] = report.findings;
        expect(cause?.title, JSON.stringify(cause)).toMatch(/^Root cause of app: process \d+ of it is stopped/);
        expect(log).toContain('? app: a disk is full');
        const rows = cause?.rows.map((row) => row.join(': ')).join('\n') ?? '';
        expect(rows).toMatch(/app-1 before: state running/);
        expect(rows).toMatch(/log lines with "deadlock": 1, last: .*Error: deadlock found/);
        expect(rows).toContain("engine's disk");
        expect(rows).toContain('kernel log');
        expect(JSON.stringify(report)).not.toContain('hunter2');
        expect(log).toMatch(/gate disk-space: Only /);
        expect(await evidence(report.evidencePath, 'top.txt')).toContain('server.mjs');
        expect(log).toMatch(/\? app: process \d+ of it is stopped: it got signal STOP/);
      }
    } finally {
      github.closeAllConnections();
      github.close();
    }
    expect(requests.map(({ route }) => route)).toEqual([
      'GET /repos/acme/roma/issues',
      'POST /repos/acme/roma/issues',
      'GET /repos/acme/roma/issues',
      'POST /repos/acme/roma/issues/7/comments',
    ]);
    const said = JSON.stringify(requests);
    expect(said).toContain('it answers nothing (2)');
    expect(said).toContain('a disk is full');
    expect(said).not.toContain('hunter2');
    const written = (await incidents()).join('\n');
    expect(await incidents()).toHaveLength(2);
    expect(written).toMatch(
      /emergency restart of app in rr-\w+ by tester at shell \| deployed: .*likely cause: process \d+ of it is stopped.*; a disk is full/,
    );
    expect(written).not.toContain('hunter2');
  });

  it('with an engine that gives no log, no processes and no figures of it: captured what there is, and restarted', async () => {
    const before = await project.containerId('app');
    await docker('kill', '--signal', 'STOP', before);
    const engine = await halfDeadEngine((request) =>
      [`GET /containers/${before}/logs`, `GET /containers/${before}/top`, `GET /containers/${before}/stats`].includes(
        request,
      ),
    );
    try {
      const began = performance.now();
      const { report, log } = await carryOut(
        project,
        { procedure: 'emergency', service: 'app' },
        { environment: { ...process.env, DOCKER_HOST: engine.host, GITHUB_REPOSITORY: undefined } },
      );
      expect(report.outcome, log).toBe('deployed');
      expect(performance.now() - began).toBeLessThan(60_000);
      expect(new Set(engine.stalled).size).toBe(3);
      expect(log).toMatch(/\(log\) could not be written/);
      expect(await project.containerId('app')).not.toBe(before);
      expect(await evidence(report.evidencePath, 'inspect.json')).toContain(before);
    } finally {
      await engine.close();
    }
  });

  it('with an engine that cannot look at the container: fails in bounded time, and says who hangs', async () => {
    const id = await project.containerId('app');
    const engine = await halfDeadEngine((request) => request === `GET /containers/${id}/json`);
    try {
      const began = performance.now();
      const { report, log } = await emergencyThrough(engine);
      expect(report, log).toMatchObject({ outcome: 'failed', changed: false, error: { code: 'E_DEADLINE' } });
      expect(report.error?.next).toContain('docker info');
      expect(performance.now() - began).toBeLessThan(45_000);
      expect(await project.containerId('app')).toBe(id);
      // It is an incident all the same.
      expect((await incidents()).at(-1)).toContain('the emergency restart did not begin: ');
    } finally {
      await engine.close();
    }
  });

  it('with an engine that answers nothing at all: in the incident log as well, and a dry run is not', async () => {
    const before = await incidents();
    const nobody = { environment: { ...process.env, DOCKER_HOST: 'tcp://127.0.0.1:9' } };
    const inputs = { procedure: 'emergency', service: 'app', reason: 'it hangs' };
    const planned = await carryOut(project, { ...inputs, 'dry-run': 'true' }, nobody);
    expect(planned.report.error?.code).toBe('E_ENGINE_UNREACHABLE');
    expect(await incidents()).toEqual(before);
    const { report, log } = await carryOut(project, inputs, nobody);
    expect(report.error?.code, log).toBe('E_ENGINE_UNREACHABLE');
    expect(report.changed).toBe(false);
    const [line = '', ...more] = (await incidents()).slice(before.length);
    expect(more).toEqual([]);
    expect(line).toMatch(/emergency restart of app in \S+ by .* did not begin: .*\| reason: it hangs/);
  });

  it('with an engine that does not kill: says that nothing was started again, and what to do', async () => {
    const id = await project.containerId('app');
    const engine = await halfDeadEngine((request) => request === `POST /containers/${id}/kill`);
    try {
      const { report, log } = await emergencyThrough(engine);
      expect(report, log).toMatchObject({ outcome: 'failed', changed: true, error: { code: 'E_DEADLINE' } });
      expect(report.headline).toContain('app may be stopped and was not started again');
      expect(report.nextSteps.join('\n')).toContain('it was not started again. Look at what is there');
      expect(report.nextSteps.join('\n')).not.toContain('started again. To go back');
      expect(await project.containerId('app')).toBe(id);
      expect((await incidents()).at(-1)).toContain('may be stopped');
    } finally {
      await engine.close();
    }
  });
});
