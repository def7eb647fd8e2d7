import { describe, expect, it } from 'vitest';
import type { ProbeAnswer } from '../../src/model/ports/probe.js';
import type { HealthCheck, PublishedPort } from '../../src/model/service.js';
import {
  describeServing,
  judgeJob,
  judgeServing,
  mayPass,
  type Serving,
  type ServingContainer,
  type ServingEdge,
  type ServingFacts,
} from '../../src/model/serving.js';
import { publishedPorts, tcpPorts } from '../../src/model/target-ports.js';
import { isAnswer, waysTo } from '../../src/model/ways.js';
import { withServing } from '../../src/strategies/decide.js';

const good: ProbeAnswer = { good: true, reached: true, said: 'HTTP 200' };
const refused: ProbeAnswer = { good: false, reached: true, said: 'connection refused' };
const unreached: ProbeAnswer = { good: false, reached: false, said: 'connection refused' };
const check = { test: ['CMD', 'true'] } as unknown as HealthCheck;
const port: PublishedPort = { target: 3000, published: '8080', protocol: 'tcp', hostIp: undefined };

const app: ServingContainer = {
  id: 'a1',
  name: 'app-1',
  state: 'running',
  health: 'healthy',
  healthCheck: check,
  exitCode: 0,
  hostPorts: [{ container: 3000, host: 8080, ip: '0.0.0.0' }],
  networkMode: 'p_default',
  networks: { p_default: {} },
};
const behind: ServingContainer = { ...app, hostPorts: [] };
const second: ServingContainer = { ...behind, id: 'a2', name: 'app-2' };
const edge: ServingEdge = { open: true, takeover: false, hostPorts: [8080], networksLost: [] };

const published: ServingFacts = {
  service: 'app',
  replicas: 1,
  containers: [app],
  readiness: new Map([['a1', good]]),
  ports: [port],
  networks: ['p_default'],
  edge: undefined,
  router: { kind: 'none', serving: undefined },
  requests: new Map([['8080', good]]),
};
const behindEdge: ServingFacts = {
  ...published,
  containers: [behind],
  edge,
  router: { kind: 'edge', serving: ['a1'] },
};
const worker: ServingFacts = { ...published, ports: [], requests: new Map(), containers: [behind] };
const shared = { ...behind, networkMode: 'host', networks: {} };

