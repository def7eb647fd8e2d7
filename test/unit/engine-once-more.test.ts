import { describe, expect, it } from 'vitest';
import { engineFailure, onceMore } from '../../src/engine/failures.js';

const HOST = 'unix:///var/run/docker.sock';
const failing = (code: string): Error => Object.assign(new Error(`write ${code}`), { code });

/** Fails with what is given, one after the other, and then answers. */
function asked(failures: readonly Error[]): { readonly ask: () => Promise<string>; readonly times: () => number } {
  let times = 0;
  return {
    ask: () => {
      const failure = failures[times];
      times += 1;
      return failure === undefined ? Promise.resolve('done') : Promise.reject(engineFailure('write', failure, HOST));
    },
    times: () => times,
  };
}

describe('a request that may be made twice', () => {
  it.each(['EPIPE', 'ECONNRESET'])('is made again after %s', async (code) => {
    const { ask, times } = asked([failing(code)]);
    expect(await onceMore(ask)).toBe('done');
    expect(times()).toBe(2);
  });

  it('is made twice and not more', async () => {
    const { ask, times } = asked([failing('EPIPE'), failing('EPIPE'), failing('EPIPE')]);
    await expect(onceMore(ask)).rejects.toMatchObject({ code: 'E_ENGINE_UNREACHABLE' });
    expect(times()).toBe(2);
  });

  it.each([
    ['nobody listens', failing('ECONNREFUSED')],
    ['the engine says no', Object.assign(new Error('no'), { statusCode: 500 })],
  ])('is not made again when %s', async (_, failure) => {
    const { ask, times } = asked([failure]);
    await expect(onceMore(ask)).rejects.toBeInstanceOf(Error);
    expect(times()).toBe(1);
  });
});
