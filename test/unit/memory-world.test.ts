import { describe, expect, it } from 'vitest';
import type { Compose, Engine, EngineEvent } from '../../src/model/ports/engine.js';
import { memorySubject, type MemorySubject } from '../support/contracts/memory-subject.js';
import { actionOf, collect, documentOf, targetOf } from '../support/contracts/subject.js';
import type { Behavior } from '../support/memory/behavior.js';
import { createMemoryClock } from '../support/memory/clock.js';
import { createMemoryCompose, type MemoryComposeOptions } from '../support/memory/compose.js';
import { DockerWorld } from '../support/memory/docker.js';
import { createMemoryEngine } from '../support/memory/engine.js';

const never = new AbortController().signal;
const HOUR_MS = 3_600_000;

/** A project with one service `web`, which `up` has started. */
async function running(behavior: Behavior = {}, definition: Readonly<Record<string, unknown>> = {}) {
  const subject = memorySubject();
  const image = await subject.image(behavior);
  const document = documentOf(subject, { web: { image, ...definition } });
  await upOf(subject, document);
  const [web] = await subject.engine.containers(subject.project);
  if (web === undefined) throw new Error('there is no container');
  return { ...subject, subject, image, document, id: web.id };
}

function upOf(subject: MemorySubject, document: Readonly<Record<string, unknown>>, compose: Compose = subject.compose) {
  return compose.up({
    ...{ target: targetOf(subject, document), service: 'web', replicas: undefined, forceRecreate: false },
    ...{ hasDependencies: false, onLine: () => undefined, signal: never, timeoutMs: 60_000 },
  });
}

describe('an engine in memory whose answers fail', () => {
  it('refuses the next such call, and does nothing', async () => {
    const { engine, world, id } = await running();
    world.faults.refuse('stopContainer', 'the disk is full');
    await expect(engine.stopContainer(id)).rejects.toMatchObject({
      code: 'E_ENGINE',
      message: expect.stringContaining('the disk is full') as string,
    });
    expect((await engine.container(id))?.state).toBe('running');
    await engine.stopContainer(id);
    expect((await engine.container(id))?.state).toBe('exited');
  });

  it('carries a call out whose answer is lost', async () => {
    const { engine, world, id } = await running();
    world.faults.loseAnswer('stopContainer');
    await expect(engine.stopContainer(id)).rejects.toMatchObject({ code: 'E_ENGINE_UNREACHABLE' });
    expect((await engine.container(id))?.state).toBe('exited');
  });

  it('freezes: calls run into their deadlines, and go on when it answers again', async () => {
    const { engine, world, clock, id } = await running();
    world.faults.freeze();
    const began = clock.monotonic();
    await expect(engine.container(id)).rejects.toMatchObject({ code: 'E_DEADLINE' });
    expect(clock.monotonic() - began).toBe(10_000);
    const waiting = engine.containers('none');
    world.faults.thaw();
    expect(await waiting).toEqual([]);
  });

  it('freezes while it stops a container', async () => {
    const { engine, world, clock, id } = await running({ ignoresSigterm: true });
    const stopping = engine.stopContainer(id).catch((error: unknown) => error);
    await clock.sleep(1_000, never);
    world.faults.freeze();
    expect(await stopping).toMatchObject({ code: 'E_DEADLINE' });
    world.faults.thaw();
    expect(await engine.container(id)).toMatchObject({ state: 'exited', exitCode: 137 });
  });

  it('is asked nothing by a Compose that has been ended between two steps', async () => {
    const { subject, engine, world, project, document, image } = await running();
    const stop = new AbortController();
    world.faults.before = async (call) => {
      if (call.startsWith('step remove')) stop.abort();
    };
    const changed = documentOf(subject, { web: { image, environment: { A: '1' } } });
    const ended = subject.compose.up({
      ...{ target: targetOf(subject, changed), service: 'web', replicas: undefined, forceRecreate: false },
      ...{ hasDependencies: false, onLine: () => undefined, signal: stop.signal, timeoutMs: 60_000 },
    });
    await expect(ended).rejects.toMatchObject({ code: 'E_CANCELLED' });
    world.faults.before = async () => undefined;
    expect((await engine.containers(project)).map(({ state }) => state)).toEqual(['exited']);
    expect((await engine.leftovers(project)).map(({ state }) => state)).toEqual(['created']);
    await upOf(subject, document);
  });

  it('fails Compose with its own code', async () => {
    const { subject, document, world } = await running();
    world.faults.goDown();
    await expect(upOf(subject, document)).rejects.toMatchObject({ code: 'E_COMPOSE' });
  });
});

