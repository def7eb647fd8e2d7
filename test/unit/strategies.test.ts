import { describe, expect, it } from 'vitest';
import { describeOperation, type Operation } from '../../src/operations/operation.js';
import { DEFAULT_CANARY, DEFAULT_HOLD } from '../../src/model/policy.js';
import { NO_SERVICE_POLICY, type ServicePolicy } from '../../src/model/project-policy.js';
import type { RouterSpec } from '../../src/model/router.js';
import type { ServiceDefinition } from '../../src/model/service.js';
import { chooseStrategy, STRATEGIES } from '../../src/strategies/index.js';
import { edgeCanHave, type Keeping } from '../../src/strategies/losses.js';
import type { ServiceFacts } from '../../src/strategies/obstacles.js';
import { shares } from '../../src/strategies/shares.js';
import { undo, wayBack } from '../../src/strategies/undo.js';
import type { Change, UndoChange } from '../../src/strategies/strategy.js';
import { container, definitionWith, keepingWith, SILENT } from '../support/service-samples.js';

const EDGE: RouterSpec = { kind: 'edge' };
const NONE: RouterSpec = { kind: 'none' };

function change(parts: Partial<Change> = {}): Change {
  return {
    service: 'roma',
    wanted: 'B',
    imageName: 'roma:latest',
    wantedImage: 'new',
    namedImage: 'old',
    current: { id: 'A', image: 'old', keepAs: ['roma:previous'] },
    observed: [container('a1')],
    replicas: 1,
    checkout: undefined,
    readinessTimeoutMs: 60_000,
    watchMs: 1_000,
    knownRestartMs: undefined,
    checks: ['state', 'identity', 'smoke-test', 'error-lines'],
    containerName: 'roma-builder',
    traffic: { router: EDGE, drainTimeoutMs: 30_000, takeover: undefined },
    update: SILENT,
    canary: DEFAULT_CANARY,
    hold: DEFAULT_HOLD,
    ...parts,
  };
}

const kinds = (operations: readonly Operation[]): readonly string[] => operations.map(({ kind }) => kind);
const before = (operations: readonly Operation[], one: string, other: string): boolean =>
  kinds(operations).indexOf(one) !== -1 && kinds(operations).indexOf(one) < kinds(operations).indexOf(other);

describe('what sends the requests and is broken', () => {
  it.each(['recreate', 'hold', 'rolling', 'blue-green', 'canary'] as const)(
    '%s repairs it before anything starts',
    (name) => {
      const repair = { router: EDGE, drainTimeoutMs: 7, takeover: undefined, repair: ['80'] } as const;
      const { operations } = STRATEGIES[name].plan(change({ traffic: repair }));
      expect(before(operations, 'repair-edge', 'start-beside')).toBe(true);
      expect(operations).toContainEqual({ kind: 'repair-edge', service: 'roma', ports: ['80'], timeoutMs: 7 });
      const whole = STRATEGIES[name].plan(change());
      expect(kinds(whole.operations)).not.toContain('repair-edge');
    },
  );

  it('is removed where it cannot be repaired, and Compose publishes the port', () => {
    const discard = { router: { kind: 'none' }, drainTimeoutMs: 7, takeover: undefined, discard: true } as const;
    const { operations } = STRATEGIES.recreate.plan(change({ traffic: discard }));
    expect(before(operations, 'remove-edge', 'replace-containers')).toBe(true);
  });
});

describe('blue-green', () => {
  it('proves the new set before it gets a request, and keeps the old one through the watch', () => {
    const { operations, estimatedDowntimeMs } = STRATEGIES['blue-green'].plan(change());
    expect(kinds(operations)).toEqual([
      'capture-evidence',
      'keep-image',
      'tag-image',
      'start-beside',
      'await-ready',
      'verify',
      'shift-traffic',
      'verify',
      'watch',
      'accept-release',
      'drain-containers',
      'retire-containers',
      'settle-containers',
      'capture-evidence',
    ]);
    expect(operations.find(({ kind }) => kind === 'verify')).toMatchObject({ candidate: true, except: ['a1'] });
    expect(estimatedDowntimeMs).toBe(0);
  });

  it('frees the port before the edge opens it, and ends the redirect only then', () => {
    const edge = {
      project: 'roma',
      service: 'roma',
      image: 'haproxy',
      ports: [{ target: 3000, published: '3000', hostIp: undefined, mode: 'http', proxyProtocol: false }],
      networks: [],
    } as const;
    const traffic = { router: EDGE, drainTimeoutMs: 1, takeover: { edge, redirectProblem: undefined } };
    const { operations, estimatedDowntimeMs } = STRATEGIES['blue-green'].plan(change({ traffic }));
    for (const [one, other] of [
      ['install-edge', 'redirect-ports'],
      ['redirect-ports', 'start-beside'],
      ['shift-traffic', 'retire-containers'],
      ['retire-containers', 'open-ports'],
      ['open-ports', 'end-redirect'],
      ['end-redirect', 'end-takeover'],
      ['end-takeover', 'watch'],
    ] as const) {
      expect(before(operations, one, other), `${one} before ${other}`).toBe(true);
    }
    expect(estimatedDowntimeMs).toBe(0);

    const without = { ...traffic, takeover: { edge, redirectProblem: 'no iptables on the host' } };
    const planned = STRATEGIES['blue-green'].plan(change({ traffic: without }));
    expect(kinds(planned.operations)).not.toContain('redirect-ports');
    expect(planned.estimatedDowntimeMs).toBeGreaterThan(0);
    expect(planned.notes.join(' ')).toContain('no iptables on the host');
  });
});

