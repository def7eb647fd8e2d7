import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DockerEngine } from '../../src/engine/engine.js';
import type { EngineEvent, ResourceUse } from '../../src/model/ports/engine.js';
import { docker, makeSandbox, testEngine, until, type Sandbox } from '../support/engine-containers.js';

let engine: DockerEngine;
let box: Sandbox;
let running: string;

const MEBI = 1024 * 1024;

beforeAll(async () => {
  engine = await testEngine();
  box = makeSandbox();
  running = await box.start(['--memory', '256m'], ['sleep', '600']);
});

afterAll(async () => {
  await box.cleanup();
});

describe('one reading of resource use', () => {
  it('counts what the container holds and not what the page cache does, in well under a second', async () => {
    const script = 'const held = Buffer.alloc(80 * 1024 * 1024, 1); console.log("held"); setInterval(() => held, 1000)';
    const cache = 'dd if=/dev/zero of=/file bs=1M count=100 2>/dev/null';
    const id = await box.start(['--memory', '512m'], ['sh', '-c', `${cache}; exec node -e '${script}'`]);
    await until('the memory is held', async () => (await docker('logs', id)).includes('held'));
    const began = performance.now();
    const use = await engine.stats(id);
    const took = performance.now() - began;
    expect(use?.memoryBytes).toBeGreaterThan(80 * MEBI);
    expect(use?.memoryBytes).toBeLessThan(180 * MEBI);
    expect(use?.memoryLimitBytes).toBe(512 * MEBI);
    expect(use?.processes).toBeGreaterThan(1);
    expect(took).toBeLessThan(1_000);
    const shown = await docker('stats', '--no-stream', '--format', '{{.MemUsage}}', id);
    const theirs = Number.parseFloat(shown) * MEBI;
    expect(Math.abs((use?.memoryBytes ?? 0) - theirs)).toBeLessThan(12 * MEBI);
  });

  it('sees a busy processor', async () => {
    const id = await box.start(['--cpus', '0.5'], ['sh', '-c', 'while :; do :; done']);
    const readings: number[] = [];
    for (let count = 0; count < 5; count += 1) readings.push((await engine.stats(id))?.cpuPercent ?? -1);
    await docker('rm', '--force', id);
    expect(Math.max(...readings)).toBeGreaterThan(5);
    expect((await engine.stats(running))?.cpuPercent).toBeLessThan(5);
  });

  it('is undefined for a container that has stopped or is gone', async () => {
    const id = await box.start([], ['true']);
    await docker('wait', id);
    expect(await engine.stats(id)).toBeUndefined();
    await docker('rm', id);
    expect(await engine.stats(id)).toBeUndefined();
  });
});

describe('readings as they come', () => {
  it('are one a second, until the abort', async () => {
    const stop = new AbortController();
    const seen: ResourceUse[] = [];
    for await (const use of engine.statsStream(running, stop.signal)) {
      seen.push(use);
      if (seen.length === 3) stop.abort();
    }
    expect(seen).toHaveLength(3);
    expect(seen.every((use) => use.memoryBytes > 0 && use.memoryLimitBytes === 256 * MEBI)).toBe(true);
    const [first, , last] = seen.map((use) => Date.parse(use.at));
    expect((last ?? 0) - (first ?? 0)).toBeGreaterThan(1_000);
  });

  it('end with the container', async () => {
    const id = await box.start([], ['sleep', '2']);
    let count = 0;
    for await (const use of engine.statsStream(id, AbortSignal.timeout(20_000))) count += use.processes > 0 ? 1 : 0;
    expect(count).toBeGreaterThan(0);
    expect(await docker('inspect', '--format', '{{.State.Status}}', id)).toBe('exited');
  });
});

