import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { helperLabels } from '../../src/model/own-names.js';
import { killVariables, openDoor, openShell, wasKilled } from '../support/doors.js';
import { EDGE_IMAGE } from '../support/edge.js';
import { BASE_IMAGE, docker } from '../support/engine-containers.js';
import { changesBetween, takeInventory } from '../support/inventory.js';
import { makeOwnBase } from '../support/own-image.js';
import { carryOut } from '../support/procedure.js';
import { makeProject, type Project } from '../support/project.js';

/** Two services on a network of the file: there is no default network, and nothing may make one. */
const COMPOSE = `services:
  app:
    build: {context: ., args: {BASE_IMAGE: '\${BASE_IMAGE:-node:22-alpine}'}}
    ports: ['\${HOST_PORT:-0}:8080']
    networks: [front]
    depends_on: [edge]
    environment: {WHO: '\${WHO:-app}'}
    volumes: ['state:/data']
    healthcheck:
      test: ['CMD', 'wget', '-q', '-O', '/dev/null', 'http://127.0.0.1:8080/health']
      interval: 1s
      start_period: 1s
    restart: unless-stopped
    stop_grace_period: 1s
  edge:
    image: \${COMPOSE_PROJECT_NAME}-base:node
    pull_policy: never
    command: [sleep, infinity]
    init: true
    restart: unless-stopped
    networks: [front]
networks:
  front:
volumes:
  state:
x-rolling-restart:
  services:
    app: {shared-volumes: [state]}
`;

type Inputs = Readonly<Record<string, string>>;

interface Step {
  readonly is: string;
  readonly inputs: Inputs;
  readonly before?: (project: Project) => Promise<unknown>;
  readonly outcome: string;
  /** What it is meant to leave, and nothing else: `+` new, `-` gone, `~` another one. */
  readonly leaves: readonly string[];
}

const version =
  (number: string, chaos = '') =>
  (project: Project): Promise<string> =>
    project.commitRelease({ version: number, chaos });
const update = (inputs: Inputs = {}): Inputs => ({ procedure: 'code-update', ...inputs });

/** A release has an image under our own name; the checkout is at its commit. */
const RELEASE = [
  ...['+ image rolling-restart/P-app:R', '~ image P-app:latest'],
  ...['~ file live/app/release.json', '~ worktree live'],
];
const SAME = ['~ container P-app-N'];
const NEXT = ['+ container P-app-N', '- container P-app-N'];
const BACKUP = [
  ...['/SHA256SUMS', '/manifest.json', '/state.tar.gz'].map((name) => `+ file backups/P/app/R${name}`),
  '+ folder backups/P/app/R',
];

const PLAIN: readonly Step[] = [
  { is: 'a dry run', inputs: update({ 'dry-run': 'true' }), outcome: 'completed', leaves: [] },
  {
    is: 'the first code-update',
    inputs: update(),
    outcome: 'deployed',
    leaves: [
      ...['+ container P-app-N', '+ image P-app:latest', '+ image rolling-restart/P-app:R'],
      ...[
        '+ container rolling-restart.P.records',
        '+ volume rolling-restart.P.lock',
        '+ volume rolling-restart.P.records',
      ],
    ],
  },
  { is: 'code-update of nothing', inputs: update(), outcome: 'unchanged', leaves: [] },
  {
    is: 'code-update',
    inputs: update(),
    before: version('2.0.0'),
    outcome: 'deployed',
    leaves: [...RELEASE, ...SAME, '+ image P-app:previous'],
  },
  {
    is: 'code-update that is rolled back',
    inputs: update(),
    before: version('3.0.0', 'exit-at-once'),
    outcome: 'rolled-back',
    leaves: SAME,
  },
  {
    is: 'code-update that is refused',
    inputs: update({ strategy: 'rolling' }),
    before: version('3.1.0'),
    outcome: 'refused',
    leaves: [],
  },
  {
    is: 'config-change',
    inputs: { procedure: 'config-change' },
    before: (project) => project.setEnv({ WHO: 'other' }),
    outcome: 'deployed',
    leaves: [...SAME, '+ image rolling-restart/P-app:R', '~ file live/.env'],
  },
  { is: 'health-restart', inputs: { procedure: 'health-restart' }, outcome: 'deployed', leaves: SAME },
  {
    is: 'full-restart',
    inputs: { procedure: 'full-restart', service: '' },
    outcome: 'deployed',
    leaves: [
      ...[...SAME, '~ container P-edge-N', '~ network P_front', '+ image P-base:previous'],
      // What ran before the first run is a release as well.
      ...['+ image rolling-restart/P-edge:R', '+ image rolling-restart/P-edge:R', '+ image rolling-restart/P-app:R'],
    ],
  },
  {
    is: 'emergency',
    inputs: { procedure: 'emergency' },
    outcome: 'deployed',
    leaves: [...SAME, '+ file state/incidents.log'],
  },
  {
    is: 'backup',
    inputs: { procedure: 'backup' },
    outcome: 'completed',
    leaves: [...BACKUP, '+ folder backups', '+ folder backups/P', '+ folder backups/P/app'],
  },
  {
    is: 'backup that fails',
    inputs: { procedure: 'backup', 'backup-consistency': 'quiesce', 'quiesce-command': 'exit 1' },
    outcome: 'failed',
    leaves: [],
  },
  {
    is: 'restore',
    inputs: { procedure: 'restore', backup: 'latest' },
    outcome: 'deployed',
    // The same container, started again, and the data of before as a backup.
    leaves: [...SAME, ...BACKUP],
  },
  { is: 'stop', inputs: { procedure: 'stop' }, outcome: 'completed', leaves: SAME },
  { is: 'start', inputs: { procedure: 'start' }, outcome: 'deployed', leaves: SAME },
  { is: 'rollback', inputs: { procedure: 'rollback', 'rollback-to': 'previous' }, outcome: 'deployed', leaves: SAME },
  {
    is: 'maintenance',
    // Of what is built it would fetch the base image from a registry.
    inputs: { procedure: 'maintenance', phase: 'perform', service: 'edge' },
    outcome: 'deployed',
    leaves: [
      '~ container P-edge-N',
      '+ image rolling-restart/P-edge:R',
      '~ file live/app/release.json',
      '~ worktree live',
    ],
  },
  { is: 'check', inputs: { procedure: 'check' }, outcome: 'completed', leaves: [] },
];

