import { describe, expect, it } from 'vitest';
import { externals, owned, refusals, tryableDefinition, type Surroundings } from '../../src/model/creatable.js';

type Values = Readonly<Record<string, unknown>>;

const here: Surroundings = {
  networks: new Set(['default']),
  volumes: new Set(['data']),
  comes: (path) => path === '/srv/app/new.conf',
  instead: '/srv/app',
};

function definition(web: Values, rest: Values = {}): Values {
  return {
    name: 'app',
    services: { web: { image: 'web', networks: { default: null }, ...web } },
    networks: { default: { name: 'app_default' } },
    volumes: { data: { name: 'app_data' }, fresh: { name: 'app_fresh' } },
    ...rest,
  };
}

function tried(web: Values, rest: Values = {}): Values {
  const { services } = tryableDefinition(definition(web, rest), 'web', here) as { services: { web: Values } };
  return services.web;
}

describe('tryableDefinition', () => {
  const bind = { type: 'bind', source: '/srv/app/old.conf', target: '/etc/x' };

  it.each<readonly [string, Values, Values]>([
    ['a network that is there', {}, { networks: { default: {} } }],
    ['a network that Compose makes first', { networks: { later: null } }, { network_mode: 'none' }],
    ['one of each', { networks: { default: null, later: null } }, { networks: { default: {} } }],
    ['the host’s network', { networks: {}, network_mode: 'host' }, { network_mode: 'host' }],
    ['another service’s namespace', { networks: {}, network_mode: 'service:x' }, { network_mode: 'none' }],
    [
      'a volume that is there',
      { volumes: [{ type: 'volume', source: 'data', target: '/d' }] },
      { volumes: [{ type: 'volume', source: 'data', target: '/d' }] },
    ],
    [
      'a volume that Compose makes first',
      { volumes: [{ type: 'volume', source: 'fresh', target: '/d' }] },
      { volumes: [{ type: 'tmpfs', target: '/d' }] },
    ],
    [
      'a volume without a name',
      { volumes: [{ type: 'volume', target: '/d' }] },
      { volumes: [{ type: 'volume', target: '/d' }] },
    ],
    ['a file that is there', { volumes: [bind] }, { volumes: [bind] }],
    [
      'a file of the wanted commit',
      { volumes: [{ ...bind, source: '/srv/app/new.conf' }] },
      { volumes: [{ ...bind, source: '/srv/app' }] },
    ],
    [
      'devices, which the engine looks for at the start alone',
      { devices: ['/dev/fuse:/dev/fuse:rwm', 'vendor.com/gpu=0', { source: '/dev/kvm' }] },
      {
        volumes: [
          { source: '/dev/fuse', target: '/rolling-restart-device-0' },
          { source: '/dev/kvm', target: '/rolling-restart-device-2' },
        ],
      },
    ],
  ])('%s', (_what, web, expected) => {
    expect(tried(web)).toMatchObject(expected);
  });

  it('leaves out what belongs to containers of other services, and keeps everything else', () => {
    const web = { pid: 'service:x', ipc: 'container:y', volumes_from: ['x'], depends_on: { x: {} }, read_only: true };
    const own = tried(web);
    expect(Object.keys(own).sort()).toEqual(['image', 'networks', 'read_only', 'volumes']);
  });

  it('keeps external networks and volumes, whether they are there or not', () => {
    const networks = { default: { name: 'app_default' }, shared: { name: 'shared', external: true } };
    const rest = { networks, volumes: { out: { name: 'out', external: true } } };
    const all = tryableDefinition(definition({ networks: { shared: null } }, rest), 'web', here);
    expect(all).toMatchObject(rest);
    expect(tried({ networks: { shared: null } }, rest)['networks']).toEqual({ shared: {} });
  });

  it('stands for a config of the wanted commit', () => {
    const rest = { configs: { a: { file: '/srv/app/new.conf' }, b: { content: 'x' } } };
    expect(tryableDefinition(definition({}, rest), 'web', here)['configs']).toEqual({
      a: { file: '/srv/app' },
      b: { content: 'x' },
    });
  });
});

describe('refusals', () => {
  const inline = { configs: { c: { content: 'v' }, f: { file: '/x' } }, secrets: { s: { environment: 'TOKEN' } } };

  it.each<readonly [string, Values, readonly string[], number]>([
    ['nothing', {}, [], 0],
    ['read-only alone', { read_only: true }, [], 0],
    ['an inline config alone', { configs: [{ source: 'c' }] }, [], 0],
    ['both', { read_only: true, configs: [{ source: 'c', target: '/c' }] }, [], 1],
    ['a secret from the environment', { read_only: true, secrets: ['s'] }, [], 1],
    ['a file, which is mounted', { read_only: true, configs: [{ source: 'f' }] }, [], 0],
    ['what is missing', {}, ['network shared', 'volume out'], 2],
  ])('%s', (_what, web, missing, count) => {
    expect(refusals({ definition: definition(web, inline), service: 'web', missing })).toHaveLength(count);
  });

  it('names what Compose cannot copy', () => {
    const web = { read_only: true, configs: [{ source: 'c' }], secrets: [{ source: 's' }] };
    expect(refusals({ definition: definition(web, inline), service: 'web', missing: [] })[0]).toContain('c, s');
  });
});

describe('names on the engine', () => {
  const all = { a: { name: 'app_a' }, b: null, c: { name: 'shared', external: true }, d: { external: true } };

  it('are those of the project, or external', () => {
    expect(owned(all, 'app')).toEqual([
      ['a', 'app_a'],
      ['b', 'app_b'],
    ]);
    expect(externals({ networks: all, volumes: {} })).toEqual({ networks: ['shared', 'd'], volumes: [] });
  });
});
