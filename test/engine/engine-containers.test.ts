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

const FOREVER = ['sh', '-c', 'trap "exit 0" TERM; while :; do sleep 0.1; done'];

const stateOf = (id: string): Promise<string> => docker('inspect', '--format', '{{.State.Status}}', id);

async function exists(id: string): Promise<boolean> {
  return (await docker('ps', '-aq', '--no-trunc', '--filter', `id=${id}`)) === id;
}

describe('looking at containers', () => {
  it('finds those of a project and service, in order, without one-off ones', async () => {
    const number = (of: string): Record<string, string> => ({ 'com.docker.compose.container-number': of });
    const ten = await box.create([], FOREVER, number('10'));
    const two = await box.create([], FOREVER, number('2'));
    const api = await box.create([], FOREVER, { 'com.docker.compose.service': 'api' });
    const oneOff = await box.create([], FOREVER, { 'com.docker.compose.oneoff': 'True' });

    const all = await engine.containers(box.name);
    expect(all.map(({ id }) => id)).toEqual([api, two, ten]);
    expect((await engine.containers(box.name, 'web')).map((one) => one.number)).toEqual([2, 10]);
    expect(await engine.containers(`${box.name}-nobody`)).toEqual([]);
    await docker('rm', ten, two, api, oneOff);
  });

  it('reads what was asked of the engine and what became of it', async () => {
    const check = ['--health-cmd', 'echo fine', '--health-interval', '250ms', '--health-timeout', '3s'];
    const more = ['--health-retries', '4', '--health-start-period', '90s', '--restart', 'on-failure:2'];
    const rest = ['--name', `${box.name}-seen`, '--env', 'COLOUR=blue', '--expose', '3000'];
    const hash = { 'com.docker.compose.config-hash': 'abc', 'com.docker.compose.service': 'seen' };
    const id = await box.start([...check, ...more, ...rest], FOREVER, hash);
    await until('it is healthy', async () => (await engine.container(id))?.health === 'healthy');

    const container = await engine.container(id);
    expect(container).toMatchObject({
      id,
      name: `${box.name}-seen`,
      service: 'seen',
      number: 1,
      state: 'running',
      health: 'healthy',
      exitCode: 0,
      oomKilled: false,
      restartCount: 0,
      restartPolicy: 'on-failure',
      composeHash: 'abc',
      exposedPorts: [3000],
      networkMode: 'none',
      imageId: await docker('inspect', '--format', '{{.Image}}', id),
      healthCheck: {
        test: ['CMD-SHELL', 'echo fine'],
        intervalMs: 250,
        timeoutMs: 3_000,
        startPeriodMs: 90_000,
        startIntervalMs: 5_000,
        retries: 4,
      },
    });
    expect(container?.environment).toContain('COLOUR=blue');
    expect(container?.healthLog[0]).toMatchObject({ exitCode: 0, output: 'fine\n' });
    expect(container?.startedAt).toBe(await docker('inspect', '--format', '{{.State.StartedAt}}', id));
    expect(await engine.inspectContainer(id)).toHaveProperty('Config.Env');
    expect((await engine.top(id)).join('\n')).toContain('sleep 0.1');
  });

  it('sees addresses and published ports', async () => {
    const options = ['--network', 'bridge', '--publish', '127.0.0.1::3000', '--publish', '127.0.0.1::5353/udp'];
    const id = await box.start(options, FOREVER, { 'com.docker.compose.service': 'ports' });
    const container = await engine.container(id);
    const published = await docker('port', id, '3000/tcp');
    expect(container?.hostPorts).toEqual([{ container: 3000, host: Number(published.split(':')[1]), ip: '127.0.0.1' }]);
    const address = await docker('inspect', '--format', '{{.NetworkSettings.Networks.bridge.IPAddress}}', id);
    expect(container?.addresses).toEqual([address]);
  });

  it('has no health check where NONE switches it off', async () => {
    const id = await box.create(['--no-healthcheck'], FOREVER);
    expect((await engine.container(id))?.healthCheck).toBeUndefined();
  });

  it('reads an exit code, and undefined for a container that is gone', async () => {
    const id = await box.start([], ['sh', '-c', 'exit 7']);
    await until('it has exited', async () => (await engine.container(id))?.state === 'exited');
    expect(await engine.container(id)).toMatchObject({ state: 'exited', exitCode: 7 });
    expect(await engine.top(id)).toEqual([]);
    await docker('rm', id);
    expect(await engine.container(id)).toBeUndefined();
    expect(await engine.top(id)).toEqual([]);
    await expect(engine.inspectContainer(id)).rejects.toMatchObject({ code: 'E_ENGINE', status: 404 });
  });
});

