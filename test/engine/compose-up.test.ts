import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createCompose } from '../../src/engine/compose.js';
import { definitionOf } from '../../src/model/release.js';
import type { ComposeTarget } from '../../src/model/ports/engine.js';
import { BASE_IMAGE, docker, environment, makeComposeFiles, type ComposeFiles } from '../support/compose-files.js';

const compose = createCompose({ environment, debug: () => undefined });
const later = { onLine: () => undefined, signal: new AbortController().signal, timeoutMs: 60_000 };
const sleeping = (more = ''): string => `image: ${BASE_IMAGE}\n    command: [sleep, '1000']\n    init: true${more}`;

/** Everything that was found to matter to Compose's hash, or might. */
const EVERYTHING = `
services:
  plain:
    ${sleeping()}
  values:
    ${sleeping()}
    env_file: [svc.env]
    environment:
      LITERAL: "cost $$5 and $\${BRACES}"
      FROM_ENV: "\${MONEY}"
      QUOTES: "a \\"b\\" 'c'"
      UNSET:
      LINES: "a\\nb"
    labels: { l.dollar: "$$x", l.html: "<a&b>" }
    healthcheck:
      test: ["CMD-SHELL", "test -n \\"$$HOME\\" && echo '<ok>'"]
      interval: 1m30s
      start_period: 5s
      start_interval: 500ms
    develop: { watch: [{ path: ./cfg, action: rebuild }] }
  full:
    ${sleeping()}
    container_name: NAME-full
    depends_on: { plain: { condition: service_started } }
    deploy:
      resources: { limits: { cpus: "0.5", memory: 64M }, reservations: { memory: 32M } }
      update_config: { order: start-first, parallelism: 1, delay: 5s }
    ports: ["127.0.0.1::8080"]
    configs: [{ source: c1, target: /etc/a.conf }]
    secrets: [s1]
    networks: { n1: { aliases: [foo] }, n2: { priority: 10 } }
    volumes: ["data:/data", "./cfg:/cfg:ro", "/anonymous", { type: tmpfs, target: /t, tmpfs: { size: 1000000 } }]
    ulimits: { nofile: 1000, nproc: { soft: 10, hard: 20 } }
    extra_hosts: ["a.b:1.2.3.4"]
    logging: { driver: json-file, options: { max-size: 1m } }
    restart: unless-stopped
    pull_policy: never
    shm_size: 64m
  built:
    build: { context: ., dockerfile_inline: "FROM ${BASE_IMAGE}\\nLABEL com.docker.compose.project=NAME" }
    command: [sleep, '1000']
    init: true
  profiled:
    ${sleeping()}
    profiles: [tools]
  scaled:
    ${sleeping()}
    scale: 2
  shared:
    ${sleeping()}
    network_mode: "service:plain"
networks: { n1: {}, n2: { driver: bridge, labels: { a: "$$b" } } }
volumes: { data: {} }
configs: { c1: { file: cfg/a.conf } }
secrets: { s1: { file: cfg/secret } }
`;
const SERVICES = ['plain', 'values', 'full', 'built', 'profiled', 'scaled', 'shared'];

const projects: ComposeFiles[] = [];
async function make(files: Readonly<Record<string, string>>): Promise<ComposeFiles> {
  const project = await makeComposeFiles(files);
  projects.push(project);
  return project;
}
afterEach(async () => {
  for (const project of projects.splice(0)) await project.cleanup();
});

async function makeEverything(): Promise<ComposeFiles> {
  const project = await make({
    'svc.env': `A=1\nB='has $DOLLAR \${BRACE}'\nC="dq \\"quote\\""\nD=$MONEY\n`,
    'cfg/a.conf': 'a',
    'cfg/secret': 's',
  });
  await project.write({
    '.env': `COMPOSE_PROJECT_NAME=${project.name}\nMONEY='va$lue'\n`,
    'compose.yaml': EVERYTHING.replaceAll('NAME', project.name),
  });
  const built = await compose.render(project.target);
  await compose.build({
    ...later,
    document: built.document,
    directory: project.directory,
    service: 'built',
    pullBase: false,
  });
  return project;
}

