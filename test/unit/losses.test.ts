import { describe, expect, it } from 'vitest';
import type { EdgePort } from '../../src/model/edge.js';
import type { Operation } from '../../src/operations/operation.js';
import { DEFAULT_CANARY, DEFAULT_HOLD } from '../../src/model/policy.js';
import type { RouterSpec } from '../../src/model/router.js';
import type { PublishedPort, ServiceDefinition } from '../../src/model/service.js';
import { planEject } from '../../src/strategies/eject.js';
import { STRATEGIES } from '../../src/strategies/index.js';
import { edgeCanHave, lossesOf, undecidedVolumes, type Keeping, type Part } from '../../src/strategies/losses.js';
import { makesContainers, makingsOf } from '../../src/strategies/makings.js';
import { startAgain } from '../../src/strategies/start-again.js';
import { planStart, planStop } from '../../src/strategies/stop-start.js';
import type { Change, Traffic } from '../../src/strategies/strategy.js';
import { container, definitionWith, keepingWith, SILENT } from '../support/service-samples.js';

const NONE: RouterSpec = { kind: 'none' };
const EDGE: RouterSpec = { kind: 'edge' };

function port(written: Partial<PublishedPort>): PublishedPort {
  return { target: 80, published: '8080', protocol: 'tcp', hostIp: undefined, ...written };
}

const edgePort = (of: PublishedPort): EdgePort => ({
  target: of.target,
  published: of.published ?? '',
  hostIp: of.hostIp,
  mode: 'http',
  proxyProtocol: false,
});

function change(router: RouterSpec, parts: Partial<Change> = {}): Change {
  return {
    service: 'roma',
    wanted: 'B',
    imageName: 'roma:latest',
    wantedImage: 'new',
    namedImage: 'old',
    current: { id: 'A', image: 'old', keepAs: [] },
    observed: [container('a1')],
    replicas: 1,
    checkout: undefined,
    readinessTimeoutMs: 1,
    watchMs: 1,
    knownRestartMs: undefined,
    checks: [],
    containerName: undefined,
    traffic: { router, drainTimeoutMs: 1, takeover: undefined },
    update: SILENT,
    canary: DEFAULT_CANARY,
    hold: DEFAULT_HOLD,
    ...parts,
  };
}

const edge = { project: 'p', service: 'roma', image: 'haproxy', ports: [edgePort(port({}))], networks: [] };
const takeover = { router: EDGE, drainTimeoutMs: 1, takeover: { edge, redirectProblem: undefined } };
const again = { service: 'roma', release: 'A', replicas: 1, containerName: undefined, timeoutMs: 1 } as const;
const eject = {
  service: 'roma',
  release: 'A',
  edge,
  present: ['a1'],
  replicas: 1,
  containerName: undefined,
  readinessTimeoutMs: 1,
  watchMs: 1,
  drainTimeoutMs: 1,
  checks: [],
};
const freeze = {
  service: 'roma',
  how: 'stop',
  containers: ['a1'],
  quiesceCommand: undefined,
  resumeCommand: undefined,
} as const;
/** A router that is in order. */
const through = (router: RouterSpec): Traffic => ({ router, drainTimeoutMs: 1, takeover: undefined });
const kill: readonly Operation[] = [
  { kind: 'kill-containers', service: 'roma', containers: ['a1'], release: 'A' },
  { kind: 'remove-containers', service: 'roma', containers: ['a1'], release: 'A' },
];