const EDGE: readonly Step[] = [
  {
    is: 'code-update that installs the edge',
    inputs: update({ router: 'edge' }),
    before: version('5.0.0'),
    outcome: 'deployed',
    leaves: [
      ...[...RELEASE, ...NEXT],
      ...['+ container rolling-restart-edge-P-app-edge-N', '+ volume rolling-restart-edge-P-app_configuration'],
    ],
  },
  ...(['rolling', 'blue-green', 'canary', 'recreate', 'hold'] as const).map((strategy, index) => ({
    is: `code-update by ${strategy} behind the edge`,
    inputs: update({
      strategy,
      ...(strategy === 'canary' ? { 'canary-steps': '50', 'canary-pause': '1s', 'on-inconclusive': 'continue' } : {}),
    }),
    before: version(`6.${index}.0`),
    outcome: 'deployed',
    leaves: [...RELEASE, ...NEXT],
  })),
  {
    is: 'code-update that is rolled back behind the edge',
    inputs: update({ strategy: 'blue-green' }),
    before: version('7.0.0', 'exit-at-once'),
    outcome: 'rolled-back',
    leaves: [],
  },
  {
    is: 'rollback behind the edge',
    inputs: { procedure: 'rollback', 'rollback-to': 'previous' },
    outcome: 'deployed',
    leaves: [...NEXT, '~ file live/app/release.json', '~ image P-app:latest', '~ worktree live'],
  },
  { is: 'health-restart behind the edge', inputs: { procedure: 'health-restart' }, outcome: 'deployed', leaves: NEXT },
];

const EJECT: Step = {
  is: 'eject',
  inputs: { procedure: 'eject' },
  outcome: 'deployed',
  leaves: [
    ...NEXT,
    ...['- container rolling-restart-edge-P-app-edge-N', '- volume rolling-restart-edge-P-app_configuration'],
  ],
};

