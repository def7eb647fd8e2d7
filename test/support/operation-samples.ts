import type { OperationKind, OperationOf } from '../../src/operations/operation.js';

const service = 'roma';
const release = '20261124T031502Z-aaaaaa';
const earlier = '20261123T031502Z-bbbbbb';
const router = { kind: 'edge' } as const;
const containers = ['c1'];
const places = [{ name: 'data', kind: 'volume', source: 'roma_data', target: '/data' }] as const;
const freeze = { service, how: 'pause', containers, quiesceCommand: undefined, resumeCommand: undefined } as const;
const backup = { service, backup: '20261124T031502Z-backup', folder: '/srv/backup/roma/one' };
const ports = ['8080'];

/** One operation of each kind. A new kind does not compile without one. */
export const OPERATION_SAMPLES: { readonly [K in OperationKind]: OperationOf<K> } = {
  'add-worktree': { kind: 'add-worktree', directory: '/srv/roma', path: '/tmp/tree', commit: 'c'.repeat(40) },
  'run-command': { kind: 'run-command', name: 'build-command', command: 'make\nmake test', directory: '/srv/roma' },
  'build-image': { kind: 'build-image', service, tag: 'roma:latest', pullBase: true },
  'pull-image': { kind: 'pull-image', service, reference: 'registry.test/roma:2' },
  'push-image': { kind: 'push-image', service, image: 'sha256:1', reference: 'registry.test/roma:2' },
  'capture-evidence': { kind: 'capture-evidence', service, moment: 'before' },
  'run-release-command': { kind: 'run-release-command', service, release, command: 'node migrate.js' },
  'free-port': {
    kind: 'free-port',
    service,
    port: 8080,
    holder: { kind: 'process', pid: 7, name: 'node', started: '4711' },
  },
  'keep-image': { kind: 'keep-image', service, image: 'sha256:1', tags: ['rolling-restart/roma:1'] },
  'move-checkout': { kind: 'move-checkout', directory: '/srv/roma', from: 'a'.repeat(40), to: 'b'.repeat(40) },
  'tag-image': { kind: 'tag-image', service, tag: 'roma:latest', to: 'sha256:2', from: 'sha256:1' },
  'replace-containers': { kind: 'replace-containers', service, to: release, from: earlier, replicas: 2, force: true },
  'restart-containers': { kind: 'restart-containers', service, containers, release },
  'kill-containers': { kind: 'kill-containers', service, containers, release },
  'remove-containers': { kind: 'remove-containers', service, containers, release: undefined },
  'remove-leftovers': { kind: 'remove-leftovers', service, containers, names: ['abc_roma-1'] },
  'remove-networks': { kind: 'remove-networks', project: 'roma' },
  'start-beside': {
    kind: 'start-beside',
    service,
    to: release,
    from: undefined,
    count: 1,
    beside: containers,
    published: false,
    named: true,
  },
  'shift-traffic': {
    kind: 'shift-traffic',
    service,
    router: {
      kind: 'haproxy',
      socket: '/run/admin.sock',
      backend: 'app',
      port: 80,
      network: undefined,
      options: undefined,
    },
    serve: { who: 'new', old: containers, percent: 10 },
  },
  'drain-containers': {
    kind: 'drain-containers',
    service,
    router,
    containers: { are: 'others', than: containers },
    timeoutMs: 30_000,
  },
  'stop-containers': { kind: 'stop-containers', service, containers },
  'start-containers': { kind: 'start-containers', service, containers },
  'set-restart-policy': { kind: 'set-restart-policy', service, containers, to: 'always' },
  'retire-containers': { kind: 'retire-containers', service, containers: { are: 'these', containers } },
  'settle-containers': { kind: 'settle-containers', service, containerName: 'roma', named: false, except: [] },
  'hold-traffic': { kind: 'hold-traffic', service, router, maxMs: 30_000, maxQueue: 500 },
  'release-traffic': { kind: 'release-traffic', service, router },
  'install-edge': {
    kind: 'install-edge',
    service,
    edge: {
      project: 'roma',
      service,
      image: 'haproxy:3.0',
      ports: [{ target: 80, published: '8080', hostIp: undefined, mode: 'http', proxyProtocol: false }],
      networks: [{ name: 'roma_default', aliases: [] }],
    },
    containers,
  },
  'redirect-ports': { kind: 'redirect-ports', service, ports },
  'open-ports': { kind: 'open-ports', service, ports },
  'close-ports': { kind: 'close-ports', service, ports },
  'end-redirect': { kind: 'end-redirect', service, ports },
  'end-takeover': { kind: 'end-takeover', service, timeoutMs: 30_000 },
  'remove-edge': { kind: 'remove-edge', service },
  'repair-edge': { kind: 'repair-edge', service, ports, timeoutMs: 30_000 },
  'freeze-data': { kind: 'freeze-data', ...freeze },
  'thaw-data': { kind: 'thaw-data', ...freeze },
  'save-data': { kind: 'save-data', ...backup, release, reason: 'before', consistency: 'pause', places },
  'keep-backup': { kind: 'keep-backup', ...backup },
  'restore-data': {
    kind: 'restore-data',
    ...backup,
    places,
    tool: 'sha256:1',
    safety: { backup: '20261124T031502Z-safety', folder: '/srv/backup/roma/two' },
  },
  'delete-backups': { kind: 'delete-backups', service, folders: ['/srv/backup/roma/zero'] },
  'await-ready': { kind: 'await-ready', service, release, timeoutMs: 60_000, except: containers, tolerate: 1 },
  verify: { kind: 'verify', service, release, checks: ['state', 'version'], candidate: true },
  watch: { kind: 'watch', service, release, durationMs: 300_000, between: false },
  'analyse-canary': {
    kind: 'analyse-canary',
    service,
    router,
    release,
    old: containers,
    percent: 10,
    durationMs: 60_000,
  },
  'accept-release': { kind: 'accept-release', service, release },
  'record-stop': { kind: 'record-stop', service, release, reason: 'maintenance of the database' },
  'record-start': { kind: 'record-start', service, release },
  'reject-release': { kind: 'reject-release', service, release, reason: 'it crashed' },
};