describe('changing containers', () => {
  it('takes "already so" for success', async () => {
    const id = await box.start([], FOREVER);
    await engine.startContainer(id);
    expect(await stateOf(id)).toBe('running');
    await engine.stopContainer(id);
    await engine.stopContainer(id);
    expect(await stateOf(id)).toBe('exited');
    await engine.killContainer(id, 'SIGKILL');
    await engine.startContainer(id);
    expect(await stateOf(id)).toBe('running');
    await engine.removeContainer(id);
    expect(await exists(id)).toBe(false);
    await engine.removeContainer(id);
    await engine.stopContainer(id);
    await engine.killContainer(id, 'SIGTERM');
    await expect(engine.startContainer(id)).rejects.toMatchObject({
      code: 'E_ENGINE',
      status: 404,
      message: expect.stringContaining('No such container') as string,
    });
  });

  it('restarts: the same container, another start', async () => {
    const id = await box.start([], FOREVER);
    const before = await engine.container(id);
    await engine.restartContainer(id);
    const after = await engine.container(id);
    expect(after?.state).toBe('running');
    expect(after?.startedAt).not.toBe(before?.startedAt);
  });

  it('sends the signal it is told to', async () => {
    const id = await box.start([], ['sh', '-c', 'trap "exit 42" HUP; while :; do sleep 0.1; done']);
    await until('the trap is set', async () => (await docker('top', id)).includes('sleep 0.1'));
    await engine.killContainer(id, 'SIGHUP');
    await until('it has exited', async () => (await stateOf(id)) === 'exited');
    expect((await engine.container(id))?.exitCode).toBe(42);
  });

  it('leaves the grace time that the container asks for, and stops waiting on abort', async () => {
    const stubborn = ['sh', '-c', 'trap "" TERM; while :; do sleep 0.1; done'];
    const id = await box.start(['--stop-timeout', '1'], stubborn);
    await until('the trap is set', async () => (await docker('top', id)).includes('sleep 0.1'));
    const began = performance.now();
    await engine.stopContainer(id);
    expect(performance.now() - began).toBeGreaterThan(900);
    expect((await engine.container(id))?.exitCode).toBe(137);

    const slow = await box.start(['--stop-timeout', '30'], stubborn);
    await until('the trap is set', async () => (await docker('top', slow)).includes('sleep 0.1'));
    const asked = performance.now();
    await expect(engine.stopContainer(slow, AbortSignal.timeout(300))).rejects.toMatchObject({ code: 'E_DEADLINE' });
    expect(performance.now() - asked).toBeLessThan(3_000);
  });

  it('removes a container and keeps its anonymous volume', async () => {
    const id = await box.start(['--volume', '/data'], ['sh', '-c', 'echo kept >/data/file; sleep 60']);
    const volume = await docker('inspect', '--format', '{{(index .Mounts 0).Name}}', id);
    try {
      await engine.removeContainer(id);
      expect(await docker('volume', 'inspect', '--format', '{{.Name}}', volume)).toBe(volume);
    } finally {
      await docker('volume', 'rm', volume);
    }
  });

  it('removes one that somebody else is removing', async () => {
    const id = await box.start([], FOREVER);
    await Promise.all([1, 2, 3].map(() => engine.removeContainer(id)));
    expect(await exists(id)).toBe(false);
  });
});
