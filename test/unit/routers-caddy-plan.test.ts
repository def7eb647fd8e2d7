import { describe, expect, it } from 'vitest';
import {
  changing,
  hostOf,
  parseCounts,
  parseHandler,
  settled,
  upstreamsOf,
  withUpstreams,
  type Upstreams,
} from '../../src/routers/caddy-plan.js';

const served = (dial: string) => ({ dial, names: ['app', `app-${dial}`] });
const dials = ({ serving, kept }: Upstreams) => [serving.map(({ dial }) => dial), kept.map(({ dial }) => dial)];
const handler = (more: object = {}) =>
  parseHandler(
    JSON.stringify({
      '@id': 'app',
      handler: 'reverse_proxy',
      upstreams: [{ dial: 'app:80', max_requests: 9 }],
      ...more,
    }),
    'app',
  );

describe('a change of Caddy’s upstreams', () => {
  it('names what is drained in a handler that is never reached, and leaves all else as it was', () => {
    const own = { match: { status_code: [5] }, routes: [{ handle: [{ handler: 'static_response' }] }] };
    const before = handler({ handle_response: [own], load_balancing: { retries: 2 } });
    const next = changing(upstreamsOf(before, 'app'), ['1.0.0.2:80'], ['1.0.0.1:80']);
    expect(dials(next)).toEqual([['1.0.0.2:80'], ['1.0.0.1:80', 'app:80']]);
    expect(next.serving[0]).toEqual({ dial: '1.0.0.2:80', max_requests: 9 });
    const written = withUpstreams(before, 'app', next);
    expect(written).toMatchObject({ '@id': 'app', load_balancing: { retries: 2 } });
    expect(written.handle_response).toHaveLength(2);
    expect(written.handle_response?.[0]).toEqual(own);
    const read = parseHandler(JSON.stringify(written), 'app');
    expect(upstreamsOf(read, 'app')).toEqual(next);
    expect(JSON.parse(JSON.stringify(withUpstreams(read, 'app', upstreamsOf(before, 'app'))))).toEqual(before);
  });

  it('gives back what was drained', () => {
    const now = changing({ serving: [{ dial: 'a:1' }], kept: [] }, ['b:1'], []);
    expect(dials(changing(now, ['a:1', 'b:1'], []))).toEqual([['a:1', 'b:1'], []]);
  });

  it.each([
    ['the name of before, when it leads to all', undefined, [{ dial: 'app:80' }], ['app:80']],
    ['addresses, when nothing had a name', undefined, [{ dial: '1.0.0.9:80' }], ['1:80', '2:80']],
    ['addresses, when the name leads to one of two', undefined, [{ dial: 'app-1:80:80' }], ['1:80', '2:80']],
    ['what the policy says', 'app:80', [{ dial: '1.0.0.9:80' }], ['app:80']],
    ['addresses, when what the policy says is none of their names', 'other:80', [{ dial: 'app:80' }], ['1:80', '2:80']],
  ])('settles by %s', (_, said, kept, expected) => {
    const now = { serving: [{ dial: '1:80' }, { dial: '2:80' }], kept };
    expect(dials(settled(now, [served('1:80'), served('2:80')], said))).toEqual([expected, []]);
  });
});

describe('what Caddy says', () => {
  it.each([
    ['{"handler":"subroute"}', /no reverse_proxy/],
    ['nothing', /no reverse_proxy/],
    ['{"handler":"reverse_proxy","dynamic_upstreams":{"source":"a"}}', /dynamic_upstreams/],
  ])('%s is refused', (text, message) => {
    expect(() => parseHandler(text, 'app')).toThrow(message);
  });

  it('counts by address, hosts without network and port', () => {
    expect(parseCounts('[{"address":"1:80","num_requests":3,"fails":0}]').get('1:80')).toBe(3);
    expect(() => parseCounts('{}')).toThrow(/in flight/);
    expect(['app:80', 'tcp/app:80', '[fd00::2]:80'].map(hostOf)).toEqual(['app', 'app', '[fd00::2]']);
  });
});
