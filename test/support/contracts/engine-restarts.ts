import { describe, expect, it } from 'vitest';
import type { EngineFixture } from './engine-fixture.js';
import { actionOf, collect, eventsFromNow } from './subject.js';

/** What an engine does with a container whose process has ended. */
export function restartsContract(name: string, fixture: EngineFixture): void {
  const { engine, idOf, look, until } = fixture;

  describe(`restarts by ${name}`, () => {
    it('do not happen without a policy', async () => {
      const stop = new AbortController();
      const events = await eventsFromNow(fixture.subject, stop.signal);
      await engine().startContainer(idOf('crashing'));
      expect((await collect(events, stop, ({ action }) => action === 'die')).map(actionOf)).toEqual([
        'crashing start',
        'crashing die 3',
      ]);
      expect(await look('crashing')).toMatchObject({ state: 'exited', exitCode: 3, restartCount: 0 });
    });

    it('after failures end with the count of the policy', async () => {
      const stop = new AbortController();
      const events = await eventsFromNow(fixture.subject, stop.signal);
      await engine().startContainer(idOf('failing'));
      let ends = 0;
      const seen = await collect(events, stop, ({ action }) => action === 'die' && (ends += 1) === 3);
      const round = ['failing start', 'failing die 3'];
      expect(seen.map(actionOf)).toEqual([...round, ...round, ...round]);
      await until('it has ended', async () => (await look('failing')).state === 'exited');
      expect(await look('failing')).toMatchObject({ restartPolicy: 'on-failure', exitCode: 3, restartCount: 2 });
      await engine().removeContainer(idOf('failing'));
    });

    it.each(['always', 'unless-stopped'] as const)('by the policy %s go on until somebody stops it', async (policy) => {
      const crashing = idOf('crashing');
      await engine().setRestartPolicy(crashing, policy);
      const stop = new AbortController();
      const events = await eventsFromNow(fixture.subject, stop.signal);
      await engine().startContainer(crashing);
      let starts = 0;
      const seen = await collect(events, stop, ({ action }) => action === 'start' && (starts += 1) === 3);
      expect(seen.map(actionOf)).toEqual([
        ...['crashing start', 'crashing die 3', 'crashing start', 'crashing die 3', 'crashing start'],
      ]);
      await until('it waits for its restart', async () => (await look('crashing')).state === 'restarting');
      expect(await look('crashing')).toMatchObject({ restartPolicy: policy, exitCode: 3, publishes: false });
      expect((await look('crashing')).restartCount).toBeGreaterThanOrEqual(2);
      await engine().startContainer(crashing);
      await engine().stopContainer(crashing);
      const stopped = await look('crashing');
      expect(stopped.state).toBe('exited');
      await fixture.subject.clock.sleep(1_000, new AbortController().signal);
      expect(await look('crashing')).toMatchObject({ state: 'exited', startedAt: stopped.startedAt });
    });

    it('begin to count again at a start by hand', async () => {
      await engine().startContainer(idOf('crashing'));
      expect((await look('crashing')).restartCount).toBe(0);
      await engine().killContainer(idOf('crashing'), 'SIGKILL');
      await until('it is killed', async () => (await look('crashing')).state === 'exited');
      await fixture.subject.clock.sleep(500, new AbortController().signal);
      expect((await look('crashing')).state).toBe('exited');
    });

    it('happen to what ends with 0 as well', async () => {
      const job = idOf('job');
      await engine().startContainer(job);
      await until('it is done', async () => (await look('job')).state === 'exited');
      expect(await look('job')).toMatchObject({ exitCode: 0, restartCount: 0 });
      await engine().setRestartPolicy(job, 'always');
      await engine().startContainer(job);
      await until('it is started again', async () => (await look('job')).restartCount > 0);
      await engine().stopContainer(job);
    });
  });
}
