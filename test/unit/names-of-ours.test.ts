import { describe, expect, it } from 'vitest';
import { templateDocument } from '../../src/engine/compose-template.js';
import type { EdgeSpec } from '../../src/model/edge.js';
import { edgeDocument } from '../../src/routers/edge/document.js';
import { helperLabels, isLeftHelper, withoutHelperLabels } from '../../src/model/own-names.js';
import type { Role } from '../../src/routers/edge/names.js';

interface Values {
  readonly services: Readonly<
    Record<string, { readonly container_name: string; readonly networks: unknown; readonly network_mode: unknown }>
  >;
}

describe('helper containers', () => {
  const helper = { work: 'data', project: 'shop', service: 'db', lifeMs: 60_000 } as const;
  const now = Date.now();
  const labels = helperLabels(helper, 'run-1', now);

  it.each([
    ['its run is over', labels, ['run-0', 'run-1'], now, true],
    ['another run is over', labels, ['run-0'], now, false],
    ['its time is over', labels, [], now + 61_000, true],
    ['it has no time', { ...labels, 'rolling-restart.until': 'soon' }, [], now, true],
  ])('a helper is left, or not, when %s', (_when, given, runs, at, left) => {
    expect(isLeftHelper(given, runs, at)).toBe(left);
  });

  it('have labels that a copy of them has not', () => {
    expect(withoutHelperLabels({ ...labels, own: 'kept' })).toEqual({ own: 'kept' });
  });
});

/** What is ours joins networks of the user, and takes no name there that a service of the user may have. */
describe('names of ours in the networks of a user', () => {
  const spec = (service: string): EdgeSpec => ({
    project: 'shop',
    service,
    image: 'haproxy:3.0-alpine',
    ports: [{ target: 80, published: '8080', hostIp: undefined, mode: 'http', proxyProtocol: false }],
    networks: [{ name: 'shop_default', aliases: ['www'] }],
  });

  it.each(['edge', 'takeover'] as const)(
    'the %s container has the names of its service and of itself',
    (role: Role) => {
      for (const service of ['web', 'Web_1', 'edge', 'takeover']) {
        const { services } = edgeDocument(spec(service), role) as unknown as Values;
        const [[name, own] = []] = Object.entries(services);
        expect(name).toMatch(/^rolling-restart-edge-shop-/);
        expect(own?.container_name).toBe(`${name}-1`);
        expect(own?.networks).toEqual({ n0: { aliases: [service, 'www'] } });
        expect(own).not.toHaveProperty('hostname');
      }
    },
  );

  it('a template makes no network: what it depends on is on none', () => {
    const document = {
      name: 'shop',
      services: {
        db: { image: 'shop-web' },
        web: { image: 'shop-web', depends_on: { db: {} }, networks: { front: null } },
      },
      networks: { front: { name: 'shop_front' } },
    };
    const helper = { work: 'template', service: 'web', lifeMs: 1_000 } as const;
    const options = { document, service: 'web', image: 'shop-web', published: false, helper };
    const made = templateDocument(options, 'shop-rr-1', 'run');
    expect(made['services']).toMatchObject({ db: { network_mode: 'none' }, web: { networks: { front: null } } });
    expect((made as unknown as Values).services['web']).not.toHaveProperty('network_mode');
    expect(made['networks']).toEqual({ front: { name: 'shop_front', external: true } });
  });
});