describe('containers in memory', () => {
  it('crash, run out of memory and vanish when a test says so', async () => {
    const { engine, world, project, id } = await running({}, { restart: 'always' });
    const stop = new AbortController();
    const events = engine.events(project, stop.signal);
    world.containers.end(id, 139);
    expect(await engine.container(id)).toMatchObject({ state: 'restarting', exitCode: 139 });
    await world.clock.sleep(200, never);
    world.containers.end(id, 137, 'out-of-memory');
    expect((await engine.container(id))?.oomKilled).toBe(true);
    world.containers.remove(id);
    const seen: readonly EngineEvent[] = await collect(events, stop, ({ action }) => action === 'destroy');
    expect(seen.map(actionOf)).toEqual(['web die 139', 'web start', 'web oom', 'web die 137', 'web destroy']);
    expect(await engine.container(id)).toBeUndefined();
  });

  it('are restarted ever more slowly, and at once again after ten seconds', async () => {
    const { engine, world, id } = await running({}, { restart: 'always' });
    const waits: number[] = [];
    for (let round = 0; round < 5; round += 1) {
      world.containers.end(id, 1);
      const began = world.clock.monotonic();
      while ((await engine.container(id))?.state !== 'running') await world.clock.sleep(100, never);
      waits.push(world.clock.monotonic() - began);
      if (round === 3) await world.clock.sleep(10_000, never);
    }
    expect(waits).toEqual([100, 200, 400, 800, 100]);
  });

  it('become unhealthy and healthy again', async () => {
    const { engine, world, id } = await running({ readyAfterMs: 100 });
    const until = async (health: string): Promise<number> => {
      const began = world.clock.monotonic();
      while ((await engine.container(id))?.health !== health) await world.clock.sleep(10, never);
      return world.clock.monotonic() - began;
    };
    await until('healthy');
    await world.clock.sleep(HOUR_MS, never);
    world.containers.setReady(id, false);
    expect(await until('unhealthy')).toBeLessThanOrEqual(600);
    world.containers.setReady(id, true);
    expect(await until('healthy')).toBeLessThanOrEqual(200);
    expect((await engine.container(id))?.healthLog).toHaveLength(5);
  });

  it('may fail their check in the start period', async () => {
    const healthcheck = { test: ['CMD', 'x'], interval: '1s', retries: 1, start_period: '30s', start_interval: '2s' };
    const { engine, world, id } = await running({ readyAfterMs: 10_000 }, { healthcheck });
    await world.clock.sleep(9_000, never);
    expect((await engine.container(id))?.health).toBe('starting');
    await world.clock.sleep(1_500, never);
    expect((await engine.container(id))?.health).toBe('healthy');
  });

  it('print lines that whoever follows reads, until their end', async () => {
    const { engine, world, id } = await running();
    const followed = await engine.logs(id, { follow: true });
    world.containers.print(id, ['a', 'b']);
    world.containers.print(id, ['an error'], 'stderr');
    world.containers.end(id, 1);
    const chunks: string[] = [];
    for await (const chunk of followed) chunks.push(String(chunk));
    expect(chunks.join('')).toBe('a\nb\nan error\n');
  });

  it('use the memory that their image says', async () => {
    const { engine, world, id } = await running({ memoryBytes: (ms) => 1_000 + ms });
    const stop = new AbortController();
    const seen: number[] = [];
    for await (const { memoryBytes } of engine.statsStream(id, stop.signal)) {
      if (seen.push(memoryBytes) === 3) world.containers.end(id, 0);
    }
    expect(seen).toEqual([1_000, 2_000, 3_000]);
  });

  it('end a command that runs in them', async () => {
    const { engine, world, id } = await running({ programs: { linger: { code: 0, takesMs: HOUR_MS } } });
    const lingering = engine.exec(id, ['linger'], { timeoutMs: 2 * HOUR_MS });
    await world.clock.sleep(1_000, never);
    world.containers.end(id, 0);
    expect(await lingering).toMatchObject({ exitCode: 137 });
  });
});