/** Ways in which procedures come to containers, with what each keeps of a service that has everything. */
type How = 'in place' | 'anew' | 'copy' | 'copy with ports' | 'restart' | 'nothing';
const WAYS: readonly (readonly [string, How, readonly Operation[], Partial<Keeping>?])[] = [
  ['recreate', 'in place', STRATEGIES.recreate.plan(change(NONE)).operations],
  ['recreate behind the edge', 'copy', STRATEGIES.recreate.plan(change(EDGE)).operations],
  ['recreate with the take-over', 'copy', STRATEGIES.recreate.plan(change(EDGE, { traffic: takeover })).operations],
  ['hold', 'copy', STRATEGIES.hold.plan(change(EDGE)).operations],
  ['rolling', 'copy', STRATEGIES.rolling.plan(change(EDGE)).operations],
  ['blue-green', 'copy', STRATEGIES['blue-green'].plan(change(EDGE, { traffic: takeover })).operations],
  ['canary', 'copy', STRATEGIES.canary.plan(change(EDGE)).operations],
  ['full-restart', 'anew', STRATEGIES.recreate.plan(change(NONE)).operations, { removedFirst: true }],
  ['emergency', 'anew', [...kill, ...startAgain({ ...again, traffic: through(NONE), present: [] })]],
  ['emergency behind the edge', 'copy', [...kill, ...startAgain({ ...again, traffic: through(EDGE), present: [] })]],
  [
    'health-restart in place',
    'restart',
    [{ kind: 'restart-containers', service: 'roma', containers: ['a1'], release: 'A' }],
  ],
  [
    'restore, backup with stop',
    'restart',
    [
      { kind: 'freeze-data', ...freeze },
      { kind: 'thaw-data', ...freeze },
    ],
  ],
  ['backup with pause', 'nothing', [{ kind: 'thaw-data', ...freeze, how: 'pause' }]],
  ['eject', 'copy with ports', planEject({ ...eject, alone: false })],
  ['eject of one that runs alone', 'copy with ports', planEject({ ...eject, alone: true })],
  [
    'start behind the edge, two of three left',
    'copy',
    startAgain({ ...again, traffic: through(EDGE), present: ['a1'], replicas: 3 }),
  ],
  [
    'start of what was stopped',
    'nothing',
    planStart({ ...again, traffic: through(NONE), present: ['a1'], heldBack: [], checks: [], watchMs: 1 }),
  ],
  [
    'stop',
    'nothing',
    planStop({
      ...again,
      reason: '',
      running: ['a1'],
      always: [],
      router: NONE,
      drainTimeoutMs: 1,
      kill: true,
    }),
  ],
];

const nameless = { type: 'volume', source: undefined, target: '/data', readOnly: false } as const;
const withVolume = [container('a1', { anonymousVolumes: ['/data'] })];
const borrowed = (what: Keeping['borrowers'][number]['what']): Partial<Keeping> => ({
  borrowers: [{ container: 'p-app-1', service: 'app', what }],
});

interface Row {
  readonly definition?: Partial<ServiceDefinition>;
  readonly keeping?: Partial<Keeping>;
  readonly part: Part;
  /** Ways that lose it; all others keep it. */
  readonly lost: readonly How[];
}

const MAKING_NEW: readonly How[] = ['anew', 'copy', 'copy with ports'];
const COPYING: readonly How[] = ['copy', 'copy with ports'];
const ANY: readonly How[] = ['in place', 'anew', 'copy', 'copy with ports', 'restart'];

