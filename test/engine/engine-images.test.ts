import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DockerEngine } from '../../src/engine/engine.js';
import { BASE_IMAGE, docker, makeSandbox, testEngine, type Sandbox } from '../support/engine-containers.js';

let engine: DockerEngine;
let box: Sandbox;
let context: string;

beforeAll(async () => {
  engine = await testEngine();
  box = makeSandbox();
  context = await mkdtemp(join(tmpdir(), 'rr-build-'));
});

afterAll(async () => {
  await box.cleanup();
  await rm(context, { recursive: true, force: true });
});

/** Builds from the context and returns the image's name. */
async function build(tag: string, lines: readonly string[]): Promise<string> {
  const name = `${box.name}/${tag}`;
  await writeFile(join(context, 'Dockerfile'), [`FROM ${BASE_IMAGE}`, ...lines, ''].join('\n'));
  await docker('build', '--quiet', '--tag', name, context);
  return name;
}

const idOf = (reference: string): Promise<string> => docker('image', 'inspect', '--format', '{{.Id}}', reference);

async function known(reference: string): Promise<boolean> {
  return (await docker('images', '--quiet', '--no-trunc', reference)) !== '';
}

const LINES = ['COPY data /data', 'ENV COLOUR=blue', 'LABEL rr.test=1'];

describe('images', () => {
  it('are found by name and id, with what the engine says of them', async () => {
    await writeFile(join(context, 'data'), 'one');
    const name = await build('facts:1', LINES);
    const byName = await engine.image(name);
    expect(byName).toMatchObject({
      id: await idOf(name),
      tags: [name],
      digests: expect.any(Array) as unknown,
      createdAt: await docker('image', 'inspect', '--format', '{{.Created}}', name),
      sizeBytes: Number(await docker('image', 'inspect', '--format', '{{.Size}}', name)),
    });
    expect(byName?.fingerprint).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(await engine.image(byName?.id ?? '')).toEqual(byName);
  });

  it.each(['rr-there-is-no-such/image:1', `sha256:${'0'.repeat(64)}`, 'not a reference', '../containers', ''])(
    'are undefined for %j',
    async (reference) => {
      expect(await engine.image(reference)).toBeUndefined();
    },
  );

  it('keep their fingerprint through a cached rebuild and change it with layers and configuration', async () => {
    await writeFile(join(context, 'data'), 'one');
    const first = (await engine.image(await build('app:1', LINES)))?.fingerprint;
    const again = (await engine.image(await build('app:2', LINES)))?.fingerprint;
    expect(again).toBe(first);
    const configured = (await engine.image(await build('app:3', [...LINES, 'ENV COLOUR=green'])))?.fingerprint;
    expect(configured).not.toBe(first);
    await writeFile(join(context, 'data'), 'two');
    const changed = (await engine.image(await build('app:4', LINES)))?.fingerprint;
    expect(changed).not.toBe(first);
    expect(changed).not.toBe(configured);
  });

  it('get names, list them, and lose them', async () => {
    const name = await build('names:1', ['LABEL rr.test=names']);
    const id = await idOf(name);
    const repository = `${box.name}/names`;
    await engine.tagImage(id, `${repository}:kept`);
    await engine.tagImage(name, `${repository}-other:kept`);
    await engine.tagImage(name, repository);
    expect(await idOf(`${repository}:kept`)).toBe(id);
    expect(await engine.tagsOf(repository)).toEqual([`${repository}:1`, `${repository}:kept`, `${repository}:latest`]);
    expect(await engine.tagsOf(`docker.io/${repository}`)).toHaveLength(3);
    await engine.untagImage(`${repository}:kept`);
    await engine.untagImage(`${repository}:kept`);
    expect(await engine.tagsOf(repository)).toEqual([`${repository}:1`, `${repository}:latest`]);
    for (const tag of [name, `${repository}:latest`, `${repository}-other:kept`]) await engine.untagImage(tag);
    expect(await known(id)).toBe(false);
    expect(await engine.image(id)).toBeUndefined();
    expect(await engine.tagsOf(repository)).toEqual([]);
    await expect(engine.tagImage(id, `${repository}:kept`)).rejects.toMatchObject({ code: 'E_ENGINE', status: 404 });
  });

  it('keep their last name while a container uses them, running or not', async () => {
    const name = await build('used:1', ['LABEL rr.test=used', 'CMD ["sleep", "600"]']);
    const id = await idOf(name);
    const container = await docker('run', '--detach', '--network', 'none', '--name', `${box.name}-used`, name);
    await engine.tagImage(id, `${box.name}/used:2`);
    await engine.untagImage(name);
    expect(await engine.tagsOf(`${box.name}/used`)).toEqual([`${box.name}/used:2`]);
    await engine.untagImage(`${box.name}/used:2`);
    await docker('kill', container);
    await engine.untagImage(`${box.name}/used:2`);
    expect(await engine.image(id)).toMatchObject({ id, tags: [`${box.name}/used:2`] });
    await docker('rm', '--force', container);
    await engine.untagImage(`${box.name}/used:2`);
    expect(await known(id)).toBe(false);
  });
});
