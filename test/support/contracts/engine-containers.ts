import { describe, expect, it } from 'vitest';
import type { EngineFixture } from './engine-fixture.js';
import { actionOf, collect, eventsFromNow } from './subject.js';

/** How containers are listed, made, started, stopped, named and removed. */
export function containersContract(name: string, fixture: EngineFixture): void {
  const { beside, engine, idOf, look, start, until } = fixture;

  describe(`containers of ${name}`, () => {
    it('are listed by service and number, without one-off ones and what a recreate left', async () => {
      const { subject } = fixture;
      const ten = await beside('calm', 10);
      const two = await beside('calm', 2);
      const oneOff = await subject.outside.oneOff('calm', fixture.images.calm);
      const left = await beside('calm', 3, `0123456789ab_${subject.project}-calm-1`);

      const all = await engine().containers(subject.project);
      expect(all.map(({ service, number }) => `${service} ${number}`)).toEqual([
        ...[
          'calm 1',
          'calm 2',
          'calm 10',
          'crashing 1',
          'failing 1',
          'job 1',
          'ready 1',
          'second 1',
          'sharing 1',
          'sick 1',
        ],
        'stubborn 1',
      ]);
      expect((await engine().containers(subject.project, 'calm')).map(({ id }) => id)).toEqual([
        idOf('calm'),
        two,
        ten,
      ]);
      expect((await engine().leftovers(subject.project, 'calm')).map(({ id }) => id)).toEqual([left]);
      expect(await engine().containers(`${subject.project}-nobody`)).toEqual([]);
      for (const id of [ten, two, oneOff, left]) await engine().removeContainer(id);
    });

    it('are made by Compose with its labels, and not started', async () => {
      const container = await look('calm');
      expect(container).toMatchObject({
        name: `${fixture.subject.project}-calm-1`,
        state: 'created',
        health: 'none',
        exitCode: 0,
        restartCount: 0,
        restartPolicy: 'no',
        startedAt: '0001-01-01T00:00:00Z',
        finishedAt: '0001-01-01T00:00:00Z',
        imageName: fixture.images.calm,
        imageId: (await engine().image(fixture.images.calm))?.id,
        publishes: true,
        boundPorts: [fixture.subject.port],
        hostPorts: [],
        addresses: [],
        exposedPorts: [80],
        anonymousVolumes: ['/data'],
        borrows: [],
      });
      expect(container.environment).toContain('COLOR=blue');
      expect(container.networks[`${fixture.subject.project}_default`]?.names).toEqual(
        expect.arrayContaining(['calm', 'quiet']),
      );
      expect(await engine().container('0'.repeat(64))).toBeUndefined();
    });

    it('start, and are there for whoever starts them again', async () => {
      await engine().startContainer(idOf('calm'));
      const first = await look('calm');
      await engine().startContainer(idOf('calm'));
      const again = await look('calm');
      expect(again).toMatchObject({ state: 'running', startedAt: first.startedAt });
      expect(again.addresses).toHaveLength(1);
      expect(again.hostPorts).toContainEqual({ container: 80, host: fixture.subject.port, ip: '127.0.0.1' });
      expect((await engine().publishers(fixture.subject.port)).map(({ id, service }) => [id, service])).toEqual([
        [idOf('calm'), 'calm'],
      ]);
    });

    it('give a port of the host to one container', async () => {
      await expect(engine().startContainer(idOf('second'))).rejects.toMatchObject({
        code: 'E_ENGINE',
        status: 500,
        message: expect.stringContaining('port is already allocated') as string,
      });
      expect(await look('second')).toMatchObject({ state: 'created', exitCode: 128, hostPorts: [] });
      await engine().stopContainer(idOf('calm'));
      // The engine's list shows an end a moment after the call has returned.
      const isFree = async (): Promise<boolean> => (await engine().publishers(fixture.subject.port)).length === 0;
      await until('the port is free', isFree);
      await engine().startContainer(idOf('second'));
      expect(await look('second')).toMatchObject({ state: 'running', exitCode: 0 });
      await expect(engine().startContainer(idOf('calm'))).rejects.toMatchObject({ status: 500 });
      expect(await look('calm')).toMatchObject({ state: 'exited', exitCode: 128 });
      await engine().stopContainer(idOf('second'));
    });

    it('share a namespace with one that runs', async () => {
      await expect(engine().startContainer(idOf('sharing'))).rejects.toMatchObject({
        status: 409,
        message: expect.stringContaining('cannot join network of a non running container') as string,
      });
      await start('calm');
      await engine().startContainer(idOf('sharing'));
      const [calm, sharing] = [await look('calm'), await look('sharing')];
      expect(sharing).toMatchObject({ networkMode: `container:${calm.id}`, networks: {}, addresses: [] });
      expect(sharing.borrows).toEqual([{ what: 'network', from: calm.id }]);
      expect(await engine().borrowers([calm], fixture.subject.project)).toEqual([
        { container: sharing.name, service: 'sharing', what: 'network' },
      ]);
      expect(await engine().borrowers([sharing], fixture.subject.project)).toEqual([]);
      await engine().removeContainer(sharing.id);
      await engine().stopContainer(calm.id);
    });

    it('end at SIGTERM, or are killed after their grace time', async () => {
      const { clock } = fixture.subject;
      await start('calm');
      await start('stubborn');
      await engine().stopContainer(idOf('calm'));
      expect(await look('calm')).toMatchObject({ state: 'exited', exitCode: 0, addresses: [] });
      await expect(engine().stopContainer(idOf('stubborn'), AbortSignal.abort())).rejects.toMatchObject({
        code: 'E_CANCELLED',
      });
      expect((await look('stubborn')).state).toBe('running');
      const began = clock.monotonic();
      await engine().stopContainer(idOf('stubborn'));
      expect(clock.monotonic() - began).toBeGreaterThan(900);
      expect(await look('stubborn')).toMatchObject({ state: 'exited', exitCode: 137 });
      await engine().stopContainer(idOf('stubborn'));
      await engine().killContainer(idOf('stubborn'), 'SIGKILL');
    });

    it('are killed at once, and restarted as the same container', async () => {
      await engine().startContainer(idOf('stubborn'));
      await engine().killContainer(idOf('stubborn'), 'SIGKILL');
      await until('it is killed', async () => (await look('stubborn')).state === 'exited');
      const killed = await look('stubborn');
      expect(killed.exitCode).toBe(137);
      await engine().restartContainer(idOf('stubborn'));
      const restarted = await look('stubborn');
      expect(restarted).toMatchObject({ state: 'running', exitCode: 0, restartCount: 0 });
      expect(Date.parse(restarted.startedAt)).toBeGreaterThanOrEqual(Date.parse(killed.startedAt));
      expect(restarted.startedAt).not.toBe(killed.startedAt);
      await engine().killContainer(idOf('stubborn'), 'SIGKILL');
      await until('it is killed again', async () => (await look('stubborn')).state === 'exited');
    });

    it('that are paused stop, and do not start', async () => {
      const { outside } = fixture.subject;
      await start('calm');
      await outside.pause(idOf('calm'));
      expect((await look('calm')).state).toBe('paused');
      await expect(engine().startContainer(idOf('calm'))).rejects.toMatchObject({ status: 409 });
      await expect(engine().exec(idOf('calm'), ['true'], { timeoutMs: 5_000 })).rejects.toMatchObject({ status: 409 });
      await outside.unpause(idOf('calm'));
      expect((await look('calm')).state).toBe('running');
      const stop = new AbortController();
      const events = await eventsFromNow(fixture.subject, stop.signal);
      await outside.pause(idOf('calm'));
      await engine().stopContainer(idOf('calm'));
      expect(await look('calm')).toMatchObject({ state: 'exited', exitCode: 0 });
      const seen = await collect(events, stop, ({ action }) => action === 'die');
      expect(seen.filter(({ action }) => action !== 'stop').map(actionOf)).toEqual([
        ...['calm pause', 'calm kill', 'calm unpause', 'calm die 0'],
      ]);
    });

    it('are made beside others from a template, under the names and labels that are given', async () => {
      const { project } = fixture.subject;
      const network = `${project}_default`;
      const id = await beside('calm', 7, `${project}-calm-beside`, { [network]: ['elsewhere'] });
      const [made, own] = [await engine().container(id), await look('calm')];
      expect(made).toMatchObject({
        name: `${project}-calm-beside`,
        service: 'calm',
        number: 7,
        state: 'created',
        composeHash: 'hash-of-the-test',
        madeFrom: { directory: '/folder', files: ['/folder/compose.yaml'] },
        environment: own.environment,
        imageId: own.imageId,
        anonymousVolumes: ['/data'],
        networkMode: network,
      });
      expect(made?.networks[network]?.names).toEqual(['elsewhere']);
      await engine().nameOnNetworks(id, { [network]: ['elsewhere', 'calm'] });
      expect((await engine().container(id))?.networks[network]?.names).toEqual(['elsewhere', 'calm']);
      await expect(beside('calm', 8, `${project}-calm-beside`)).rejects.toMatchObject({ status: 409 });
      await engine().removeContainer(id);
    });

    it('have a name that nobody else has', async () => {
      const { project } = fixture.subject;
      const conflict = { code: 'E_ENGINE', status: 409, message: expect.stringMatching(/already in use/) as string };
      await expect(engine().renameContainer(idOf('calm'), `${project}-second-1`)).rejects.toMatchObject(conflict);
      await expect(engine().renameContainer(idOf('calm'), `${project}-calm-1`)).rejects.toMatchObject({ status: 400 });
      await engine().renameContainer(idOf('calm'), `${project}-other`);
      expect((await look('calm')).name).toBe(`${project}-other`);
      await engine().renameContainer(idOf('calm'), `${project}-calm-1`);
    });

    it('are removed while they run, and leave volumes without a name unless these are to go', async () => {
      const volumes = async (): Promise<readonly string[]> => [...(await engine().volumeOwners()).keys()];
      const ids = [await beside('calm', 5), await beside('calm', 6)];
      const [first = '', second = ''] = ids;
      const before = new Set(await volumes());
      const volumeOf = async (id: string): Promise<string> => {
        const inspected = (await engine().inspectContainer(id)) as { Mounts: { Name: string }[] };
        return inspected.Mounts[0]?.Name ?? '';
      };
      const [kept, gone] = [await volumeOf(first), await volumeOf(second)];
      expect([before.has(kept), before.has(gone)]).toEqual([true, true]);
      await engine().startContainer(first);
      await engine().removeContainer(first);
      await engine().removeContainer(second, 'with-anonymous-volumes');
      expect(await engine().container(first)).toBeUndefined();
      const left = await volumes();
      expect([left.includes(kept), left.includes(gone)]).toEqual([true, false]);
      await fixture.subject.outside.removeVolume(kept);
    });

    it('that are gone are stopped, killed and removed already, and cannot start', async () => {
      const gone = 'f'.repeat(64);
      await engine().removeContainer(gone);
      await engine().stopContainer(gone);
      await engine().killContainer(gone, 'SIGTERM');
      await engine().setRestartPolicy(gone, 'always');
      const noSuch = { code: 'E_ENGINE', status: 404, message: expect.stringContaining('No such container') as string };
      for (const call of [
        () => engine().startContainer(gone),
        () => engine().restartContainer(gone),
        () => engine().inspectContainer(gone),
        () => engine().renameContainer(gone, `${fixture.subject.project}-gone`),
        () => engine().exec(gone, ['true'], { timeoutMs: 5_000 }),
      ]) {
        await expect(call()).rejects.toMatchObject(noSuch);
      }
    });
  });
}
