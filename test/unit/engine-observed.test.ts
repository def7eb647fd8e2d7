import { describe, expect, it } from 'vitest';
import { isOlder } from '../../src/engine/client.js';
import { observe, type ContainerAnswer } from '../../src/engine/observed.js';
import { imageFingerprint, type ImageContent } from '../../src/model/image.js';

/** What engines answer for a container that has just been created and has nothing of anything. */
const BARE: ContainerAnswer = {
  Id: 'a'.repeat(64),
  Name: '/rr-x-web-1',
  Created: '2026-11-24T03:00:00.123456789Z',
  Image: 'sha256:1',
  RestartCount: 0,
  State: {
    Status: 'created',
    ExitCode: 0,
    OOMKilled: false,
    StartedAt: '0001-01-01T00:00:00Z',
    FinishedAt: '0001-01-01T00:00:00Z',
  },
  Config: { Image: 'web', Tty: false, Env: null, Labels: null },
  HostConfig: { NetworkMode: 'none', RestartPolicy: null },
  NetworkSettings: { Ports: null, Networks: null },
};

const withHealthcheck = (Healthcheck: ContainerAnswer['Config']['Healthcheck']): ContainerAnswer => ({
  ...BARE,
  Config: { ...BARE.Config, Healthcheck: Healthcheck ?? null },
});

describe('observe', () => {
  it('takes null for empty', () => {
    expect(observe(BARE)).toMatchObject({
      name: 'rr-x-web-1',
      service: '',
      number: 1,
      state: 'created',
      health: 'none',
      healthLog: [],
      healthCheck: undefined,
      environment: [],
      addresses: [],
      exposedPorts: [],
      hostPorts: [],
      restartPolicy: '',
      composeHash: '',
    });
  });

  it('knows the ports that it was made for while it has none, as between two restarts', () => {
    const PortBindings = { '8080/tcp': [{ HostPort: '3000' }, { HostPort: '' }], '53/udp': [{ HostPort: '53' }] };
    const restarting = { ...BARE, HostConfig: { ...BARE.HostConfig, PortBindings } };
    expect(observe(restarting)).toMatchObject({ hostPorts: [], boundPorts: [3000], publishes: true });
  });

  it.each([
    ['unhealthy', 3, 'unhealthy'],
    ['unhealthy', undefined, 'unhealthy'],
    // Probing stopped at a pause, and has not begun again.
    ['unhealthy', 0, 'starting'],
    ['healthy', 0, 'healthy'],
  ])('takes %s after %s failed probes for %s', (Status, FailingStreak, health) => {
    const Health = { Status, Log: [], ...(FailingStreak === undefined ? {} : { FailingStreak }) };
    expect(observe({ ...BARE, State: { ...BARE.State, Status: 'running', Health } }).health).toBe(health);
  });

  it.each([[null], [{ Test: null }], [{ Test: [] }], [{ Test: ['NONE'] }]])('sees no health check in %j', (check) => {
    expect(observe(withHealthcheck(check)).healthCheck).toBeUndefined();
  });

  it("fills in the engine's defaults, which it writes as 0 or not at all", () => {
    const Test = ['CMD', 'true'];
    const byDefault = {
      test: Test,
      intervalMs: 30_000,
      timeoutMs: 30_000,
      startPeriodMs: 0,
      startIntervalMs: 5_000,
      retries: 3,
    };
    expect(observe(withHealthcheck({ Test })).healthCheck).toEqual(byDefault);
    expect(observe(withHealthcheck({ Test, Interval: 0, Timeout: 0, Retries: 0 })).healthCheck).toEqual(byDefault);
  });

  it('keeps ports that a connection can be tried on', () => {
    const Ports = {
      '3000/tcp': [
        { HostIp: '0.0.0.0', HostPort: '8080' },
        { HostIp: '::', HostPort: '8080' },
      ],
      '53/udp': [{ HostIp: '0.0.0.0', HostPort: '53' }],
      '9000/tcp': null,
    };
    const container = observe({
      ...BARE,
      Config: { ...BARE.Config, ExposedPorts: { '3000/tcp': {}, '53/udp': {}, '9000/tcp': {} } },
      NetworkSettings: { Ports, Networks: { a: { IPAddress: '172.20.0.2', GlobalIPv6Address: '' }, b: null } },
    });
    expect(container.exposedPorts).toEqual([3000, 9000]);
    expect(container.hostPorts).toEqual([
      { container: 3000, host: 8080, ip: '0.0.0.0' },
      { container: 3000, host: 8080, ip: '::' },
    ]);
    expect(container.addresses).toEqual(['172.20.0.2']);
  });
});

describe('imageFingerprint', () => {
  const content: ImageContent = {
    architecture: 'amd64',
    os: 'linux',
    variant: undefined,
    layers: ['sha256:a', 'sha256:b'],
    config: { Cmd: ['node'], Env: ['A=1'], Labels: { one: '1', two: '2' }, WorkingDir: '/app' },
  };
  const print = (changes: Partial<ImageContent>): string => imageFingerprint({ ...content, ...changes });

  it('is the same for what stores and versions of the engine write differently', () => {
    const { config } = content;
    const more = { Hostname: 'x', Image: 'sha256:parent', Volumes: null, OnBuild: [], User: '', AttachStdin: false };
    const reordered = { WorkingDir: '/app', Labels: { two: '2', one: '1' }, Env: ['A=1'], Cmd: ['node'] };
    expect(print({ config: { ...config, ...more } })).toBe(print({}));
    expect(print({ config: reordered })).toBe(print({}));
    expect(print({ variant: '' })).toBe(print({}));
  });

  it.each<[string, Partial<ImageContent>]>([
    ['a layer', { layers: ['sha256:a', 'sha256:c'] }],
    ['the order of layers', { layers: ['sha256:b', 'sha256:a'] }],
    ['the command', { config: { ...content.config, Cmd: ['node', 'x'] } }],
    ['the environment', { config: { ...content.config, Env: ['A=2'] } }],
    ['a label', { config: { ...content.config, Labels: { one: '1' } } }],
    ['a health check', { config: { ...content.config, Healthcheck: { Test: ['CMD', 'true'] } } }],
    ['the architecture', { architecture: 'arm64' }],
  ])('differs with %s', (_what, changes) => {
    expect(print(changes)).not.toBe(print({}));
  });
});

describe('isOlder', () => {
  it.each([
    ['1.41', '1.43', true],
    ['1.43', '1.43', false],
    ['1.51', '1.43', false],
    ['1.9', '1.43', true],
    ['2.0', '1.43', false],
  ])('%s than %s: %s', (one, than, older) => {
    expect(isOlder(one, than)).toBe(older);
  });
});