describe('Compose in memory', () => {
  const open = (options: MemoryComposeOptions) => {
    const world = new DockerWorld(createMemoryClock({ automatic: true }));
    return { world, engine: createMemoryEngine(world), compose: createMemoryCompose(world, options) };
  };
  const transfer = [() => undefined, never, 60_000] as const;

  it('builds what a test says, and fails otherwise', async () => {
    const { engine, compose } = open({ builds: { web: { prints: ['built'] } } });
    const document = { name: 'p', services: { web: { build: { context: '.' } }, other: { build: { context: '.' } } } };
    const options = {
      document,
      directory: '/',
      pullBase: false,
      onLine: () => undefined,
      signal: never,
      timeoutMs: 1_000,
    };
    await compose.build({ ...options, service: 'web' });
    expect((await engine.image('p-web'))?.tags).toEqual(['p-web:latest']);
    await expect(compose.build({ ...options, service: 'other' })).rejects.toMatchObject({ code: 'E_BUILD' });
  });

  it('pulls what registries have, and has them have what it pushes', async () => {
    const { world, engine, compose } = open({ registry: new Map([['registry.example/app:1', { build: '1' }]]) });
    await compose.pull('registry.example/app:1', ...transfer);
    const pulled = await engine.image('registry.example/app:1');
    expect(pulled?.digests).toEqual([expect.stringMatching(/^registry\.example\/app@sha256:[0-9a-f]{64}$/)]);
    world.addImage('registry.example/app:2', { build: '2' });
    expect(await compose.registryProblem('registry.example/app:2', 1_000)).toContain('registry.example/app:2');
    await compose.push('registry.example/app:2', ...transfer);
    expect(await compose.registryProblem('registry.example/app:2', 1_000)).toBeUndefined();
  });

  it.each([
    ['2.26.1', 'E_COMPOSE'],
    ['2.40.3', undefined],
  ])('of version %s keeps volumes without a name beside a changed dependency: %s', async (version, code) => {
    const subject = memorySubject(version);
    const image = await subject.image({ volumes: ['/data'] });
    const define = (a: string) =>
      documentOf(subject, {
        base: { image, environment: { A: a } },
        web: { image, environment: { A: a }, depends_on: { base: { condition: 'service_started', required: true } } },
      });
    await subject.compose.create({ document: define('1'), services: ['web'], signal: never, timeoutMs: 1_000 });
    const up = subject.compose.up({
      ...{ target: targetOf(subject, define('2')), service: 'web', replicas: undefined, forceRecreate: false },
      ...{ hasDependencies: true, onLine: () => undefined, signal: never, timeoutMs: 60_000 },
    });
    if (code === undefined) await up;
    else await expect(up).rejects.toMatchObject({ code });
    expect(await subject.compose.keepsVolumes(true)).toBe(code === undefined);
  });
});

describe('members that nothing needs yet', () => {
  it('name themselves', async () => {
    const engine: Engine = memorySubject().engine;
    const options = { file: '/f', paths: [], project: 'p' };
    await expect(async () => engine.viewOfHost(options)).rejects.toThrow('viewOfHost');
  });
});