/** The definition as the ledger keeps it, in a file of its own. */
async function kept(project: ComposeFiles, service: string): Promise<ComposeTarget> {
  const rendered = await compose.render(project.target);
  const definition = rendered.services[service];
  if (definition === undefined) throw new Error(`no ${service}`);
  const file = join(project.directory, `kept-${randomBytes(3).toString('hex')}.json`);
  await writeFile(file, JSON.stringify(definitionOf(rendered, definition)));
  return { files: [file], directory: project.directory, projectName: project.name, envFiles: [] };
}

const up = (target: ComposeTarget, service: string, forceRecreate = false): Promise<void> =>
  compose.up({ ...later, target, service, replicas: undefined, forceRecreate, hasDependencies: true });

beforeAll(async () => {
  await docker('image', 'inspect', BASE_IMAGE);
});

describe('a container that we made', () => {
  it.each([
    ["the user's own files", async (project: ComposeFiles) => project.target],
    ['the kept definition', kept],
  ])('from %s stays as it is at a plain `docker compose up -d`', async (_title, targetOf) => {
    const project = await makeEverything();
    for (const service of SERVICES) await up(await targetOf(project, service), service);
    const ours = await project.containers();
    expect([...new Set(ours.map(({ service }) => service))]).toEqual([...SERVICES].sort());

    const hashes = await compose.hashes(project.target);
    for (const { service, hash } of ours) expect({ service, hash }).toEqual({ service, hash: hashes[service] });
    for (const service of SERVICES) {
      expect((await compose.hashes(await kept(project, service)))[service]).toBe(hashes[service]);
    }

    await project.compose('--profile', '*', 'up', '--detach');
    expect(await project.containers()).toEqual(ours);
    for (const service of SERVICES) await up(await targetOf(project, service), service);
    expect(await project.containers()).toEqual(ours);
  });

  it('gets its values with every `$` and quote as they were written', async () => {
    const project = await makeEverything();
    await up(await kept(project, 'values'), 'values');
    const [container] = await project.containers();
    const [inspected] = JSON.parse(await docker('inspect', container?.id ?? '')) as [{ Config: { Env: string[] } }];
    expect(inspected.Config.Env).toEqual(
      expect.arrayContaining([
        'LITERAL=cost $5 and ${BRACES}',
        'FROM_ENV=va$lue',
        `QUOTES=a "b" 'c'`,
        'LINES=a\nb',
        'B=has $DOLLAR ${BRACE}',
        'C=dq "quote"',
        'D=va$lue',
      ]),
    );
    const rendered = await compose.render(project.target);
    expect(rendered.services['values']?.environment).toMatchObject({
      LITERAL: 'cost $5 and ${BRACES}',
      FROM_ENV: 'va$lue',
      B: 'has $DOLLAR ${BRACE}',
      UNSET: null,
    });
    expect(rendered.services['values']?.healthCheck?.test[1]).toBe(`test -n "$HOME" && echo '<ok>'`);
  });
});

const THREE = (version: string): string => `
services:
  base:
    ${sleeping()}
    environment: { BASE: '1' }
  job:
    image: ${BASE_IMAGE}
    command: ['true']
  web:
    ${sleeping()}
    environment: { VERSION: '${version}' }
    volumes: [/anonymous]
    depends_on: { base: { condition: service_started }, job: { condition: service_completed_successfully } }
  worker:
    ${sleeping()}
    environment: { VERSION: '${version}' }
    depends_on: [web]
`;

