import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { engineState } from '../support/engine-state.js';
import { deploy, excerptOf, expectUntouched, liveOf, update, type Live } from '../support/live.js';
import { makeProject, type Project } from '../support/project.js';
import { served } from '../support/served.js';

/** What `code-update` says no to; each time the container, the tags and the checkout of before are still there. */
describe('a refused update', () => {
  let project: Project;
  let before: Live;

  beforeAll(async () => {
    project = await makeProject({ fixture: 'plain', files: { 'compose.yaml': served() } });
    await deploy(project, 'app');
    await project.commitRelease({ version: '2.0.0' });
  });

  beforeEach(async () => {
    before = await liveOf(project, 'app');
  });

  afterAll(async () => {
    await project.cleanup();
  });

  it('an image that the registry does not give', async () => {
    // Port 1 answers nobody.
    const carried = await update(project, 'app', { image: '127.0.0.1:1/nobody/app:2' });
    expect(carried.report, carried.log).toMatchObject({ outcome: 'refused', changed: false });
    expect(carried.report.error?.message).toContain('127.0.0.1:1/nobody/app:2');
    await expectUntouched(project, 'app', before, carried.log);
  });

  // A registry that has the manifest, so that the gate passes, and has lost what the manifest names.
  it('is not what a pull that fails half-way is called: that has failed, and nothing was touched', async () => {
    const sha256 = (text: string): string => `sha256:${createHash('sha256').update(text).digest('hex')}`;
    const layer = sha256('what is lost');
    const rootfs = { type: 'layers', diff_ids: [layer] };
    const config = JSON.stringify({ architecture: 'amd64', os: 'linux', rootfs });
    const docker = 'application/vnd.docker';
    const type = `${docker}.distribution.manifest.v2+json`;
    const manifest = JSON.stringify({
      schemaVersion: 2,
      mediaType: type,
      config: { mediaType: `${docker}.container.image.v1+json`, size: config.length, digest: sha256(config) },
      layers: [{ mediaType: `${docker}.image.rootfs.diff.tar.gzip`, size: 12, digest: layer }],
    });
    const asked: string[] = [];
    const server = createServer((request, response) => {
      const url = request.url ?? '';
      asked.push(url);
      const manifests = url.includes('/manifests/');
      const body = url === '/v2/' ? '{}' : manifests ? manifest : url.endsWith(sha256(config)) ? config : undefined;
      response.setHeader('content-type', manifests ? type : 'application/octet-stream');
      response.setHeader('docker-content-digest', sha256(body ?? ''));
      response.setHeader('content-length', body?.length ?? 0);
      response.writeHead(body === undefined ? 404 : 200).end(request.method === 'HEAD' ? undefined : body);
    });
    const port = await listening(server);
    try {
      const carried = await update(project, 'app', { image: `127.0.0.1:${port}/app:2` });
      expect(carried.report, carried.log).toMatchObject({ outcome: 'failed', changed: false });
      expect(carried.report.error?.code, carried.log).toBe('E_PULL');
      expect(asked.some((url) => url.endsWith(layer))).toBe(true);
      await expectUntouched(project, 'app', before, carried.log);
    } finally {
      await closed(server);
    }
  });

  it('a compose file that is not valid in the wanted commit', async () => {
    await project.commitRelease({ files: { 'compose.yaml': served({ more: '    port: 8080\n' }) } });
    const carried = await update(project, 'app');
    expect(carried.report, carried.log).toMatchObject({ outcome: 'refused', changed: false });
    expect(carried.report.error?.code).toBe('E_COMPOSE_FILE');
    expect(carried.report.error?.message).toContain('origin/main');
    expect(carried.report.error?.message).toContain(join(project.dir, 'compose.yaml'));
    await expectUntouched(project, 'app', before, carried.log);
    await project.commitRelease({ files: { 'compose.yaml': served() } });
  });

  it('a compose file that is not valid in the live directory', async () => {
    const override = join(project.dir, 'compose.override.yaml');
    await writeFile(override, 'services:\n  app:\n    port: 8080\n');
    const state = await engineState(project);
    try {
      const carried = await update(project, 'app');
      expect(carried.report, carried.log).toMatchObject({ outcome: 'refused', changed: false });
      expect(carried.report.error?.code).toBe('E_COMPOSE_FILE');
      expect(`${carried.report.error?.message} ${excerptOf(carried)}`).toContain('port');
    } finally {
      await rm(override);
    }
    expect(await engineState(project)).toEqual(state);
  });

  it('a compose file that is not valid: its error names file and line, of syntax, of a key and of a type', async () => {
    const file = join(project.dir, 'compose.yaml');
    const good = await readFile(file, 'utf8');
    // Counted as a person does: the line in which the text stands.
    const lineOf = (text: string, part: string): number =>
      text.split('\n').findIndex((line) => line.includes(part)) + 1;
    const mistakes = [
      { bad: good.replace('    ports:', '   ports:'), at: '   ports:' },
      { bad: good.replace('    restart: unless-stopped', '    restart: "unless-stopped'), at: 'restart: "' },
      { bad: good.replace('    restart:', '    restrat:'), at: 'restrat' },
      { bad: good.replace("      - '${HOST_PORT:-0}:8080'", '      published: 8080'), at: '    ports:' },
      { bad: good.replace('retries: 3', 'retries: many'), at: 'retries: many' },
    ];
    const state = await engineState(project);
    try {
      for (const { bad, at } of mistakes) {
        expect(bad).not.toBe(good);
        await writeFile(file, bad);
        const carried = await update(project, 'app');
        expect(carried.report, carried.log).toMatchObject({ outcome: 'refused', changed: false });
        expect(carried.report.error?.code).toBe('E_COMPOSE_FILE');
        expect(carried.report.error?.message, at).toContain(`(compose.yaml:${lineOf(bad, at)})`);
      }
    } finally {
      await writeFile(file, good);
    }
    expect(await engineState(project)).toEqual(state);
    // In the wanted commit as well: there the line is that of the commit's own file.
    const bad = served({ more: '    port: 8080\n' });
    await project.commitRelease({ files: { 'compose.yaml': bad } });
    const carried = await update(project, 'app');
    expect(carried.report.error?.message, carried.log).toContain(`(compose.yaml:${lineOf(bad, 'port: 8080')})`);
    await project.commitRelease({ files: { 'compose.yaml': served() } });
  });

  it('no compose file at all, or not the one that was named', async () => {
    const state = await engineState(project);
    const named = await update(project, 'app', { 'compose-files': 'compose.prod.yaml' });
    expect(named.report, named.log).toMatchObject({ outcome: 'refused', changed: false });
    expect(named.report.error?.code).toBe('E_COMPOSE_FILE');
    expect(named.report.error?.message).toContain('compose.prod.yaml');

    const empty = join(project.root, 'empty');
    await mkdir(empty);
    const none = await update(project, 'app', { 'working-directory': empty });
    expect(none.report, none.log).toMatchObject({ outcome: 'refused', changed: false });
    expect(none.report.error?.code).toBe('E_COMPOSE_FILE');
    expect(none.report.error?.message).toContain(empty);
    expect(await engineState(project)).toEqual(state);
  });

  it('a service that there is not: those that there are get named', async () => {
    const carried = await update(project, 'ap');
    expect(carried.report, carried.log).toMatchObject({ outcome: 'refused', changed: false });
    expect(carried.report.error).toMatchObject({
      code: 'E_SERVICE',
      message: expect.stringContaining('"ap"') as string,
      next: expect.stringMatching(/has: app\b/) as string,
    });
    await expectUntouched(project, 'app', before, carried.log);
  });

  it('an engine that does not answer', async () => {
    const host = `unix://${join(project.root, 'nobody.sock')}`;
    const state = await engineState(project);
    const carried = await update(project, 'app', {}, { environment: { ...process.env, DOCKER_HOST: host } });
    expect(carried.report, carried.log).toMatchObject({ outcome: 'refused', changed: false });
    expect(carried.report.error).toMatchObject({
      code: 'E_ENGINE_UNREACHABLE',
      message: expect.stringContaining(host) as string,
    });
    expect(await engineState(project)).toEqual(state);
  });

  // Nothing that old runs here: a server that says it is one, and counts what else is asked of it.
  it('an engine that is too old', async () => {
    const writes: string[] = [];
    const server = createServer((request, response) => {
      if (request.method !== 'GET' && request.method !== 'HEAD') writes.push(`${request.method} ${request.url}`);
      const answer = request.url?.endsWith('/info')
        ? { ID: 'old', Name: 'old', DockerRootDir: '/', OperatingSystem: 'Linux' }
        : { Version: '23.0.6', ApiVersion: '1.42', MinAPIVersion: '1.12' };
      response.setHeader('api-version', '1.42').setHeader('content-type', 'application/json');
      response.end(request.url === '/_ping' ? 'OK' : JSON.stringify(answer));
    });
    const port = await listening(server);
    try {
      const environment = { ...process.env, DOCKER_HOST: `tcp://127.0.0.1:${port}` };
      const carried = await update(project, 'app', {}, { environment });
      expect(carried.report, carried.log).toMatchObject({ outcome: 'refused', changed: false });
      expect(carried.report.error?.code).toBe('E_ENGINE_TOO_OLD');
      expect(carried.report.error?.message).toContain('23.0.6');
      expect(writes).toEqual([]);
    } finally {
      await closed(server);
    }
  });

  it('a tracked file that was modified on the host, by its name; it stays as it is', async () => {
    const file = join(project.dir, 'Dockerfile');
    const written = `${await readFile(file, 'utf8')}# a hot fix by hand\n`;
    await writeFile(file, written);
    const carried = await update(project, 'app');
    expect(carried.report, carried.log).toMatchObject({ outcome: 'refused', changed: false });
    expect(carried.report.error).toMatchObject({
      code: 'E_SOURCE',
      message: expect.stringContaining('Dockerfile') as string,
    });
    await expectUntouched(project, 'app', before, carried.log);
    expect(await readFile(file, 'utf8')).toBe(written);
    expect(await project.git('stash', 'list')).toBe('');
    await project.git('checkout', '--', 'Dockerfile');
  });

  it('is not what an untracked file leads to: it stays where it is, as it is', async () => {
    const file = join(project.dir, 'notes.txt');
    await writeFile(file, 'mine\n');
    const environment = await readFile(join(project.dir, '.env'), 'utf8');
    const carried = await update(project, 'app');
    expect(carried.report.outcome, carried.log).toBe('deployed');
    expect((await project.get('/')).text).toContain('2.0.0');
    expect(await readFile(file, 'utf8')).toBe('mine\n');
    expect(await readFile(join(project.dir, '.env'), 'utf8')).toBe(environment);
  });
});

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

async function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}