describe('rolling', () => {
  const five = ['a1', 'a2', 'a3', 'a4', 'a5'].map((id) => container(id));
  const update = { ...SILENT, parallelism: 2, delayMs: 3_000 };

  it('takes parallelism at a time and ends with as many as were wanted', () => {
    const { operations } = STRATEGIES.rolling.plan(change({ observed: five, replicas: 5, update }));
    const starts = operations.flatMap((one) => (one.kind === 'start-beside' ? [one.count] : []));
    expect(starts).toEqual([2, 2, 1]);
    const retired = operations.flatMap((one) =>
      one.kind === 'retire-containers' && one.containers.are === 'these' ? [one.containers.containers] : [],
    );
    expect(retired).toEqual([['a1', 'a2'], ['a3', 'a4'], ['a5']]);
    const pauses = operations.filter((one) => one.kind === 'watch' && one.between === true);
    expect(pauses).toHaveLength(2);
    // Never fewer than were there: each batch starts before it retires.
    expect(before(operations, 'start-beside', 'retire-containers')).toBe(true);
  });

  it('stops first where the file says so', () => {
    const { operations } = STRATEGIES.rolling.plan(
      change({ observed: five, replicas: 5, update: { ...update, order: 'stop-first' } }),
    );
    expect(before(operations, 'retire-containers', 'start-beside')).toBe(true);
  });

  it.each([
    [0.2, 1],
    [0.5, 2],
    [0, undefined],
  ])('allows %d of five to fail as max_failure_ratio says', (maxFailureRatio, tolerate) => {
    const { operations } = STRATEGIES.rolling.plan(
      change({ observed: five, replicas: 5, update: { ...update, maxFailureRatio } }),
    );
    const ready = operations.find((one) => one.kind === 'await-ready');
    expect(ready?.tolerate).toBe(tolerate);
  });

  it('takes all at once for parallelism 0, and grows to more replicas', () => {
    const { operations } = STRATEGIES.rolling.plan(
      change({ observed: five.slice(0, 2), replicas: 5, update: { ...SILENT, parallelism: 0 } }),
    );
    expect(operations.flatMap((one) => (one.kind === 'start-beside' ? [one.count] : []))).toEqual([5]);
  });
});

describe('canary', () => {
  it('compares at each step but the last', () => {
    const { operations } = STRATEGIES.canary.plan(change());
    const percents = operations.flatMap((one) =>
      one.kind === 'shift-traffic' && one.serve.who === 'new' ? [one.serve.percent] : [],
    );
    expect(percents).toEqual([10, 50, 100]);
    expect(operations.filter(({ kind }) => kind === 'analyse-canary')).toHaveLength(2);
  });

  it.each([
    [10, 1, 1, 11, 100],
    [50, 1, 1, 100, 100],
    [10, 3, 3, 11, 100],
    [50, 1, 4, 100, 25],
    [100, 2, 2, 100, 0],
    [0, 2, 2, 0, 100],
    [1, 1, 1, 1, 100],
  ])('%d %% of the requests for %d new and %d old', (percent, fresh, old, ofNew, ofOld) => {
    expect(shares(percent, fresh, old)).toEqual({ new: ofNew, old: ofOld });
  });
});

describe('hold', () => {
  it('holds before it stops, and lets go as soon as the new one is ready', () => {
    const { operations } = STRATEGIES.hold.plan(change());
    for (const [one, other] of [
      ['hold-traffic', 'stop-containers'],
      ['stop-containers', 'start-beside'],
      ['await-ready', 'release-traffic'],
      ['release-traffic', 'watch'],
      ['accept-release', 'retire-containers'],
    ] as const) {
      expect(before(operations, one, other), `${one} before ${other}`).toBe(true);
    }
  });
});

