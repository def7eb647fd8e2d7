import { describe, expect, it } from 'vitest';
import { templateDocument } from '../../src/engine/compose-template.js';
import type { EdgeSpec } from '../../src/model/edge.js';
import { edgeDocument } from '../../src/routers/edge/document.js';
import type { Role } from '../../src/routers/edge/names.js';

interface Values {
  readonly services: Readonly<
    Record<string, { readonly container_name: string; readonly networks: unknown; readonly network_mode: unknown }>
  >;
}

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
    const made = templateDocument({ document, service: 'web', image: 'shop-web', published: false }, 'shop-rr-1');
    expect(made['services']).toMatchObject({ db: { network_mode: 'none' }, web: { networks: { front: null } } });
    expect((made as unknown as Values).services['web']).not.toHaveProperty('network_mode');
    expect(made['networks']).toEqual({ front: { name: 'shop_front', external: true } });
  });
});
