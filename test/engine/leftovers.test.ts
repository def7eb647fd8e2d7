import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { helperLabels } from '../../src/model/own-names.js';
import { STRATEGY_NAMES } from '../../src/model/plan.js';
import { SHELL_COMMANDS } from '../../src/model/shell-command.js';
import { ALL_PROCEDURES } from '../../src/procedures/index.js';
import { BASE_IMAGE, docker } from '../support/engine-containers.js';
import {
  BACKUP,
  makeLeftovers,
  NEXT,
  RELEASE,
  rowsOf,
  SAME,
  update,
  version,
  type Leftovers,
  type Step,
} from '../support/leftovers.js';
import type { Project } from '../support/project.js';

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
  ...['check', 'plan', 'slo-report'].map((procedure) => ({
    is: procedure,
    inputs: { procedure },
    outcome: 'completed',
    leaves: [],
  })),
  // Of what is built, `precheck` would fetch the base image from a registry; nothing was performed that could be completed.
  ...['announce', 'precheck', 'verify', 'complete'].map((phase) => ({
    is: `maintenance, ${phase}`,
    inputs: { procedure: 'maintenance', phase, service: 'edge' },
    outcome: phase === 'complete' ? 'refused' : 'completed',
    leaves: [],
  })),
];

const RELEASED = ['app', 'edge'].map((service) => `+ image rolling-restart/P-${service}:R`);

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
  ...STRATEGY_NAMES.map((strategy, index) => ({
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
    is: 'rollback behind the edge',
    inputs: { procedure: 'rollback', 'rollback-to': 'previous' },
    outcome: 'deployed',
    leaves: [...NEXT, '~ file live/app/release.json', '~ image P-app:latest', '~ worktree live'],
  },
  { is: 'health-restart behind the edge', inputs: { procedure: 'health-restart' }, outcome: 'deployed', leaves: NEXT },
  {
    is: 'emergency behind the edge',
    inputs: { procedure: 'emergency' },
    outcome: 'deployed',
    leaves: [...NEXT, '~ file state/incidents.log'],
  },
  {
    is: 'full-restart behind the edge',
    inputs: { procedure: 'full-restart', service: '' },
    outcome: 'deployed',
    // The network stays, because the edge is on it.
    leaves: [...RELEASED, ...SAME, '~ container P-edge-N'],
  },
  { is: 'stop behind the edge', inputs: { procedure: 'stop' }, outcome: 'completed', leaves: SAME },
  { is: 'start behind the edge', inputs: { procedure: 'start' }, outcome: 'deployed', leaves: SAME },
  {
    is: 'restore behind the edge',
    inputs: { procedure: 'restore', backup: 'latest' },
    outcome: 'deployed',
    leaves: [...SAME, ...BACKUP],
  },
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

/** Commands of the shell that find nothing to do here; the others have tests of their own below. */
const QUIET = ['status', 'history', 'cancel', 'unlock'] as const;

/** One project; each step goes on from where the one before left it. */
describe('what procedures leave', () => {
  let all: Leftovers;
  let project: Project;

  beforeAll(async () => {
    all = await makeLeftovers();
    ({ project } = all);
  });
  afterAll(() => project.cleanup());

  it('has a row for every procedure, strategy and command', () => {
    expect(rowsOf([...PLAIN, ...EDGE, EJECT], 'procedure')).toEqual(Object.keys(ALL_PROCEDURES).sort());
    expect(rowsOf(EDGE, 'strategy')).toEqual([...STRATEGY_NAMES].sort());
    expect([...QUIET, 'recover', 'uninstall'].sort()).toEqual([...SHELL_COMMANDS].sort());
  });

  describe('without an edge', () => {
    it.each(PLAIN)('$is', (step) => all.step(step));

    it.each(QUIET)('%s', async (command) => {
      await all.look();
      await all.type(command);
      expect(await all.changes()).toEqual([]);
    });

    it('a dry run that is killed with its worktree: the next run takes it away', async () => {
      await version('4.1.0')(project);
      await all.look();
      const worktrees = join(project.root, 'state', 'worktrees');
      await all.kill(update({ 'dry-run': 'true' }), async () => (await readdir(worktrees).catch(() => [])).length > 0);
      await all.type('recover');
      expect(await all.changes()).toEqual([]);
    });

    it('backup that is killed while it reads, then recovered: no half backup, no helper', async () => {
      await docker('exec', await project.containerId('app'), 'sh', '-c', 'head -c 90000000 /dev/urandom > /data/noise');
      await all.look();
      await all.kill({ procedure: 'backup' }, async () => (await all.helpers()) !== '');
      await all.type('recover');
      expect(await all.changes()).toEqual([]);
    });
  });

  describe('with an edge', () => {
    it('a take-over that is killed, then recovered', async () => {
      await all.look();
      await all.kill(update({ router: 'edge' }), 'after:begin:start-beside');
      await all.type('recover');
      expect(await all.changes()).toEqual([]);
    });

    it.each(EDGE)('$is', (step) => all.step(step));

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

    it('eject', () => all.step(EJECT));
  });

  it('a helper whose time is over goes with the next run, one that is needed stays; uninstall leaves neither', async () => {
    await all.look();
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
    await all.type('recover');
    expect(await all.helpers()).toBe('');
    await make(600_000);
    await all.type('recover');
    expect(await all.helpers()).not.toBe('');
    await all.type('uninstall', { yes: 'true' });
    const gone = (await all.changes()).filter((line) => !line.startsWith('- image rolling-restart/P-'));
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