function undoing(parts: Partial<UndoChange> = {}): UndoChange {
  return {
    service: 'roma',
    failed: 'B',
    back: 'A',
    tags: [{ tag: 'roma:latest', to: 'old', from: 'new' }],
    replicas: 1,
    checkout: undefined,
    readinessTimeoutMs: 60_000,
    checks: ['state', 'identity'],
    reason: 'it failed',
    containerName: 'roma-builder',
    router: EDGE,
    publishes: true,
    drainTimeoutMs: 30_000,
    present: [
      { id: 'a1', good: true, running: true },
      { id: 'b1', good: false, running: true },
    ],
    takeover: undefined,
    ...parts,
  };
}

describe('the way back', () => {
  it.each(Object.values(STRATEGIES).flatMap((strategy) => [EDGE, NONE].map((router) => [strategy, router] as const)))(
    'of $name is known from what has begun (%#)',
    (strategy, router) => {
      const { operations } = strategy.plan(change({ traffic: { router, drainTimeoutMs: 1, takeover: undefined } }));
      for (const [index] of operations.entries()) {
        const begun = kinds(operations.slice(0, index + 1));
        const way = wayBack(operations.slice(0, index + 1));
        // Nothing that still runs is stopped for the way back, and nothing that was stopped is expected to run.
        expect(way === 'beside', begun.join(' ')).toBe(
          !['replace-containers', 'hold-traffic', 'stop-containers'].some((kind) => begun.includes(kind as 'watch')),
        );
        expect(way === 'compose', begun.join(' ')).toBe(begun.includes('replace-containers'));
        expect(way === 'hold', begun.join(' ')).toBe(begun.includes('hold-traffic'));
      }
    },
  );

  it.each(['compose', 'beside', 'stop-first', 'hold'] as const)(
    '%s: the service is verified and its release recorded, whatever is there of it',
    (way) => {
      for (const present of [[], [{ id: 'a1', good: true, running: false }], undoing().present]) {
        for (const router of [EDGE, NONE]) {
          const operations = undo(undoing({ present, router }), way);
          expect(before(operations, 'verify', 'accept-release')).toBe(true);
          expect(kinds(operations).at(-1)).toBe('reject-release');
          // What is good and runs is never stopped.
          const stopped = operations.flatMap((one) =>
            one.kind === 'retire-containers' && one.containers.are === 'these' ? one.containers.containers : [],
          );
          for (const { id, good, running } of present) if (good && running) expect(stopped).not.toContain(id);
        }
      }
    },
  );

  it('sends the requests to the warm set before anything else', () => {
    const operations = undo(undoing(), 'beside');
    expect(operations[0]).toMatchObject({ kind: 'shift-traffic', serve: { who: 'only', containers: ['a1'] } });
    expect(kinds(operations)).not.toContain('start-beside');
    expect(kinds(operations).at(-1)).toBe('reject-release');
  });

  it('starts what is gone beside the failed one, which serves until then', () => {
    const operations = undo(undoing({ present: [{ id: 'b1', good: false, running: true }] }), 'beside');
    expect(before(operations, 'start-beside', 'shift-traffic')).toBe(true);
    expect(before(operations, 'shift-traffic', 'retire-containers')).toBe(true);
    expect(kinds(operations)).toContain('settle-containers');
  });

  it('takes a take-over back while the old container has the port, and finishes it after that', () => {
    const ports = ['3000'];
    const early = undo(undoing({ takeover: { ports, oldHasPorts: true, redirected: true } }), 'beside');
    expect(before(early, 'end-redirect', 'remove-edge')).toBe(true);
    expect(kinds(early)).not.toContain('release-traffic');
    const late = undo(undoing({ takeover: { ports, oldHasPorts: false, redirected: true } }), 'beside');
    expect(before(late, 'open-ports', 'end-redirect')).toBe(true);
    expect(kinds(late)).not.toContain('remove-edge');
    expect(before(late, 'end-redirect', 'release-traffic')).toBe(true);
  });

  it('starts the old container again where only one may run', () => {
    const operations = undo(
      undoing({
        present: [
          { id: 'a1', good: true, running: false },
          { id: 'b1', good: false, running: true },
        ],
      }),
      'hold',
    );
    expect(before(operations, 'hold-traffic', 'retire-containers')).toBe(true);
    expect(before(operations, 'retire-containers', 'start-containers')).toBe(true);
    expect(before(operations, 'start-containers', 'release-traffic')).toBe(true);
  });
});

function facts(
  definition: Partial<ServiceDefinition>,
  { keeping, ...parts }: Partial<Omit<ServiceFacts, 'keeping'>> & { readonly keeping?: Partial<Keeping> } = {},
): ServiceFacts {
  const whole = definitionWith(definition);
  const given = {
    definition: whole,
    router: EDGE,
    policy: NO_SERVICE_POLICY,
    readinessSaid: false,
    observed: [container('a1')],
    lifetime: 'stays' as const,
    knownFiles: [],
    ...parts,
  };
  return { ...given, keeping: { ...keepingWith(whole, given.observed), edgePorts: edgePortsOf(given), ...keeping } };
}