describe('events', () => {
  it("are those of the project's containers and lock volumes, from the call on", async () => {
    const stop = new AbortController();
    const events = engine.events(box.name, stop.signal);
    const id = await box.start(
      ['--health-cmd', 'true', '--health-interval', '200ms'],
      ['sh', '-c', 'sleep 1; exit 3'],
      {
        'com.docker.compose.service': 'eventful',
      },
    );
    await box.start([], ['true'], { 'com.docker.compose.oneoff': 'True' });
    await docker(
      'run',
      '--rm',
      '--name',
      `${box.name}-stranger`,
      '--network',
      'none',
      'rolling-restart-base:node',
      'true',
    );
    const lock = `rolling-restart.${box.name}.lock.g1`;
    for (const name of [lock, `${box.name}-other`]) await docker('volume', 'create', name);
    await docker('wait', id);
    await docker('rm', id);
    await docker('volume', 'rm', lock);

    const seen: EngineEvent[] = [];
    for await (const event of events) {
      seen.push(event);
      if (event.type === 'volume' && event.action === 'destroy') stop.abort();
    }
    const actions = seen.filter((event) => event.id === id).map((event) => event.action);
    expect(actions).toEqual(['create', 'start', 'health_status: healthy', 'die', 'destroy']);
    expect(seen.filter((event) => event.id !== id).map(({ type, action, id: name }) => [type, action, name])).toEqual([
      ['volume', 'create', lock],
      ['volume', 'destroy', lock],
    ]);
    const died = seen.find((event) => event.action === 'die');
    expect(died).toMatchObject({ type: 'container', service: 'eventful', exitCode: 3 });
    expect(Math.abs((died?.atMs ?? 0) - Date.now())).toBeLessThan(60_000);
  });

  it('end quietly on an abort, also before the first one', async () => {
    const stop = new AbortController();
    const events = engine.events(box.name, stop.signal);
    await sleep(50);
    stop.abort();
    const seen: EngineEvent[] = [];
    for await (const event of events) seen.push(event);
    expect(seen).toEqual([]);
  });
});

describe('a command in a container', () => {
  const run = (command: readonly string[], options = {}) =>
    engine.exec(running, command, { timeoutMs: 10_000, ...options });

  it('gives its exit code and its output', async () => {
    expect(await run(['sh', '-c', 'echo out; echo err >&2; exit 4'])).toMatchObject({ exitCode: 4 });
    expect((await run(['sh', '-c', 'echo out; sleep 0.05; echo err >&2'])).output).toBe('out\nerr\n');
    expect(await run(['true'])).toEqual({ exitCode: 0, output: '' });
  });

  it('has the environment it is given, and its arguments as they are', async () => {
    const environment = { CANDIDATE: 'a b', EMPTY: '' };
    const result = await run(['sh', '-c', 'echo "$CANDIDATE|${EMPTY-unset}|$1"', 'sh', '$HOME "x"'], { environment });
    expect(result.output).toBe('a b||$HOME "x"\n');
  });

  it('ends with 126 or 127 and the reason when it cannot be started', async () => {
    const result = await run(['rr-no-such-program']);
    expect([126, 127]).toContain(result.exitCode);
    expect(result.output).toContain('rr-no-such-program');
  });

  it('keeps the last 64 KiB of its output', async () => {
    const result = await run(['sh', '-c', 'yes "0123456789 0123456789" | head -n 100000; echo the end']);
    // It begins with a whole line: a secret that is cut in half is not recognized any more.
    expect(result.output.length).toBeLessThanOrEqual(64 * 1024);
    expect(result.output.length).toBeGreaterThan(63 * 1024);
    expect(result.output.endsWith('0123456789\nthe end\n')).toBe(true);
  });

  it('is given up after its deadline and on abort', async () => {
    const began = performance.now();
    await expect(run(['sleep', '30'], { timeoutMs: 300 })).rejects.toMatchObject({
      code: 'E_DEADLINE',
      message: 'sleep did not end within 300 ms in the container',
    });
    await expect(run(['sleep', '30'], { signal: AbortSignal.timeout(200) })).rejects.toMatchObject({
      code: 'E_DEADLINE',
    });
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 200);
    await expect(run(['sleep', '30'], { signal: stop.signal })).rejects.toMatchObject({ code: 'E_CANCELLED' });
    expect(performance.now() - began).toBeLessThan(5_000);
  });

  it('is refused where the container does not run', async () => {
    const id = await box.create([], ['true']);
    const refused = engine.exec(id, ['true'], { timeoutMs: 5_000 });
    await expect(refused).rejects.toMatchObject({ code: 'E_ENGINE', status: 409 });
  });
});
