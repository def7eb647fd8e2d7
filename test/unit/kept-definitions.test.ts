import { describe, expect, it } from 'vitest';
import { definedResources, describeKept, otherAttributes } from '../../src/model/kept-definitions.js';

type Values = Readonly<Record<string, unknown>>;
const document = (networks: Values, volumes: Values = {}): Values => ({ name: 'p', networks, volumes });
const NETWORK = {
  driver: 'bridge',
  internal: 'false',
  attachable: 'false',
  enable_ipv6: 'false',
  'ipam.driver': 'default',
};

describe('what a file defines', () => {
  it('is what the project owns, by the name that the engine has', () => {
    const found = definedResources(
      document(
        { default: { name: 'p_default', ipam: {} }, outside: { name: 'lan', external: true }, bare: null },
        { pg: { name: 'custom', labels: { 'a.b': '$$1' } }, ext: { external: true } },
      ),
    );
    expect(found).toEqual([
      { kind: 'network', name: 'p_default', attributes: {} },
      { kind: 'network', name: 'p_bare', attributes: {} },
      { kind: 'volume', name: 'custom', attributes: { 'labels.a.b': '$1' } },
    ]);
  });
});

describe('what the engine keeps otherwise', () => {
  it.each([
    ['nothing', {}, {}, []],
    ['an option', { driver_opts: { mtu: '1400' } }, {}, ['driver_opts.mtu']],
    ['the value of an option', { driver_opts: { mtu: 1400 } }, { 'driver_opts.mtu': '1500' }, ['driver_opts.mtu']],
    ['the same option', { driver_opts: { mtu: 1400 } }, { 'driver_opts.mtu': '1400' }, []],
    ['an option that only the daemon gives it', {}, { 'driver_opts.mtu': '1400' }, []],
    ['a label', { labels: { x: 'y' } }, {}, ['labels.x']],
    ['a label that the file lost', {}, { 'labels.x': 'y' }, ['labels.x']],
    ['labels of Compose', {}, { 'labels.com.docker.compose.project': 'p' }, []],
    ['the driver', { driver: 'macvlan' }, {}, ['driver']],
    ['internal', { internal: true }, {}, ['internal']],
    ['attachable, lost', {}, { attachable: 'true' }, ['attachable']],
    ['IPv6', { enable_ipv6: true }, {}, ['enable_ipv6']],
    ['IPv6 by the daemon', {}, { enable_ipv6: 'true' }, []],
    [
      'a subnet',
      { ipam: { config: [{ subnet: '10.1.0.0/24' }] } },
      { 'ipam.config.subnet': '10.2.0.0/24' },
      ['ipam.config.subnet'],
    ],
    [
      'a subnet, and the gateway of the engine',
      { ipam: { config: [{ subnet: '10.1.0.0/24' }] } },
      { 'ipam.config.subnet': '10.1.0.0/24, fd00::/64', 'ipam.config.gateway': '10.1.0.1' },
      [],
    ],
    ['a subnet that the engine chose', {}, { 'ipam.config.subnet': '10.2.0.0/24' }, []],
    ['another IPAM driver', { ipam: { driver: 'dhcp' } }, {}, ['ipam.driver']],
  ] as const)('of a network: %s', (_what, definition, actual, expected) => {
    const [resource] = definedResources(document({ n: definition }));
    if (resource === undefined) throw new Error('no network');
    expect(otherAttributes(resource, { ...NETWORK, ...actual })).toEqual(expected);
  });

  it('of a network: an option that the deployed release had and the file lost', () => {
    const [resource] = definedResources(document({ n: {} }));
    if (resource === undefined) throw new Error('no network');
    const option = { 'driver_opts.mtu': '1400' };
    expect(otherAttributes(resource, { ...NETWORK, ...option }, option)).toEqual(['driver_opts.mtu']);
  });

  it.each([
    ['nothing', {}, {}, []],
    ['an option', { driver_opts: { type: 'none' } }, {}, ['driver_opts.type']],
    [
      'options that the file lost',
      {},
      { 'driver_opts.type': 'none', 'driver_opts.o': 'bind' },
      ['driver_opts.o', 'driver_opts.type'],
    ],
    ['a label', { labels: { x: 'y' } }, { 'labels.com.docker.compose.volume': 'pg' }, ['labels.x']],
    ['the driver', { driver: 'nfs' }, {}, ['driver']],
  ] as const)('of a volume: %s', (_what, definition, actual, expected) => {
    const [resource] = definedResources(document({}, { pg: definition }));
    if (resource === undefined) throw new Error('no volume');
    expect(otherAttributes(resource, { driver: 'local', ...actual })).toEqual(expected);
  });

  it('is said with names and without values', () => {
    const network = { kind: 'network', name: 'p_default' } as const;
    expect(describeKept(network, ['driver_opts.mtu', 'labels.x'], { recreates: false })).toBe(
      'network p_default keeps its old definition until it is created again: driver_opts.mtu, labels.x',
    );
    expect(describeKept(network, ['internal'], { recreates: true })).toBe(
      'Compose creates network p_default again and stops every container on it: internal',
    );
  });
});
