import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DockerEngine } from '../../src/engine/engine.js';
import { docker, makeSandbox, testEngine, until, type Sandbox } from '../support/engine-containers.js';

let engine: DockerEngine;
let box: Sandbox;

beforeAll(async () => {
  engine = await testEngine();
  box = makeSandbox();
});

afterAll(async () => {
  await box.cleanup();
});

async function ended(options: readonly string[], script: string): Promise<string> {
  const id = await box.start(options, ['sh', '-c', script]);
  await docker('wait', id);
  return id;
}

const MEBI = 1024 * 1024;

describe('logs', () => {
  it('hold stdout and stderr together, without framing', async () => {
    const id = await ended([], 'echo one; echo two >&2; sleep 0.05; echo three; printf "no newline"');
    const lines = (await text(await engine.logs(id, {}))).split('\n').sort();
    expect(lines).toEqual(['no newline', 'one', 'three', 'two']);
    expect(await text(await engine.logs(id, { tail: 1 }))).toBe('no newline');
    expect(await text(await engine.logs(id, { timestamps: true, tail: 1 }))).toMatch(
      /^\d{4}-\d\d-\d\dT\S+Z no newline$/,
    );
  });

  it('of a container with a terminal are as they are', async () => {
    const id = await ended(['--tty'], 'printf "\\001\\000\\000\\000\\000\\000\\000\\005hello"; echo; echo end');
    expect(await text(await engine.logs(id, {}))).toBe('\x01\0\0\0\0\0\0\x05hello\r\nend\r\n');
  });

  it('begin at an instant, given in fractions of a second', async () => {
    const id = await ended([], 'echo before; sleep 0.6; echo after');
    const line = await text(await engine.logs(id, { timestamps: true, tail: 1 }));
    const since = Date.parse(line.slice(0, 23) + 'Z') / 1_000 - 0.3;
    expect(await text(await engine.logs(id, { since }))).toBe('after\n');
    expect(await text(await engine.logs(id, { since: since - 3_600 }))).toBe('before\nafter\n');
  });

  it('of a container that is gone are refused with 404', async () => {
    await expect(engine.logs('0'.repeat(64), {})).rejects.toMatchObject({ code: 'E_ENGINE', status: 404 });
  });

  it('are followed until the container ends', async () => {
    const id = await box.start([], ['sh', '-c', 'echo one; sleep 0.5; echo two; sleep 0.5']);
    expect(await text(await engine.logs(id, { follow: true }))).toBe('one\ntwo\n');
    expect(await docker('inspect', '--format', '{{.State.Status}}', id)).toBe('exited');
  });

  it('end on abort where they are followed', async () => {
    const id = await box.start([], ['sh', '-c', 'echo one; sleep 600']);
    const stop = new AbortController();
    const log = await engine.logs(id, { follow: true, signal: stop.signal });
    let got = '';
    for await (const chunk of log) {
      got += String(chunk);
      setTimeout(() => stop.abort(), 50);
    }
    expect(got).toBe('one\n');
    await docker('kill', id);
  });

  it('are followed to their end when the container is removed', async () => {
    const id = await box.start([], ['sh', '-c', 'echo one; sleep 600']);
    const log = await engine.logs(id, { follow: true });
    const reading = text(log);
    await docker('rm', '--force', id);
    expect(await reading).toBe('one\n');
  });
});

describe('a long log', () => {
  const SIZE = 192 * MEBI;
  let id: string;

  beforeAll(async () => {
    id = await ended([], `line=$(head -c 1023 /dev/zero | tr '\\0' x); yes $line | head -c ${SIZE}`);
  });

  it('takes no memory, however slowly it is read', async () => {
    const log: Readable = await engine.logs(id, {});
    const base = process.memoryUsage();
    let bytes = 0;
    let grown = 0;
    let chunks = 0;
    for await (const chunk of log) {
      bytes += (chunk as Buffer).length;
      chunks += 1;
      // Now and then nobody reads: what a reader does not take has to stay with the engine.
      if (chunks % 1_000 === 1) await sleep(5);
      if (chunks % 200 === 0) {
        const now = process.memoryUsage();
        grown = Math.max(grown, now.arrayBuffers - base.arrayBuffers, now.heapUsed - base.heapUsed);
      }
    }
    expect(bytes).toBe(SIZE);
    expect(grown).toBeLessThan(48 * MEBI);
  });

  it('stays with the engine while it is not read', async () => {
    const log = await engine.logs(id, {});
    const before = process.memoryUsage().arrayBuffers;
    log.pause();
    await sleep(1_000);
    expect(log.readableLength).toBeLessThan(2 * MEBI);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * MEBI);
    log.destroy();
  });

  it('that is cut short by an abort is no whole log: an error, not an end', async () => {
    const stop = new AbortController();
    const log = await engine.logs(id, { signal: stop.signal });
    const reading = (async () => {
      let bytes = 0;
      for await (const chunk of log) {
        bytes += (chunk as Buffer).length;
        if (bytes > MEBI) stop.abort();
      }
      return bytes;
    })();
    await expect(reading).rejects.toMatchObject({ code: 'E_CANCELLED' });
  });

  it('lets go of the connection when its reader does', async () => {
    const lines: string[] = [];
    const talking = await testEngine((line) => lines.push(line));
    const log = await talking.logs(id, {});
    log.destroy();
    await until('the stream is closed', async () => log.closed);
    expect(log.errored).toBeNull();
    expect(lines.some((line) => line.includes('read the log'))).toBe(true);
  });
});