/** One project; each step goes on from where the one before left it. */
describe('what procedures leave', () => {
  let project: Project;
  let last: Awaited<ReturnType<typeof takeInventory>> = [];

  beforeAll(async () => {
    project = await makeProject({ fixture: 'plain', files: { 'compose.yaml': COMPOSE } });
    await makeOwnBase(`${project.name}-base:node`);
    await project.compose(['up', '-d', 'edge']);
  });
  afterAll(() => project.cleanup());

  const look = async (): Promise<void> => {
    last = await takeInventory(project);
  };
  const changes = async (): Promise<readonly string[]> => {
    const lines = changesBetween(last, await takeInventory(project)).map((line) => plain(line, project));
    // The lock is another volume each time, and there is one of them.
    const locks = lines.filter((line) => line.endsWith('volume rolling-restart.P.lock'));
    const isLock = (line: string): boolean => locks.length === 2 && locks.includes(line);
    // What ran before the last change has another name after each.
    return lines.filter((line) => !isLock(line) && line !== '~ image P-app:previous').sort();
  };
  const common = (): Inputs => ({
    ...{ service: 'app', 'drain-timeout': '1s', 'edge-image': EDGE_IMAGE, 'keep-releases': '50' },
    'backup-dir': join(project.root, 'backups'),
  });
  const step = async ({ inputs, before, outcome, leaves }: Step): Promise<void> => {
    await look();
    await before?.(project);
    const { report, log } = await carryOut(project, { ...common(), ...inputs });
    expect(report.outcome, log).toBe(outcome);
    expect(await changes(), log).toEqual([...leaves].sort());
  };
  const recover = async (): Promise<string> => {
    const door = openShell(project, 'recover');
    expect(await door.ended, door.output()).toBe(0);
    return door.output();
  };
  /** @param when the time of its death: a journal record, or what is seen from outside */
  const kill = async (inputs: Inputs, when: string | (() => Promise<boolean>)): Promise<void> => {
    const variables = typeof when === 'string' ? killVariables(when) : {};
    const door = openDoor(project, 'main', { ...common(), ...inputs }, {}, variables);
    if (typeof when === 'string') {
      expect(await wasKilled(door), door.output()).toBe(true);
      return;
    }
    await expect.poll(when, { timeout: 60_000, interval: 5 }).toBe(true);
    await door.kill();
  };
  const helpers = (): Promise<string> =>
    docker('ps', '-aq', ...['rolling-restart.helper', `rolling-restart.project=${project.name}`].flatMap(byLabel));

  describe('without an edge', () => {
    it.each(PLAIN)('$is', step);

    it('a dry run that is killed with its worktree: the next run takes it away', async () => {
      await version('4.1.0')(project);
      await look();
      const worktrees = join(project.root, 'state', 'worktrees');
      await kill(update({ 'dry-run': 'true' }), async () => (await readdir(worktrees).catch(() => [])).length > 0);
      await recover();
      expect(await changes()).toEqual([]);
    });

    it('code-update that is killed while it replaces, then recovered', async () => {
      await look();
      await kill(update(), 'after:begin:replace-containers');
      expect(await recover()).toContain('was never verified');
      expect((await changes()).filter((line) => line !== SAME[0])).toEqual([]);
    });

    it('backup that is killed while it reads, then recovered: no half backup, no helper', async () => {
      await docker('exec', await project.containerId('app'), 'sh', '-c', 'head -c 90000000 /dev/urandom > /data/noise');
      await look();
      await kill({ procedure: 'backup' }, async () => (await helpers()) !== '');
      await recover();
      expect(await changes()).toEqual([]);
    });
  });

  describe('with an edge', () => {
    it('a take-over that is killed, then recovered', async () => {
      await look();
      await kill(update({ router: 'edge' }), 'after:begin:start-beside');
      await recover();
      expect(await changes()).toEqual([]);
    });

    it.each(EDGE)('$is', step);

    it('names of the project lead to the services of the project', async () => {
      const format = '{{json .NetworkSettings.Networks}}';
      const edge = await docker('inspect', '--format', format, `rolling-restart-edge-${project.name}-app-edge-1`);
      const networks = Object.values(JSON.parse(edge) as Record<string, { Aliases: string[]; DNSNames: string[] }>);
      const names = networks.flatMap(({ Aliases, DNSNames }) => [...Aliases, ...DNSNames]);
      const shared = names.filter((name) => !/^(?:[0-9a-f]{12}$|rolling-restart-edge-)/.test(name));
      expect([...new Set(shared)]).toEqual(['app']);
      const asked = await docker('exec', await project.containerId('app'), 'node', '-e', RESOLVE);
      const own = JSON.parse(await docker('inspect', '--format', format, await project.containerId('edge'))) as Record<
        string,
        { IPAddress: string }
      >;
      expect(asked).toBe(Object.values(own)[0]?.IPAddress);
    });

    it('code-update that is killed beside the old container, then recovered', async () => {
      await version('8.0.0')(project);
      await look();
      await kill(update({ strategy: 'blue-green' }), 'after:begin:shift-traffic');
      await recover();
      expect(await changes()).toEqual([]);
    });

    it('eject', () => step(EJECT));
  });

  it('a helper whose time is over goes with the next run, one that is needed stays; uninstall leaves neither', async () => {
    await look();
    const make = (lifeMs: number): Promise<string> => {
      const labels = Object.entries(
        helperLabels({ work: 'render', project: project.name, lifeMs }, 'a-run', Date.now()),
      );
      return docker(
        'create',
        ...labels.flatMap(([name, value]) => ['--label', `${name}=${value}`]),
        BASE_IMAGE,
        'true',
      );
    };
    await make(-1);
    await recover();
    expect(await helpers()).toBe('');
    await make(600_000);
    await recover();
    expect(await helpers()).not.toBe('');
    const door = openShell(project, 'uninstall', { yes: 'true' });
    expect(await door.ended, door.output()).toBe(0);
    const gone = (await changes()).filter((line) => !line.startsWith('- image rolling-restart/P-'));
    expect(gone).toEqual(
      [
        ...['- container rolling-restart.P.records', '- volume rolling-restart.P.lock'],
        ...['- volume rolling-restart.P.records', '- image P-app:previous', '- image P-base:previous'],
      ].sort(),
    );
  });
});

/** The address that a name has for a container. */
const RESOLVE =
  "require('dns').resolve4('edge', (error, all) => process.stdout.write(error ? String(error) : all.join(' ')))";

const byLabel = (label: string): readonly string[] => ['--filter', `label=${label}`];

/** @returns a line without details, and without what is another one each time */
function plain(line: string, { name }: Project): string {
  return line
    .replace(/^(. .*?): .*$/, '$1')
    .replaceAll(name, 'P')
    .replace(/(container \S+)-\d+$/, '$1-N')
    .replace(/\d{8}[tT]\d{6}[zZ]-[0-9a-f]{6}/, 'R')
    .replace(/\.lock\.g\d+$/, '.lock');
}