/** An edge that has every port that one can have. */
function edgePortsOf({ definition, router }: Pick<ServiceFacts, 'definition' | 'router'>): Keeping['edgePorts'] {
  if (router.kind !== 'edge') return undefined;
  return definition.ports
    .filter(edgeCanHave)
    .map(({ target, published, hostIp }) => ({ target, published, hostIp, mode: 'http', proxyProtocol: false }));
}

const state = { type: 'volume', source: 'state', target: '/state', readOnly: false } as const;
const shared: ServicePolicy = { ...NO_SERVICE_POLICY, sharedVolumes: ['state'] };

describe('auto', () => {
  it.each([
    ['nothing in the way', facts({}), 1, 'blue-green'],
    ['many replicas', facts({}), 5, 'rolling'],
    ['update_config', facts({ update: { ...SILENT, parallelism: 1 } }), 1, 'rolling'],
    ['a volume that is declared shared', facts({ mounts: [state] }, { policy: shared }), 1, 'blue-green'],
    [
      'a discovering proxy',
      facts({}, { router: { kind: 'discovery', settleMs: 1, drainCommand: undefined, resumeCommand: undefined } }),
      1,
      'rolling',
    ],
    [
      'a file that is mounted',
      facts({ mounts: [{ ...state, type: 'bind', source: '/srv/a' }] }, { knownFiles: ['/srv/a'] }),
      1,
      'blue-green',
    ],
  ])('%s: goes all the way', (_what, given, replicas, expected) => {
    const { strategy, notes } = chooseStrategy('auto', given, replicas);
    expect(strategy.name).toBe(expected);
    expect(notes).toEqual([]);
  });

  it.each([
    ['a volume', facts({ mounts: [state] }), 'shared-volumes: [state]'],
    [
      'a folder of data',
      facts({ mounts: [{ ...state, type: 'bind', source: '/srv/data' }] }),
      'shared-volumes: [/state]',
    ],
    [
      'a host port',
      facts(
        { ports: [{ target: 1, published: '3000', protocol: 'tcp', hostIp: undefined }] },
        { router: { kind: 'none' } },
      ),
      'router: edge',
    ],
    ['no router', facts({}, { router: { kind: 'none' } }), 'router: edge'],
    ['UDP', facts({ ports: [{ target: 1, published: '53', protocol: 'udp', hostIp: undefined }] }), 'TCP'],
    ['network_mode: host', facts({ networkMode: 'host' }), 'network'],
    ['network_mode: service', facts({ networkMode: 'service:vpn' }), 'network'],
    ['a fixed address', facts({ raw: { networks: { default: { ipv4_address: '10.0.0.2' } } } }), 'service name'],
    ['a fixed MAC', facts({ raw: { mac_address: '02:00:00:00:00:01' } }), 'mac_address'],
    ['volumes_from', facts({ raw: { volumes_from: ['other'] } }), 'named volumes'],
    ['an anonymous volume', facts({}, { observed: [{ ...container('a1'), anonymousVolumes: ['/data'] }] }), 'name'],
    ['no readiness', facts({ healthCheck: undefined }), 'healthcheck'],
    ['an inline config', facts({}, { keeping: { inlineFiles: ['motd'] } }), 'file:'],
  ])('%s: recreates, and says why and what to change', (_what, given, change) => {
    const { strategy, notes } = chooseStrategy('auto', given, 1);
    expect(strategy.name).toBe('recreate');
    expect(notes.join(' ')).toContain(change);
  });

  it('never holds by itself, and takes a word for what is only a matter of knowing', () => {
    expect(chooseStrategy('hold', facts({ mounts: [state] }), 1).strategy.name).toBe('hold');
    expect(chooseStrategy('rolling', facts({ healthCheck: undefined }), 1).strategy.name).toBe('rolling');
    expect(() => chooseStrategy('blue-green', facts({ mounts: [state] }), 1)).toThrow(/shared-volumes|exclusive/);
    const caddy: RouterSpec = {
      kind: 'caddy',
      admin: '',
      id: '',
      port: undefined,
      network: undefined,
      dial: undefined,
    };
    expect(() => chooseStrategy('canary', facts({}, { router: caddy }), 1)).toThrow(/share/);
    expect(() => chooseStrategy('hold', facts({}, { router: caddy }), 1)).toThrow(/hold/);
  });
});

describe('every operation of every strategy', () => {
  it('has words', () => {
    const all = Object.values(STRATEGIES).flatMap((strategy) => [
      ...strategy.plan(change()).operations,
      ...undo(undoing(), wayBack(strategy.plan(change()).operations)),
    ]);
    for (const operation of all) expect(describeOperation(operation)).toMatch(/^[\w%]/);
  });
});
