import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ObservedContainer } from '../../../src/model/service.js';
import { composeCallsContract } from './compose-calls.js';
import { ComposeFixture } from './compose-fixture.js';
import { actionOf, collect, eventsFromNow, targetOf, type EngineSubject } from './subject.js';

/** What Compose does to the containers of a service, the real one and the one in memory. */
export function composeContract(name: string, create: () => Promise<EngineSubject>): void {
  const fixture = new ComposeFixture();
  const { up, containersOf, oneOf } = fixture;

  beforeAll(async () => {
    await fixture.open(await create());
  });
  afterAll(async () => {
    await fixture.subject.cleanup();
  });

  describe(`up of ${name}`, () => {
    let first: ObservedContainer;

    it('makes the containers, the network and the volumes of a service', async () => {
      const { subject, image } = fixture;
      await up('web', { image, environment: { COLOR: 'blue' }, volumes: [STATE, ANONYMOUS] });
      first = await oneOf('web');
      expect(first).toMatchObject({
        name: `${subject.project}-web-1`,
        number: 1,
        state: 'running',
        imageName: image,
        imageId: (await subject.engine.image(image))?.id,
        composeHash: (await subject.compose.hashes(targetOf(subject, fixture.document())))['web'],
        madeFrom: { directory: subject.directory },
        networkMode: `${subject.project}_default`,
        anonymousVolumes: ['/anonymous'],
      });
      expect(first.networks[`${subject.project}_default`]?.names).toEqual(
        ['web', `${subject.project}-web-1`].toSorted(),
      );
      expect(first.addresses).toHaveLength(1);
      expect((await subject.engine.volumeOwners()).get(`${subject.project}_state`)).toEqual({
        project: subject.project,
        key: 'state',
      });
    });

    it('leaves what is as it should be, and starts what does not run', async () => {
      const { engine } = fixture.subject;
      await up('web');
      expect(await oneOf('web')).toMatchObject({ id: first.id, startedAt: first.startedAt });
      await engine.stopContainer(first.id);
      await up('web');
      expect(await oneOf('web')).toMatchObject({ id: first.id, state: 'running' });
    });

    it('replaces what has another environment, under the same name and with its volumes', async () => {
      const { engine } = fixture.subject;
      const volume = await fixture.volumeOf(first.id);
      const stop = new AbortController();
      const events = await eventsFromNow(fixture.subject, stop.signal);
      await up('web', { image: fixture.image, environment: { COLOR: 'red' }, volumes: [STATE, ANONYMOUS] });
      const seen = await collect(events, stop, ({ action }) => action === 'start');
      expect(seen.filter(({ action }) => action !== 'stop').map(actionOf)).toEqual([
        ...['web create', 'web kill', 'web die 0', 'web destroy', 'web rename', 'web start'],
      ]);
      const second = await oneOf('web');
      expect(second).toMatchObject({ name: first.name, number: 1, state: 'running' });
      expect(second.id).not.toBe(first.id);
      expect(second.environment).toContain('COLOR=red');
      expect(second.composeHash).not.toBe(first.composeHash);
      expect(await fixture.volumeOf(second.id)).toBe(volume);
      expect(await engine.container(first.id)).toBeUndefined();
      first = second;
    });

    it('replaces what has another image under the same name', async () => {
      await fixture.subject.image({ prints: ['another'], build: 'new' }, fixture.image);
      await up('web');
      const second = await oneOf('web');
      expect(second.id).not.toBe(first.id);
      expect(second).toMatchObject({ imageName: first.imageName, composeHash: first.composeHash });
      expect(second.imageId).not.toBe(first.imageId);
      first = second;
    });

    it('replaces what it is told to', async () => {
      await up('web', undefined, { forceRecreate: true });
      expect((await oneOf('web')).id).not.toBe(first.id);
      first = await oneOf('web');
    });

    it('makes more containers and removes the ones with the highest numbers', async () => {
      const numbers = async (): Promise<readonly number[]> => (await containersOf('web')).map(({ number }) => number);
      await up('web', undefined, { replicas: 3 });
      expect(await numbers()).toEqual([1, 2, 3]);
      expect((await containersOf('web'))[0]?.id).toBe(first.id);
      const [, second] = await containersOf('web');
      await up('web', undefined, { replicas: 2 });
      expect(await numbers()).toEqual([1, 2]);
      await fixture.subject.engine.removeContainer(first.id);
      await up('web', undefined, { replicas: 2 });
      expect(await numbers()).toEqual([2, 3]);
      expect((await containersOf('web'))[0]?.id).toBe(second?.id);
      await up('web', undefined, { replicas: 0 });
      expect(await numbers()).toEqual([]);
    });

    it('leaves a service alone that the other one depends on', async () => {
      const { subject, image } = fixture;
      const dependent = { image, depends_on: { web: { condition: 'service_started', required: true } } };
      await up('worker', dependent, { hasDependencies: true });
      expect(await containersOf('web')).toEqual([]);
      const worker = await oneOf('worker');
      expect(worker.composeHash).toBe((await subject.compose.hashes(targetOf(subject, fixture.document())))['worker']);
      await up('worker', { ...dependent, environment: { COLOR: 'red' } }, { hasDependencies: true });
      expect((await oneOf('worker')).id).not.toBe(worker.id);
      expect(await containersOf('web')).toEqual([]);
    });

    it('fails where there is no such image, and touches nothing', async () => {
      const before = await oneOf('worker');
      const missing = `${fixture.subject.project}-missing:1`;
      await expect(up('worker', { image: missing })).rejects.toMatchObject({
        code: 'E_COMPOSE',
        message: expect.stringMatching(/No such image/i) as string,
      });
      expect((await oneOf('worker')).id).toBe(before.id);
    });

    it('fails where a port is taken, after it has made the container', async () => {
      const { subject, image } = fixture;
      const ports = [
        { mode: 'ingress', host_ip: '127.0.0.1', target: 80, published: String(subject.port), protocol: 'tcp' },
      ];
      await up('worker', { image, ports });
      await expect(up('second', { image, ports })).rejects.toMatchObject({
        code: 'E_COMPOSE',
        message: expect.stringContaining('port is already allocated') as string,
      });
      expect(await oneOf('second')).toMatchObject({ state: 'created', exitCode: 128 });
    });

    it('is ended by an abort and by its deadline, half-way', async () => {
      const { image, subject } = fixture;
      await up('slow', {
        image: await subject.image({ ignoresSigterm: true, prints: ['ready'] }),
        stop_grace_period: '20s',
      });
      const old = await oneOf('slow');
      await fixture.hasPrinted(old.id, 'ready');
      await expect(up('slow', { image }, { timeoutMs: 2_000 })).rejects.toMatchObject({
        code: 'E_DEADLINE',
        message: '"docker compose up slow" took longer than 2 s and was ended',
      });
      // The successor is there, and what it is to replace is still stopping.
      expect((await containersOf('slow')).map(({ id }) => id)).toEqual([old.id]);
      const left = await subject.engine.leftovers(subject.project, 'slow');
      expect(left.map(({ name: one }) => one)).toEqual([`${old.id.slice(0, 12)}_${old.name}`]);
      await expect(up('slow', undefined, { signal: AbortSignal.abort() })).rejects.toMatchObject({
        code: 'E_CANCELLED',
      });
      expect((await containersOf('slow')).map(({ id }) => id)).toEqual([old.id]);
      for (const { id } of [old, ...left]) await subject.engine.removeContainer(id);
    });
  });

  composeCallsContract(name, fixture);
}

const STATE = { type: 'volume', source: 'state', target: '/state', volume: {} };
const ANONYMOUS = { type: 'volume', target: '/anonymous', volume: {} };