describe('whether a service serves', () => {
  it.each<[string, ServingFacts]>([
    ['a published port', published],
    ['behind the edge', behindEdge],
    ['without ports', worker],
    [
      'without ports, and a router of the user that cannot say',
      { ...worker, router: { kind: 'caddy', serving: undefined } },
    ],
    ['behind a router of the user', { ...worker, router: { kind: 'haproxy', serving: ['a1'] } }],
    ['with the network of the host', { ...published, containers: [shared] }],
    ['in the namespace of another', { ...worker, containers: [{ ...shared, networkMode: 'container:b' }] }],
    ['one port of a range', { ...published, ports: [{ ...port, published: '8080-8089' }] }],
    ['seen from elsewhere, with a health check', { ...published, requests: new Map([['8080', unreached]]) }],
  ])('yes: %s', (_, facts) => {
    expect(judgeServing(facts)).toEqual({ kind: 'serves' });
  });

  const withApp = (change: Partial<ServingContainer>): ServingFacts => ({
    ...published,
    containers: [{ ...app, ...change }],
  });
  it.each<[string, ServingFacts, readonly [string, string][]]>([
    ['nothing of it there', { ...published, containers: [] }, [['missing', 'it has no container']]],
    ['one of two there', { ...behindEdge, replicas: 2 }, [['missing', '1 of 2 containers run']]],
    [
      'stopped by hand',
      withApp({ state: 'exited', exitCode: 137 }),
      [['container', 'app-1 is exited with exit code 137']],
    ],
    ['created and not started', withApp({ state: 'created' }), [['container', 'app-1 was created and not started']]],
    ['paused', withApp({ state: 'paused' }), [['container', 'app-1 is paused']]],
    ['restarting', withApp({ state: 'restarting' }), [['readiness', 'app-1 is restarting']]],
    ['unhealthy', withApp({ health: 'unhealthy' }), [['container', 'app-1 is unhealthy']]],
    [
      'not ready',
      { ...published, readiness: new Map([['a1', { ...refused, said: 'exit 1: no\nmore' }]]) },
      [['readiness', 'app-1 is not ready: exit 1: no']],
    ],
    [
      'its network gone, and its port with it',
      withApp({ networks: {}, hostPorts: [] }),
      [
        ['network', 'app-1 is not on network p_default'],
        ['port', 'nobody has port 8080 of the host, which app publishes'],
      ],
    ],
    [
      'the edge removed',
      { ...published, containers: [behind] },
      [['port', 'nobody has port 8080 of the host, which app publishes']],
    ],
    [
      'the edge stopped',
      { ...behindEdge, edge: { ...edge, open: false, hostPorts: [] }, router: { kind: 'none', serving: undefined } },
      [['port', 'the edge of app does not run, and nobody has port 8080 of the host']],
    ],
    [
      'the edge taken from its network',
      { ...behindEdge, edge: { ...edge, networksLost: ['p_default'], hostPorts: [] } },
      [
        ['network', 'the edge of app is not on network p_default'],
        ['port', 'nobody has port 8080 of the host, which app publishes'],
      ],
    ],
    [
      'another port taken over than the file publishes',
      { ...behindEdge, edge: { ...edge, hostPorts: [9090] } },
      [['port', 'nobody has port 8080 of the host, which app publishes']],
    ],
    [
      'a take-over cut short',
      { ...published, edge: { ...edge, open: false, takeover: true } },
      [['port', 'the take-over by the edge of app is not finished']],
    ],
    [
      'held',
      { ...behindEdge, router: { kind: 'edge', serving: [] } },
      [['router', 'the edge of app sends no request to app-1']],
    ],
    [
      'one of two drained',
      { ...behindEdge, replicas: 2, containers: [behind, second] },
      [['router', 'the edge of app sends no request to app-2']],
    ],
    [
      'in maintenance at the router of the user',
      { ...worker, router: { kind: 'haproxy', serving: ['other'] } },
      [['router', 'router haproxy of app sends no request to app-1']],
    ],
    [
      'a rule that leads nowhere',
      { ...published, requests: new Map([['8080', refused]]) },
      [['request', 'a request to port 8080 of the host gets no answer: connection refused']],
    ],
  ])('no: %s', (_, facts, faults) => {
    const serving = judgeServing(facts);
    expect(serving).toEqual({ kind: 'not-serving', faults: faults.map(([kind, text]) => ({ kind, text })) });
    expect(withServing({ kind: 'unchanged', release: undefined }, serving)).toEqual({
      kind: 'change',
      reasons: faults.map(([, text]) => text),
      repairs: true,
    });
  });

  it.each<[string, ServingFacts, string]>([
    [
      'a router that does not answer',
      { ...worker, router: { kind: 'haproxy', problem: 'no socket\nmore' } },
      'router haproxy of app cannot be asked: no socket',
    ],
    [
      'no way to it, and no health check',
      {
        ...published,
        containers: [{ ...app, healthCheck: undefined }],
        readiness: new Map([['a1', { good: true, reached: false, said: 'up' }]]),
        requests: new Map([['8080', unreached]]),
      },
      'port 8080 of app cannot be reached from here',
    ],
  ])('nobody can tell: %s', (_, facts, why) => {
    expect(judgeServing(facts)).toEqual({ kind: 'unknown', why: [why] });
    expect(describeServing('app', judgeServing(facts))).toBe(`nobody can tell whether app serves: ${why}`);
  });

  it('of a job: what ended with another code than 0, and nothing else', () => {
    const judged = (...containers: readonly Partial<typeof app & { finishedAt: string }>[]): Serving =>
      judgeJob('ends', {
        containers: containers.map((one) => ({ ...app, finishedAt: '2026-11-24T03:15:02Z', ...one })),
        release: undefined,
        history: { releases: [], events: [] },
      });
    expect(judged({ state: 'exited' })).toMatchObject({ kind: 'not-meant' });
    expect(judged({})).toMatchObject({ kind: 'not-meant' });
    expect(judged({ state: 'created' })).toMatchObject({ kind: 'not-serving' });
    expect(judged()).toMatchObject({ kind: 'not-serving' });
    expect(judged({ state: 'exited', exitCode: 3 })).toEqual({
      kind: 'not-serving',
      faults: [{ kind: 'container', text: 'its last run ended with exit code 3' }],
    });
  });

  it('is waited for only where time may help', () => {
    const faulty = (...kinds: readonly ('port' | 'router' | 'readiness' | 'request')[]): Serving => ({
      kind: 'not-serving',
      faults: kinds.map((kind) => ({ kind, text: '' })),
    });
    expect(mayPass(faulty('router', 'port'))).toBe('no');
    expect(mayPass(faulty('router', 'readiness'))).toBe('when-ready');
    expect(mayPass(faulty('router', 'request'))).toBe('soon');
    expect(mayPass({ kind: 'unknown', why: [] })).toBe('soon');
    expect(mayPass({ kind: 'serves' })).toBe('no');
  });
});

