import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RecordsApi } from '../../src/model/ports/records.js';
import { BASE_IMAGE, docker, makeSandbox, testEngine, type Sandbox } from '../support/engine-containers.js';

let api: RecordsApi;
let box: Sandbox;
let volume: string;
let container: string;

const LABEL = 'rr.test.records';

const ensure = (name: string): Promise<string> =>
  api.ensureRecordsContainer({ name, volume: name, labels: { [LABEL]: box.name } });

beforeAll(async () => {
  api = (await testEngine()).records;
  box = makeSandbox();
  volume = `${box.name}-records`;
  await api.createVolume(volume, { [LABEL]: box.name });
  container = await ensure(volume);
});

afterAll(async () => {
  await box.cleanup();
});

describe('labelled volumes', () => {
  it('have one maker, whose labels everybody sees', async () => {
    const name = `${box.name}-race`;
    const owners = Array.from({ length: 10 }, (_, index) => `owner-${index}`);
    const seen = await Promise.all(owners.map((owner) => api.createVolume(name, { owner, [LABEL]: box.name })));
    const winners = new Set(seen.map((labels) => labels['owner']));
    expect(winners.size).toBe(1);
    const theirs = await docker('volume', 'inspect', '--format', '{{index .Labels "owner"}}', name);
    expect([...winners]).toEqual([theirs]);
  });

  it('are listed by label, and removed once or twice', async () => {
    const names = [`${box.name}-a`, `${box.name}-b`];
    for (const name of names) await api.createVolume(name, { 'rr.test.list': box.name, name });
    const listed = await api.listVolumes(`rr.test.list=${box.name}`);
    expect(listed.map((one) => one.name).sort()).toEqual(names);
    expect(listed.find((one) => one.name === names[0])?.labels['name']).toBe(names[0]);
    for (const name of [...names, ...names]) await api.removeVolume(name);
    expect(await api.listVolumes(`rr.test.list=${box.name}`)).toEqual([]);
  });

  it('stay while a container has them', async () => {
    await expect(api.removeVolume(volume)).rejects.toMatchObject({ code: 'E_ENGINE', status: 409 });
  });
});

describe('the records container', () => {
  it('is one, whoever asks for it first, and is never started', async () => {
    const name = `${box.name}-first`;
    await api.createVolume(name, {});
    const ids = await Promise.all(Array.from({ length: 8 }, () => ensure(name)));
    expect(new Set(ids).size).toBe(1);
    const [state, network, label] = (
      await docker(
        'inspect',
        '--format',
        `{{.State.Status}} {{.HostConfig.NetworkMode}} {{index .Config.Labels "${LABEL}"}}`,
        name,
      )
    ).split(' ');
    expect([state, network, label]).toEqual(['created', 'none', box.name]);
  });

  it('is refused when the name is a stranger’s', async () => {
    const name = `${box.name}-stranger`;
    await docker('create', '--name', name, BASE_IMAGE, 'true');
    await expect(ensure(name)).rejects.toMatchObject({
      code: 'E_ENGINE',
      message: expect.stringContaining('in the way') as string,
    });
  });

  it('that somebody has pruned says so, and its files come back with the next one', async () => {
    const name = `${box.name}-pruned`;
    await api.createVolume(name, {});
    const first = await ensure(name);
    await api.writeFiles(first, new Map([['kept', Buffer.from('still here')]]));
    await docker('rm', first);
    await expect(api.readFile(first, 'kept')).rejects.toMatchObject({ code: 'E_ENGINE', status: 404 });
    await expect(api.readTree(first, 'nowhere')).rejects.toMatchObject({ code: 'E_ENGINE', status: 404 });
    await expect(api.writeFiles(first, new Map([['lost', Buffer.from('')]]))).rejects.toMatchObject({
      code: 'E_ENGINE',
      status: 404,
    });
    const second = await ensure(name);
    expect(second).not.toBe(first);
    expect(String(await api.readFile(second, 'kept'))).toBe('still here');
    await api.removeContainer(second);
    await api.removeContainer(second);
    expect(await docker('volume', 'inspect', '--format', '{{.Name}}', name)).toBe(name);
  });
});

describe('files', () => {
  it('come back byte for byte', async () => {
    for (const size of [0, 1, 511, 512, 513, 3 * 1024 * 1024]) {
      const content = randomBytes(size);
      await api.writeFiles(container, new Map([[`sizes/${size}`, content]]));
      expect((await api.readFile(container, `sizes/${size}`))?.equals(content)).toBe(true);
    }
  });

  it('are read as a tree, by paths from the root', async () => {
    const long = `tree/${'x'.repeat(120)}/${'é'.repeat(60)}.json`;
    const paths = ['tree/a', 'tree/b/c', 'tree/b/d/e', long];
    for (const path of paths) await api.writeFiles(container, new Map([[path, Buffer.from(path)]]));
    const tree = await api.readTree(container, 'tree');
    expect([...tree.keys()].sort()).toEqual([...paths].sort());
    for (const path of paths) expect(String(tree.get(path))).toBe(path);
    expect([...(await api.readTree(container, 'tree/b')).keys()].sort()).toEqual(['tree/b/c', 'tree/b/d/e']);
    expect([...(await api.readTree(container, '')).keys()]).toEqual(expect.arrayContaining(paths));
  });

  it('that are not there are undefined, and folders empty', async () => {
    expect(await api.readFile(container, 'no/such/file')).toBeUndefined();
    expect(await api.readTree(container, 'no/such/folder')).toEqual(new Map());
    await api.writeFiles(container, new Map([['is/a/folder', Buffer.from('')]]));
    expect(await api.readFile(container, 'is/a')).toBeUndefined();
  });

  it('are for root only', async () => {
    await api.writeFiles(container, new Map([['private/secret.json', Buffer.from('{}')]]));
    const shown = await docker(
      ...[
        'run',
        '--rm',
        '--network',
        'none',
        '--volume',
        `${volume}:/v:ro`,
        '--label',
        `com.docker.compose.project=${box.name}`,
      ],
      ...[BASE_IMAGE, 'sh', '-c', 'stat -c "%a %u %g" /v/private /v/private/secret.json'],
    );
    expect(shown.split('\n')).toEqual(['700 0 0', '600 0 0']);
  });

  it('are seen whole by whoever reads while they are written', async () => {
    const contents = ['a', 'b'].map((letter) => Buffer.alloc(512 * 1024, letter));
    await api.writeFiles(container, new Map([['busy', contents[0] ?? Buffer.alloc(0)]]));
    let writing = true;
    const writer = (async () => {
      try {
        for (let round = 0; round < 20; round += 1) {
          await api.writeFiles(container, new Map([['busy', contents[round % 2] ?? Buffer.alloc(0)]]));
        }
      } finally {
        writing = false;
      }
    })();
    // Awaited below: until then it is nobody's.
    writer.catch(() => undefined);
    let reads = 0;
    while (writing) {
      const seen = await api.readFile(container, 'busy');
      expect(contents.some((content) => seen?.equals(content))).toBe(true);
      reads += 1;
    }
    await writer;
    expect(reads).toBeGreaterThan(1);
  });

  it('never lead out of the volume', async () => {
    const refused = { code: 'E_INTERNAL' };
    await expect(api.writeFiles(container, new Map([['../x', Buffer.from('')]]))).rejects.toMatchObject(refused);
    await expect(api.readFile(container, '/etc/passwd')).rejects.toMatchObject(refused);
    await expect(api.readTree(container, 'a/../..')).rejects.toMatchObject(refused);
  });
});
