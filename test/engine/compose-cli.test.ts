import { randomBytes } from 'node:crypto';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { startRegistry } from '../../scripts/lib/registry.mjs';
import { createCompose } from '../../src/engine/compose.js';
import { makeOwnBase } from '../support/own-image.js';
import { BASE_IMAGE, docker, environment, makeComposeFiles, type ComposeFiles } from '../support/compose-files.js';

const lines: string[] = [];
const compose = createCompose({ environment, debug: () => undefined });
const later = { onLine: (line: string) => lines.push(line), signal: new AbortController().signal, timeoutMs: 60_000 };

const ends: (() => Promise<unknown>)[] = [];
async function make(files: Readonly<Record<string, string>>): Promise<ComposeFiles> {
  const project = await makeComposeFiles(files);
  ends.push(() => project.cleanup());
  return project;
}
afterEach(async () => {
  lines.length = 0;
  for (const end of ends.splice(0).reverse()) await end();
});

const ONE = `x-rolling-restart: { services: { web: { strategy: rolling } } }\nservices:\n  web:\n    image: ${BASE_IMAGE}\n`;

describe('version', () => {
  it('is three numbers', async () => {
    expect(await compose.version()).toMatch(/^\d+\.\d+\.\d+$/);
  });

  it('says so when the Docker CLI has no Compose', async () => {
    const project = await make({ 'compose.yaml': ONE });
    const bare = { ...environment, DOCKER_CONFIG: project.directory, DOCKER_CLI_PLUGIN_EXTRA_DIRS: '/nowhere' };
    // Where the plugin is installed for all users it is found in any case, so a CLI without one is written here.
    await mkdir(join(project.directory, 'bin'));
    const fake = join(project.directory, 'bin', 'docker');
    await writeFile(fake, `#!/bin/sh\necho "docker: 'compose' is not a docker command." >&2\nexit 1\n`);
    await chmod(fake, 0o755);
    const path = process.env['PATH'] ?? '';
    process.env['PATH'] = `${join(project.directory, 'bin')}:${path}`;
    try {
      const without = createCompose({ environment: { ...bare, PATH: process.env['PATH'] }, debug: () => undefined });
      await expect(without.version()).rejects.toMatchObject({ code: 'E_ENGINE_UNREACHABLE' });
      await expect(without.render(project.target)).rejects.toMatchObject({ code: 'E_ENGINE_UNREACHABLE' });
    } finally {
      process.env['PATH'] = path;
    }
  });
});

describe('render', () => {
  it("finds the default file, reads `.env` and keeps the top level's policy", async () => {
    const project = await make({ 'compose.yaml': `${ONE}    environment: { A: '\${FROM_ENV}' }\n` });
    await project.write({ '.env': `COMPOSE_PROJECT_NAME=${project.name}\nFROM_ENV=yes\n` });
    const rendered = await compose.render(project.target);
    expect(rendered).toMatchObject({ name: project.name, policy: { services: { web: { strategy: 'rolling' } } } });
    expect(rendered.services['web']?.environment).toEqual({ A: 'yes' });
  });

  it('honours COMPOSE_ variables as a shell would, and explicit values above them', async () => {
    const project = await make({ 'a.yaml': ONE, 'b.yaml': ONE.replaceAll('web', 'other'), 'b.env': 'FROM_ENV=b' });
    const shell = createCompose({
      environment: { ...environment, COMPOSE_FILE: 'b.yaml', COMPOSE_PROJECT_NAME: 'rr-from-shell' },
      debug: () => undefined,
    });
    const open = await shell.render(project.target);
    expect([open.name, Object.keys(open.services)]).toEqual(['rr-from-shell', ['other']]);
    const files = [join(project.directory, 'a.yaml')];
    const named = await shell.render({ ...project.target, files, projectName: 'rr-explicit' });
    expect([named.name, Object.keys(named.services)]).toEqual(['rr-explicit', ['web']]);
  });

  it('has services of profiles that are off, and does without those that are not whole', async () => {
    const off = (more: string): string => `${ONE}  tool:\n    image: ${BASE_IMAGE}\n    profiles: [tools]\n${more}`;
    const project = await make({ 'compose.yaml': off('') });
    expect(Object.keys((await compose.render(project.target)).services)).toEqual(['tool', 'web']);
    await project.write({ 'compose.yaml': off('    env_file: [missing.env]\n') });
    expect(Object.keys((await compose.render(project.target)).services)).toContain('web');
  });

  it('tells a missing file from a bad one', async () => {
    const project = await make({});
    await expect(compose.render(project.target)).rejects.toMatchObject({
      code: 'E_COMPOSE_FILE',
      message: `There is no compose file in ${project.directory}`,
    });
    const missing = join(project.directory, 'none.yml');
    await expect(compose.render({ ...project.target, files: [missing] })).rejects.toMatchObject({
      code: 'E_COMPOSE_FILE',
      message: `There is no compose file ${missing}`,
    });
    await expect(compose.render({ ...project.target, directory: '/rr/nowhere' })).rejects.toMatchObject({
      code: 'E_COMPOSE_FILE',
      message: expect.stringContaining('/rr/nowhere') as string,
    });
    await project.write({ 'compose.yaml': 'services:\n  web:\n    imagge: x\n' });
    await expect(compose.render(project.target)).rejects.toMatchObject({
      code: 'E_COMPOSE_FILE',
      message: expect.stringMatching(/is not valid: .*imagge/) as string,
    });
  });

  it('writes a worktree as if it were the live directory, with the build context where it is', async () => {
    const build = `    build: { context: ./app }\n    volumes: ['./data:/data']\n    configs: [c]\n`;
    const project = await make({ 'compose.yaml': `${ONE}${build}configs: { c: { file: ./c.conf } }\n`, 'c.conf': 'c' });
    const live = '/srv/live';
    const relocate = [{ from: project.directory, to: live }];
    const moved = await compose.render({ ...project.target, projectName: project.name, relocate });
    expect(moved.services['web']).toMatchObject({
      build: { context: join(project.directory, 'app') },
      mounts: [{ source: '/srv/live/data' }],
    });
    expect(moved.configs['c']?.file).toBe('/srv/live/c.conf');
  });
});