describe('how a request gets to it', () => {
  const readiness = { kind: 'http', tls: false, port: 3000, path: '/ready' } as const;
  const asking = (test: readonly string[]): HealthCheck => ({ test }) as unknown as HealthCheck;

  it.each([
    ['readiness says HTTP', waysTo([port], readiness, undefined, []), { tls: false, path: '/ready' }],
    [
      'the health check asks for a path of the port',
      waysTo([port], undefined, asking(['CMD-SHELL', "curl -f 'http://localhost:3000/health' || exit 1"]), []),
      { tls: false, path: '/health' },
    ],
    [
      'it asks for another port',
      waysTo([port], undefined, asking(['CMD', 'wget', 'http://127.0.0.1:9/x']), []),
      undefined,
    ],
    [
      'its path has a variable',
      waysTo([port], undefined, asking(['CMD-SHELL', 'curl http://localhost:3000/$X']), []),
      undefined,
    ],
    [
      'the edge speaks HTTP',
      waysTo([port], undefined, undefined, [{ target: 3000, mode: 'http' }]),
      { tls: false, path: '/' },
    ],
    ['the edge does not', waysTo([port], undefined, undefined, [{ target: 3000, mode: 'tcp' }]), undefined],
  ])('%s', (_, ways, http) => {
    expect(ways).toEqual([{ published: '8080', address: '127.0.0.1', port: 8080, target: 3000, http }]);
  });

  it('is asked for at the address that the file names, and not for what has no fixed TCP port', () => {
    const ways = waysTo(
      [
        { ...port, hostIp: '10.0.0.1' },
        { ...port, protocol: 'udp' },
        { ...port, published: undefined },
        { ...port, published: '8080-8081' },
      ],
      undefined,
      undefined,
      [],
    );
    expect(ways.map(({ address }) => address)).toEqual(['10.0.0.1']);
  });

  it('is answered by the service unless a router says that there is nobody', () => {
    expect(['HTTP 404: no', 'HTTP 401', 'HTTP 500', 'HTTP 301'].map(isAnswer)).toEqual([true, true, true, true]);
    expect(['HTTP 503: Not now', 'HTTP 502', 'HTTP 504', 'connection refused'].map(isAnswer)).toEqual(
      Array.from({ length: 4 }, () => false),
    );
  });
});

it('reads the ports of a rendered definition', () => {
  const document = {
    services: {
      app: {
        ports: [
          { target: 80, published: '8080', host_ip: '127.0.0.1' },
          { target: 53, published: 53, protocol: 'udp' },
          { target: 81, published: '0' },
          { target: 80, published: '8081' },
        ],
      },
    },
  };
  expect(publishedPorts(document, 'app')).toEqual([
    { target: 80, published: '8080', protocol: 'tcp', hostIp: '127.0.0.1' },
    { target: 53, published: '53', protocol: 'udp', hostIp: undefined },
    { target: 81, published: undefined, protocol: 'tcp', hostIp: undefined },
    { target: 80, published: '8081', protocol: 'tcp', hostIp: undefined },
  ]);
  expect(tcpPorts(document, 'app')).toEqual([80, 81]);
  expect(publishedPorts({}, 'app')).toEqual([]);
});
