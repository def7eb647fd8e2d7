import { beforeAll, describe, expect, it } from 'vitest';
import type { EngineFixture } from './engine-fixture.js';

/** What a caller gets from an engine that does not answer. */
export function engineFailuresContract(name: string, fixture: EngineFixture): void {
  const { engine, idOf } = fixture;

  // Ten seconds on a real engine: they pass while the tests of the other parts run.
  let answers: readonly Promise<unknown>[] = [];
  beforeAll(async () => {
    const silent = await fixture.subject.unanswered('start');
    const frozen = await fixture.subject.unanswered('second call');
    expect((await frozen.container(idOf('calm')))?.service).toBe('calm');
    answers = [silent.containers(fixture.subject.project), frozen.container(idOf('calm'))].map((call) =>
      call.catch((error: unknown) => error),
    );
  });

  describe(`${name} without an answer`, () => {
    it('is given up on an abort', async () => {
      const frozen = await fixture.subject.unanswered('second call');
      await frozen.container(idOf('calm'));
      const stop = new AbortController();
      const stopping = frozen.exec(idOf('calm'), ['true'], { timeoutMs: 30_000, signal: stop.signal });
      stop.abort();
      await expect(stopping).rejects.toMatchObject({ code: 'E_CANCELLED' });
    });

    it('is called unreachable where nobody listens', async () => {
      const none = await fixture.subject.unanswered('nobody listens');
      await expect(none.container(idOf('calm'))).rejects.toMatchObject({ code: 'E_ENGINE_UNREACHABLE' });
      expect((await engine().container(idOf('calm')))?.service).toBe('calm');
    });

    it('is called unreachable when it has never answered, and late afterwards', async () => {
      expect(await Promise.all(answers)).toMatchObject([
        {
          code: 'E_ENGINE_UNREACHABLE',
          message: expect.stringContaining('takes connections and does not answer') as string,
        },
        { code: 'E_DEADLINE', message: expect.stringMatching(/within 10\.?0? s/) as string },
      ]);
    });
  });
}
