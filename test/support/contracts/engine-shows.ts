import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import type { EngineFixture } from './engine-fixture.js';
import { actionOf, collect, eventsFromNow } from './subject.js';

/** What containers show of themselves: health, logs, resource use, commands, events. */
export function showsContract(name: string, fixture: EngineFixture): void {
  const { beside, engine, idOf, look, start, until } = fixture;

  describe(`health checks of ${name}`, () => {
    it('say starting, then healthy as soon as the container is ready', async () => {
      const stop = new AbortController();
      const events = await eventsFromNow(fixture.subject, stop.signal);
      await engine().startContainer(idOf('ready'));
      expect((await look('ready')).health).toBe('starting');
      const seen = await collect(events, stop, ({ action }) => action.startsWith('health_status'));
      expect(seen.map(({ action, service }) => `${service} ${action}`)).toEqual([
        'ready start',
        'ready health_status: healthy',
      ]);
      const ready = await look('ready');
      expect(ready).toMatchObject({ health: 'healthy', healthCheck: { intervalMs: 200, retries: 3 } });
      expect(ready.healthLog.at(-1)?.exitCode).toBe(0);
      await engine().stopContainer(idOf('ready'));
      expect((await look('ready')).health).toBe('unhealthy');
    });

    it('say unhealthy after the failures that are allowed', async () => {
      await engine().startContainer(idOf('sick'));
      await until('it is unhealthy', async () => (await look('sick')).health === 'unhealthy');
      expect((await look('sick')).healthLog.map(({ exitCode }) => exitCode)).not.toContain(0);
      await engine().removeContainer(idOf('sick'));
    });
  });

  describe(`what containers of ${name} show`, () => {
    it('is their log: by its end, by its time, by its stream', async () => {
      const { clock } = fixture.subject;
      await engine().startContainer(idOf('calm'));
      const log = async (options = {}): Promise<string> => text(await engine().logs(idOf('calm'), options));
      await engine().stopContainer(idOf('calm'));
      await clock.sleep(50, new AbortController().signal);
      const before = clock.now() / 1_000;
      await engine().startContainer(idOf('calm'));
      await until('it has printed', async () => (await log({ since: before })).includes('second line'));
      expect(await log({ since: before })).toBe('first line\nsecond line\n');
      expect(await log({ tail: 1 })).toBe('second line\n');
      expect(await log({ tail: 3, only: 'stdout' })).toBe('second line\nfirst line\nsecond line\n');
      expect(await log({ only: 'stderr' })).toBe('');
      expect(await log({ tail: 1, timestamps: true })).toMatch(
        /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z second line\n$/,
      );
    });

    it('is followed until its end', async () => {
      const stop = new AbortController();
      const followed = text(await engine().logs(idOf('calm'), { follow: true, tail: 1, signal: stop.signal }));
      await expect(engine().logs(idOf('calm'), { follow: true, signal: AbortSignal.abort() })).rejects.toMatchObject({
        code: 'E_CANCELLED',
      });
      await engine().stopContainer(idOf('calm'));
      expect(await followed).toBe('second line\n');
    });

    it('is what they use, what runs in them and what they hold', async () => {
      expect(await engine().stats(idOf('calm'))).toBeUndefined();
      expect(await engine().top(idOf('calm'))).toEqual([]);
      await engine().startContainer(idOf('calm'));
      expect((await engine().stats(idOf('calm')))?.memoryBytes).toBeGreaterThan(0);
      expect((await engine().memoryNow(idOf('calm')))?.cpuPercent).toBe(0);
      expect((await engine().top(idOf('calm'))).length).toBeGreaterThan(1);
      expect((await engine().readFile(idOf('calm'), '/etc/greeting'))?.toString()).toBe('hello');
      expect(await engine().readFile(idOf('calm'), '/etc/nothing')).toBeUndefined();
      const own = (await engine().neighbours()).find(({ name: one }) => one === `${fixture.subject.project}-calm-1`);
      expect(own).toMatchObject({
        project: fixture.subject.project,
        service: 'calm',
        image: fixture.images.calm,
        ports: [`${fixture.subject.port}/tcp`],
      });
    });
  });

  describe(`a command in a container of ${name}`, () => {
    const run = (command: readonly string[], options = {}) =>
      engine().exec(idOf('calm'), command, { timeoutMs: 10_000, ...options });

    it('gives its exit code and its output', async () => {
      expect(await run(['true'])).toEqual({ exitCode: 0, output: '' });
      expect(await run(['false'])).toEqual({ exitCode: 1, output: '' });
      expect(await run(['greet', 'x'])).toEqual({ exitCode: 4, output: 'good morning\n' });
      const none = await run(['no-such-program']);
      expect([126, 127]).toContain(none.exitCode);
      expect(none.output).toContain('no-such-program');
    });

    it('is given up after its deadline and on abort', async () => {
      await expect(run(['linger'], { timeoutMs: 200 })).rejects.toMatchObject({
        code: 'E_DEADLINE',
        message: 'linger did not end within 200 ms in the container',
      });
      const stop = new AbortController();
      const running = run(['linger'], { signal: stop.signal });
      stop.abort();
      await expect(running).rejects.toMatchObject({ code: 'E_CANCELLED' });
      await expect(engine().exec(idOf('job'), ['true'], { timeoutMs: 5_000 })).rejects.toMatchObject({ status: 409 });
    });
  });

  describe(`events of ${name}`, () => {
    it('come in order, with the service, from the call on', async () => {
      await start('calm');
      const stop = new AbortController();
      const events = await eventsFromNow(fixture.subject, stop.signal);
      await engine().stopContainer(idOf('calm'));
      await engine().restartContainer(idOf('calm'));
      const id = await beside('calm', 4);
      await engine().removeContainer(id, 'with-anonymous-volumes');
      await engine().startContainer(idOf('stubborn'));
      await engine().removeContainer(idOf('stubborn'));
      let removals = 0;
      const seen = await collect(events, stop, ({ action }) => action === 'destroy' && (removals += 1) === 2);
      // The engine sends `stop` and `die` of one end in either order.
      expect(seen.filter(({ action }) => action !== 'stop').map(actionOf)).toEqual([
        ...['calm kill', 'calm die 0', 'calm start', 'calm restart', 'calm create', 'calm destroy'],
        ...['stubborn start', 'stubborn kill', 'stubborn die 137', 'stubborn destroy'],
      ]);
      expect(seen.filter(({ action }) => action === 'stop')).toHaveLength(1);
      expect(seen.map(({ atMs }) => atMs)).toEqual(seen.map(({ atMs }) => atMs).toSorted((a, b) => a - b));
      expect(seen.find(({ action }) => action === 'create')?.id).toBe(id);
    });

    it('end quietly on an abort', async () => {
      const stop = new AbortController();
      const events = await eventsFromNow(fixture.subject, stop.signal);
      stop.abort();
      expect(await collect(events, stop, () => true)).toEqual([]);
    });
  });
}