/** Behind an edge that has port 8080. */
const PARTS: Readonly<Record<string, Row>> = {
  'a volume of the file': {
    definition: { mounts: [nameless] },
    keeping: { observed: withVolume },
    part: 'volume',
    lost: MAKING_NEW,
  },
  'a volume of the image': {
    keeping: { observed: withVolume, imageVolumes: ['/data'] },
    part: 'volume',
    lost: MAKING_NEW,
  },
  'a volume of an image that is not known yet': {
    keeping: { observed: withVolume, imageVolumes: undefined },
    part: 'volume',
    lost: MAKING_NEW,
  },
  'a volume that the new image does not have': {
    keeping: { observed: withVolume },
    part: 'volume',
    lost: ['in place', ...MAKING_NEW],
  },
  'a volume that the new image has elsewhere': {
    keeping: { observed: withVolume, imageVolumes: ['/moved'] },
    part: 'volume',
    lost: ['in place', ...MAKING_NEW],
  },
  'a volume that the image writes with a slash, and Compose then loses': {
    keeping: { observed: withVolume, imageVolumes: ['/data/'] },
    part: 'volume',
    lost: ['in place', ...MAKING_NEW],
  },
  'a volume that a volume with a name takes the place of, and that is not there yet': {
    definition: { mounts: [{ ...nameless, source: 'data', target: '/data/' }] },
    keeping: { observed: withVolume, imageVolumes: ['/data'] },
    part: 'volume',
    lost: ['in place', ...MAKING_NEW],
  },
  'a volume of which each of two replicas would have its own': {
    definition: { mounts: [nameless] },
    keeping: { observed: [...withVolume, ...withVolume] },
    part: 'volume',
    lost: ['in place', ...MAKING_NEW],
  },
  'a volume that this Compose does not hand over': {
    definition: { mounts: [nameless] },
    keeping: { observed: withVolume, composeKeepsVolumes: false },
    part: 'volume',
    lost: ['in place', ...MAKING_NEW],
  },
  'a UDP port': { definition: { ports: [port({}), port({ protocol: 'udp' })] }, part: 'port', lost: ['copy'] },
  'a port that the engine chooses': {
    definition: { ports: [port({ published: undefined })] },
    part: 'port',
    lost: ['copy'],
  },
  'a range of ports': { definition: { ports: [port({ published: '8080-8082' })] }, part: 'port', lost: ['copy'] },
  'a port that the edge does not have': {
    definition: { ports: [port({ published: '9090' })] },
    part: 'port',
    lost: ['copy'],
  },
  'a port that leads elsewhere now': { definition: { ports: [port({ target: 81 })] }, part: 'port', lost: ['copy'] },
  'the network namespace of another': { definition: { networkMode: 'service:vpn' }, part: 'namespace', lost: COPYING },
  'the process namespace of another': { definition: { raw: { pid: 'service:vpn' } }, part: 'namespace', lost: COPYING },
  'the IPC namespace of another': { definition: { raw: { ipc: 'service:vpn' } }, part: 'namespace', lost: COPYING },
  'the volumes of another': { definition: { raw: { volumes_from: ['vpn'] } }, part: 'namespace', lost: COPYING },
  'its network namespace is used': { keeping: borrowed('network'), part: 'namespace', lost: ANY },
  'its process namespace is used': { keeping: borrowed('pid'), part: 'namespace', lost: ANY },
  'its IPC namespace is used': { keeping: borrowed('ipc'), part: 'namespace', lost: ANY },
  'its volumes are used': {
    keeping: borrowed('volumes'),
    part: 'namespace',
    lost: ANY.filter((how) => how !== 'restart'),
  },
  'an inline config or a secret from the environment': {
    keeping: { inlineFiles: ['motd'] },
    part: 'file',
    lost: COPYING,
  },
};

const KEPT: Readonly<Record<string, Omit<Row, 'part' | 'lost'>>> = {
  'ports of one number, on several addresses': {
    definition: { ports: [port({}), port({ hostIp: '127.0.0.1' }), port({ hostIp: '::1' })] },
    keeping: { edgePorts: [port({}), port({ hostIp: '127.0.0.1' }), port({ hostIp: '::1' })].map(edgePort) },
  },
  'a volume that a volume with a name takes the place of, which a person has filled': {
    definition: { mounts: [{ ...nameless, source: 'data' }] },
    keeping: { observed: withVolume, imageVolumes: ['/data'], filledTargets: ['/data'] },
  },
  'a volume with a name': { definition: { mounts: [{ ...nameless, source: 'data' }] } },
};

function keepingOf(
  { definition = {}, keeping = {} }: Omit<Row, 'part' | 'lost'>,
  more: Partial<Keeping> = {},
): Keeping {
  const edgePorts = [edgePort(port({}))];
  return keepingWith(definitionWith(definition), [container('a1')], { edgePorts, ...keeping, ...more });
}

