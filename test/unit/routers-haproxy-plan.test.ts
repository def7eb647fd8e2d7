import { describe, expect, it } from 'vitest';
import {
  DEFAULT_OPTIONS,
  findings,
  lettingGo,
  namesLeadTo,
  preparing,
  serversFor,
  switching,
  unreached,
  unsettled,
  type Backend,
  type Target,
} from '../../src/routers/haproxy-plan.js';
import type { ServerState } from '../../src/routers/haproxy-runtime.js';

const A = 'a'.repeat(64);
const B = 'b'.repeat(64);
const OWN_A = `rr-${'a'.repeat(12)}`;
const OWN_B = `rr-${'b'.repeat(12)}`;

const server = (name: string, parts: Partial<ServerState> = {}): ServerState => ({
  backend: 'app',
  name,
  address: undefined,
  port: 80,
  fqdn: undefined,
  usable: true,
  admin: 'ready',
  unresolved: false,
  weight: 100,
  checked: true,
  ...parts,
});
const backend = (servers: readonly ServerState[], backups: readonly string[] = []): Backend => ({
  name: 'app',
  servers,
  backups: new Set(backups),
  checks: new Map(),
  names: new Set(['app']),
});
const target = (container: string, weight: number, address: string): Target => ({
  container,
  weight,
  address,
  port: 80,
});

describe('a container that HAProxy does not know', () => {
  it('is added where it gets no request, and asked for its health there', () => {
    expect(preparing(backend([]), [target(A, 100, '10.0.0.2')], DEFAULT_OPTIONS)).toEqual([
      `add server app/${OWN_A} 10.0.0.2:80 check inter 1s downinter 100ms rise 1 fall 5`,
      `set server app/${OWN_A} state drain`,
      `enable health app/${OWN_A}`,
    ]);
    expect(preparing(backend([]), [target(A, 100, 'fd00::2')], 'proto h2')).toEqual([
      `add server app/${OWN_A} [fd00::2]:80 proto h2`,
      `set server app/${OWN_A} state drain`,
    ]);
  });

  it('is not added to be drained', () => {
    expect(preparing(backend([]), [target(A, 0, '10.0.0.2')], DEFAULT_OPTIONS)).toEqual([]);
  });

  it('is not reached before a check has passed', () => {
    const added = [target(A, 100, '10.0.0.2')];
    expect(unreached(backend([server(OWN_A, { checked: false })]), added)).toMatch(/10\.0\.0\.2:80.*nothing yet/);
    const checks = new Map([[OWN_A, 'L4CON']]);
    expect(unreached({ ...backend([server(OWN_A, { checked: false })]), checks }, added)).toMatch(/L4CON/);
    expect(unreached(backend([server(OWN_A)]), added)).toBeUndefined();
  });
});

it('moves a server whose container has another address by now', () => {
  const known = backend([server(OWN_A, { address: '10.0.0.9' })]);
  expect(preparing(known, [target(A, 100, '10.0.0.2')], DEFAULT_OPTIONS)).toEqual([
    `set server app/${OWN_A} state maint`,
    `set server app/${OWN_A} addr 10.0.0.2 port 80`,
    `set server app/${OWN_A} state drain`,
    `enable health app/${OWN_A}`,
  ]);
});

describe('a switch', () => {
  it('makes the new ones ready before it takes anything away, and leaves a backup alone', () => {
    const servers = [
      server('app1', { fqdn: 'app', address: '10.0.0.2' }),
      server('app2', { fqdn: 'app', usable: false, unresolved: true }),
      server('sorry', { address: '127.0.0.1' }),
      server(OWN_A, { address: '10.0.0.2' }),
      server(OWN_B, { address: '10.0.0.3', admin: 'drain', usable: false }),
    ];
    const targets = [target(A, 0, '10.0.0.2'), target(B, 90, '10.0.0.3')];
    expect(switching(backend(servers, ['sorry']), targets)).toEqual([
      `set server app/${OWN_B} weight 90`,
      `set server app/${OWN_B} state ready`,
      'set server app/app1 state maint',
      // It would become ready by itself when the name leads to one more container.
      'set server app/app2 state maint',
      `set server app/${OWN_A} state maint`,
    ]);
  });

  it('is confirmed by weight, and by nobody else getting requests', () => {
    const targets = [target(A, 0, '10.0.0.2'), target(B, 90, '10.0.0.3')];
    const ready = server(OWN_B, { address: '10.0.0.3', weight: 90 });
    const away = server(OWN_A, { address: '10.0.0.2', usable: false });
    expect(unsettled(backend([ready, away]), targets)).toBeUndefined();
    expect(unsettled(backend([ready, { ...away, usable: true }]), targets)).toContain(OWN_A);
    expect(unsettled(backend([{ ...ready, weight: 1 }, away]), targets)).toContain('weight 1');
    expect(unsettled(backend([{ ...ready, usable: false }]), targets)).toContain('takes no requests');
    expect(unsettled(backend([ready, server('person')]), targets)).toContain('person');
    expect(unsettled(backend([ready, server('sorry')], ['sorry']), targets)).toBeUndefined();
  });
});

describe('servers of the file that know the service by its name', () => {
  const named = (address: string | undefined, name = 'app1'): ServerState =>
    server(name, { fqdn: 'app', address, admin: 'maint', usable: false });
  const targets = [target(A, 100, '10.0.0.2'), target(B, 100, '10.0.0.3')];

  it('take over when they lead to exactly the containers that are there', () => {
    const all = backend([named('10.0.0.2'), named('10.0.0.3', 'app2'), named(undefined, 'app3')]);
    expect(namesLeadTo(all, targets)).toBe(true);
    expect(lettingGo(all)).toEqual([
      'set server app/app1 state ready',
      'set server app/app2 state ready',
      'set server app/app3 state ready',
    ]);
  });

  it.each([
    ['too few', [named('10.0.0.2')]],
    ['one that is gone', [named('10.0.0.2'), named('10.0.0.9', 'app2')]],
    ['one more', [named('10.0.0.2'), named('10.0.0.3', 'app2'), named('10.0.0.4', 'app3')]],
    ['one twice', [named('10.0.0.2'), named('10.0.0.2', 'app2')]],
    ['none', []],
  ])('do not with %s', (_, servers) => {
    expect(namesLeadTo(backend(servers), targets)).toBe(false);
  });
});

it('knows a container’s servers by our name for it, and by address where the name is a person’s', () => {
  const servers = [server(OWN_A, { address: '10.0.0.9' }), server(OWN_B, { address: '10.0.0.2' })];
  const person = server('person', { address: '10.0.0.2' });
  const found = serversFor([...servers, person, server('other', { address: '10.0.0.2', port: 81 })], {
    container: A,
    address: '10.0.0.2',
    port: 80,
  });
  expect(found.map(({ name }) => name)).toEqual([OWN_A, 'person']);
});

it('finds what a person should know', () => {
  const right = backend([server('app1', { fqdn: 'app', address: '10.0.0.2' })]);
  expect(findings(right, [target(A, 100, '10.0.0.2')])).toEqual([]);
  const wrong = findings(backend([server('old', { address: '10.0.0.9' })]), [target(A, 100, '10.0.0.2')]).join('\n');
  expect(wrong).toMatch(/server old .*none of the service's containers/);
  expect(wrong).toMatch(/no server .* leads to aaaaaaaaaaaa/);
  expect(wrong).toMatch(/a reload of HAProxy forgets/);
});