describe('a service that depends on others', () => {
  it('is replaced alone: nothing else is made, started, scaled or replaced', async () => {
    const project = await make({ 'compose.yaml': THREE('1') });
    await project.compose('up', '--detach', '--scale', 'base=2');
    const before = await project.containers();
    await docker('stop', '--time', '0', before[1]?.id ?? '');
    await project.write({ 'compose.yaml': THREE('2') });

    await up(project.target, 'web');
    const after = await project.containers();
    const others = (list: typeof before) => list.filter(({ service }) => service !== 'web');
    expect(others(after)).toEqual(others(before));
    expect(await stateOf(before[1]?.id)).toBe('exited');
    const web = after.find(({ service }) => service === 'web');
    expect(web?.id).not.toBe(before.find(({ service }) => service === 'web')?.id);
    expect(web?.hash).toBe((await compose.hashes(project.target))['web']);
    expect(await stateOf(web?.id)).toBe('running');
  });

  it('does not bring its dependencies into being at its first start', async () => {
    const project = await make({ 'compose.yaml': THREE('1') });
    await up(project.target, 'worker');
    expect((await project.containers()).map(({ service }) => service)).toEqual(['worker']);
  });

  it('carries an anonymous volume over', async () => {
    const project = await make({ 'compose.yaml': THREE('1') });
    await project.compose('up', '--detach');
    const volume = await volumeOf(project, 'web');
    await project.write({ 'compose.yaml': THREE('2') });
    await up(project.target, 'web');
    expect(volume).toMatch(/^[0-9a-f]{64}$/);
    expect(await volumeOf(project, 'web')).toBe(volume);
  });

  it('is replaced when a dependency differs from its definition, and leaves that one alone', async () => {
    const project = await make({ 'compose.yaml': THREE('1') });
    await project.compose('up', '--detach');
    const before = await project.containers();
    await project.write({ 'compose.yaml': THREE('2').replace("BASE: '1'", "BASE: '2'") });
    await up(project.target, 'worker');
    const after = await project.containers();
    expect(after.filter(({ service }) => service !== 'worker')).toEqual(
      before.filter(({ service }) => service !== 'worker'),
    );
    const worker = after.find(({ service }) => service === 'worker');
    expect(worker?.hash).toBe((await compose.hashes(project.target))['worker']);
    expect(await stateOf(worker?.id)).toBe('running');
  });

  it('is replaced by force although nothing differs, and only once', async () => {
    const project = await make({ 'compose.yaml': THREE('1') });
    await project.compose('up', '--detach');
    const before = await project.containers();
    await up(project.target, 'worker', true);
    const after = await project.containers();
    expect(after.map(({ service, id }) => [service, before.some((one) => one.id === id)])).toEqual([
      ['base', true],
      ['job', true],
      ['web', true],
      ['worker', false],
    ]);
  });
});

describe('up', () => {
  it('scales, and leaves other services of the project alone although its document has only one', async () => {
    const project = await make({
      'compose.yaml': `services:\n  one:\n    ${sleeping()}\n  two:\n    ${sleeping()}\n`,
    });
    await project.compose('up', '--detach');
    const target = await kept(project, 'one');
    const orphans = createCompose({
      environment: { ...environment, COMPOSE_REMOVE_ORPHANS: '1' },
      debug: () => undefined,
    });
    await orphans.up({ ...later, target, service: 'one', replicas: 3, forceRecreate: false, hasDependencies: false });
    expect((await project.containers()).map(({ service }) => service)).toEqual(['one', 'one', 'one', 'two']);
  });

  it('fails with E_COMPOSE when the image is not there, and says so', async () => {
    const image = `${BASE_IMAGE.split(':')[0] ?? ''}:none-${randomBytes(4).toString('hex')}`;
    const project = await make({ 'compose.yaml': `services:\n  one:\n    image: ${image}\n` });
    await expect(up(project.target, 'one')).rejects.toMatchObject({
      code: 'E_COMPOSE',
      message: expect.stringMatching(/No such image/i) as string,
    });
    expect(await project.containers()).toEqual([]);
  });
});

async function stateOf(id: string | undefined): Promise<string> {
  return (await docker('inspect', '--format', '{{.State.Status}}', id ?? '')).trim();
}

async function volumeOf(project: ComposeFiles, service: string): Promise<string> {
  const id = (await project.containers()).find((container) => container.service === service)?.id ?? '';
  return (await docker('inspect', '--format', '{{range .Mounts}}{{.Name}}{{end}}', id)).trim();
}