describe('a plan', () => {
  const rows = Object.entries(PARTS).flatMap(([what, row]) => WAYS.map((way) => ({ what, row, name: way[0], way })));

  it.each(rows)('$name: $what', ({ row, way: [, how, operations, more] }) => {
    const found = lossesOf(keepingOf(row, more), operations);
    expect(found.map(({ part }) => part)).toEqual(row.lost.includes(how) ? [row.part] : []);
    for (const { why, change: next } of found) expect(`${why}${next}`).not.toMatch(/undefined|^[A-Z]/);
  });

  it.each(Object.entries(KEPT).flatMap(([what, row]) => WAYS.map((way) => ({ what, row, name: way[0], way }))))(
    '$name keeps $what',
    ({ row, way: [, , operations, more] }) => {
      expect(lossesOf(keepingOf(row, more), operations)).toEqual([]);
    },
  );

  it('loses the port of the host when it copies without an edge, which is why strategies do not', () => {
    const found = lossesOf(keepingOf({ definition: { ports: [port({})] } }, { edgePorts: undefined }), [
      ...STRATEGIES.rolling.plan(change(NONE)).operations,
    ]);
    expect(found.map(({ part }) => part)).toEqual(['host-port']);
  });

  it('keeps volumes of another container that Compose hands over again', () => {
    const row = { definition: { raw: { volumes_from: ['vpn'] } }, keeping: { observed: withVolume } };
    const { operations } = STRATEGIES.recreate.plan(change(NONE));
    expect(lossesOf(keepingOf(row, { lentVolumes: ['/data'] }), operations)).toEqual([]);
    expect(lossesOf(keepingOf(row), operations)).toHaveLength(1);
  });

  it('names what is left for the image to decide, and nothing that is decided', () => {
    const { operations } = STRATEGIES.recreate.plan(change(NONE));
    const undecided = (row: Omit<Row, 'part' | 'lost'>): readonly string[] =>
      undecidedVolumes(keepingOf(row), operations);
    expect(undecided({ keeping: { observed: withVolume, imageVolumes: undefined } })).toEqual(['/data']);
    expect(undecided({ keeping: { observed: withVolume, imageVolumes: ['/data'] } })).toEqual([]);
    expect(
      undecided({ definition: { mounts: [nameless] }, keeping: { observed: withVolume, imageVolumes: undefined } }),
    ).toEqual([]);
  });

  it('says whom it would leave behind, and what to type instead', () => {
    const row = {
      definition: { name: 'vpn' },
      keeping: {
        borrowers: [
          { container: 'p-app-1', service: 'app', what: 'network' },
          { container: 'other', service: undefined, what: 'pid' },
        ],
      },
    } as const;
    const [loss] = lossesOf(keepingOf(row), STRATEGIES.recreate.plan(change(NONE)).operations);
    expect(loss?.why).toContain(
      'app lives in the network namespace, container other lives in the process namespace of vpn',
    );
    expect(loss?.change).toContain('docker compose up -d --force-recreate vpn app, and then restart other');
    const restart: Operation = { kind: 'restart-containers', service: 'vpn', containers: ['a1'], release: 'A' };
    expect(lossesOf(keepingOf(row), [restart])[0]?.change).toContain('docker compose restart vpn app');
  });
});

describe('operations', () => {
  it('are sorted by what they do to containers', () => {
    for (const [name, how, operations, more] of WAYS) {
      const found = makingsOf(operations, more?.removedFirst ?? false);
      const words = found.map((one) =>
        one.how === 'copy' && one.published ? 'copy with ports' : one.how.replace('-', ' '),
      );
      expect(words.length === 0 ? ['nothing'] : [...new Set(words)], name).toEqual([how]);
      if (how !== 'nothing' && how !== 'restart') expect(operations.some(makesContainers), name).toBe(true);
    }
  });

  it('that put the same containers back are never kept from it', () => {
    const freeze = {
      service: 'app',
      how: 'pause',
      containers: ['a1'],
      quiesceCommand: undefined,
      resumeCommand: undefined,
    } as const;
    expect(makesContainers({ kind: 'thaw-data', ...freeze })).toBe(false);
    expect(makesContainers({ kind: 'start-containers', service: 'app', containers: ['a1'] })).toBe(false);
    expect(makesContainers({ kind: 'restart-containers', service: 'app', containers: ['a1'], release: 'A' })).toBe(
      true,
    );
  });

  it.each([
    [{}, true],
    [{ published: undefined }, false],
    [{ published: '80-82' }, false],
    [{ protocol: 'udp' }, false],
    [{ protocol: 'other' }, false],
  ] as const)('an edge can have %j: %s', (written, expected) => {
    expect(edgeCanHave(port(written))).toBe(expected);
  });
});