describe('build', () => {
  const dockerfile = (last: string): string => `FROM ${BASE_IMAGE}\nARG MONEY\nENV MONEY=$MONEY\n${last}\n`;

  it('builds under the name in the document, from standard input alone', async () => {
    const project = await make({ Dockerfile: dockerfile('RUN echo built-here') });
    const labels = `labels: ['com.docker.compose.project=${project.name}']`;
    const yaml = `services:\n  web:\n    build: { context: ., args: { MONEY: 'a$$b' }, ${labels} }\n`;
    await project.write({ 'compose.yaml': yaml });
    const { document } = await compose.render(project.target);
    const services = document['services'] as Record<string, Record<string, unknown>>;
    const image = `rolling-restart/${project.name}-web:20261124t000000z-abcdef`;
    const named = { ...document, services: { web: { ...services['web'], image } } };
    await compose.build({ ...later, document: named, directory: project.directory, service: 'web', pullBase: false });
    expect(await docker('image', 'inspect', '--format', '{{.Config.Env}}', image)).toContain('MONEY=a$b');
    expect(lines.join('\n')).toContain('exporting to image');
  });

  it('fails with E_BUILD and the last lines', async () => {
    const project = await make({
      Dockerfile: dockerfile('RUN echo this-is-why && false'),
      'compose.yaml': 'services:\n  web:\n    build: .\n',
    });
    const { document } = await compose.render(project.target);
    const built = compose.build({ ...later, document, directory: project.directory, service: 'web', pullBase: false });
    const error: unknown = await built.catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'E_BUILD' });
    const { excerpt } = error as { excerpt: readonly { lines: readonly string[] }[] };
    expect(excerpt[0]?.lines.join('\n')).toContain('this-is-why');
    expect(excerpt[0]?.lines.length).toBeLessThanOrEqual(30);
  });

  it('is ended when the run is cancelled', async () => {
    const project = await make({
      Dockerfile: dockerfile('RUN sleep 60'),
      'compose.yaml': 'services:\n  web:\n    build: .\n',
    });
    const { document } = await compose.render(project.target);
    const controller = new AbortController();
    const onLine = (line: string): void => {
      if (line.includes('sleep 60')) controller.abort();
    };
    const begin = Date.now();
    await expect(
      compose.build({
        ...later,
        onLine,
        signal: controller.signal,
        document,
        directory: project.directory,
        service: 'web',
        pullBase: false,
      }),
    ).rejects.toMatchObject({ code: 'E_CANCELLED' });
    expect(Date.now() - begin).toBeLessThan(30_000);
  });
});

describe('a registry', () => {
  it('gives an image that it has, and says what is wrong with one that it has not', async () => {
    const registry = await startRegistry();
    ends.push(() => registry.stop());
    const name = `${registry.address}/rr-${randomBytes(4).toString('hex')}`;
    await makeOwnBase(`${name}:1`);
    ends.push(() => docker('rmi', `${name}:1`).catch(() => ''));
    await docker('push', '--quiet', `${name}:1`);
    await docker('rmi', `${name}:1`);

    expect(await compose.registryProblem(`${name}:1`, 20_000)).toBeUndefined();
    expect(await compose.registryProblem(`${name}:2`, 20_000)).toMatch(
      /does not give .*:2: .*(no such manifest|unknown)/i,
    );
    await compose.pull(`${name}:1`, later.onLine, later.signal, 60_000);
    expect(await docker('image', 'inspect', '--format', '{{.Id}}', `${name}:1`)).toMatch(/^sha256:/);
    expect(lines.join('\n')).toContain('Pull');
    await expect(compose.pull(`${name}:2`, later.onLine, later.signal, 60_000)).rejects.toMatchObject({
      code: 'E_PULL',
      message: expect.stringMatching(/not found|unknown/i) as string,
    });
  });

  it('that does not answer is a problem after the time given', async () => {
    // It reads, so that it sees the client go, and never answers.
    const silent = createServer((socket) => socket.resume().on('error', () => undefined));
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    ends.push(() => new Promise((resolve) => silent.close(resolve)));
    const { port } = silent.address() as AddressInfo;
    const begin = Date.now();
    expect(await compose.registryProblem(`127.0.0.1:${port}/app:1`, 1_000)).toMatch(/did not answer within 1 s/);
    expect(Date.now() - begin).toBeLessThan(8_000);
  });

  it('is not asked for what is no name, least of all for an option', async () => {
    for (const reference of ['--all-tags', 'a b', '']) {
      await expect(compose.pull(reference, later.onLine, later.signal, 1_000)).rejects.toMatchObject({
        code: 'E_PULL',
      });
    }
  });
});
