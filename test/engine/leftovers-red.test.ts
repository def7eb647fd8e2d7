import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { STRATEGY_NAMES, type StrategyName } from '../../src/model/plan.js';
import { ALL_PROCEDURES } from '../../src/procedures/index.js';
import {
  makeLeftovers,
  rowsOf,
  SAME,
  update,
  version,
  type Inputs,
  type Leftovers,
  type Step,
} from '../support/leftovers.js';
import type { Project } from '../support/project.js';

/** Puts the project back for the next step. */
type After = (project: Project, all: Leftovers) => Promise<unknown>;

interface Failing extends Step {
  readonly after?: After;
}

/** A step that is killed at a journal record. What its recovery leaves is compared. */
interface Killed extends Omit<Step, 'is' | 'outcome'> {
  readonly at: string;
  readonly prepared?: (all: Leftovers) => Promise<unknown>;
  readonly after?: After;
}

const FLAG = join(tmpdir(), `rr-leftovers-${process.pid}`);
/** Fails for the new state alone: what comes back passes. */
const FAILS_ONCE = { 'smoke-test': `if [ -e ${FLAG} ]; then exit 0; fi; touch ${FLAG}; exit 1` };
const INCIDENT = '+ file state/incidents.log';
const SAFETY = ['/SHA256SUMS', '/manifest.json', '/state.tar.gz', ''].map(
  (name) => `+ ${name === '' ? 'folder' : 'file'} backups/P/app/R${name}`,
);
const ALL_ANEW = [...SAME, '~ container P-edge-N', '~ network P_front'];
const STOPS_FIRST: ReadonlySet<StrategyName> = new Set(['recreate', 'hold']);
const CANARY = { 'canary-steps': '50', 'canary-pause': '1s', 'on-inconclusive': 'continue' };

const who =
  (name: string) =>
  (project: Project): Promise<void> =>
    project.setEnv({ WHO: name });
const bad = version('9.0.0', 'exit-at-once');
const stopped = (project: Project): Promise<unknown> => project.compose(['stop', 'app']);
const start: After = (_, all) => all.prepare({ procedure: 'start' });
const behind = (strategy: string): Inputs => update({ strategy, ...(strategy === 'canary' ? CANARY : {}) });

const FAILING: readonly Failing[] = [
  { is: 'code-update', inputs: update(), before: bad, outcome: 'rolled-back', leaves: SAME },
  {
    is: 'config-change',
    inputs: { procedure: 'config-change', ...FAILS_ONCE },
    before: who('bad'),
    outcome: 'rolled-back',
    leaves: [...SAME, '~ file live/.env'],
    after: who('app'),
  },
  {
    is: 'health-restart',
    inputs: { procedure: 'health-restart', ...FAILS_ONCE },
    outcome: 'failed',
    leaves: SAME,
  },
  {
    is: 'full-restart',
    inputs: { procedure: 'full-restart', service: '', ...FAILS_ONCE },
    outcome: 'rolled-back',
    // What others depend on fails first; the rest is made anew, and that is another release of it.
    leaves: [...ALL_ANEW, '+ image rolling-restart/P-app:R'],
  },
  {
    is: 'emergency',
    inputs: { procedure: 'emergency', ...FAILS_ONCE },
    outcome: 'failed',
    leaves: [...SAME, INCIDENT],
  },
  {
    is: 'backup',
    inputs: { procedure: 'backup', 'backup-consistency': 'quiesce', 'quiesce-command': 'exit 1' },
    outcome: 'failed',
    leaves: [],
  },
  {
    is: 'restore',
    inputs: { procedure: 'restore', backup: 'latest', ...FAILS_ONCE },
    outcome: 'rolled-back',
    leaves: [...SAME, ...SAFETY],
  },
  {
    is: 'stop',
    inputs: {
      procedure: 'stop',
      backup: 'before',
      'backup-consistency': 'quiesce',
      'quiesce-command': 'exit 1',
    },
    outcome: 'failed',
    leaves: [],
  },
  {
    is: 'start',
    inputs: { procedure: 'start', ...FAILS_ONCE },
    before: stopped,
    outcome: 'failed',
    leaves: SAME,
    after: start,
  },
  {
    is: 'rollback',
    inputs: { procedure: 'rollback', 'rollback-to': 'previous', ...FAILS_ONCE },
    outcome: 'rolled-back',
    leaves: SAME,
  },
  {
    is: 'maintenance',
    inputs: { procedure: 'maintenance', phase: 'perform', service: 'edge', ...FAILS_ONCE },
    outcome: 'rolled-back',
    leaves: ['~ container P-edge-N'],
  },
];

const KILLED: readonly Killed[] = [
  { inputs: update(), before: version('9.1.0'), at: 'after:begin:build-image', leaves: [] },
  { inputs: update(), at: 'after:begin:tag-image', leaves: [] },
  { inputs: update(), at: 'before:end:replace-containers', leaves: SAME },
  { inputs: update(), at: 'after:begin:verify', leaves: SAME },
  {
    inputs: { procedure: 'config-change' },
    before: who('killed'),
    at: 'before:end:replace-containers',
    leaves: [...SAME, '~ file live/.env'],
    after: who('app'),
  },
  { inputs: { procedure: 'health-restart' }, at: 'before:end:restart-containers', leaves: SAME },
  { inputs: { procedure: 'full-restart', service: '' }, at: 'before:end:remove-networks', leaves: ALL_ANEW },
  { inputs: { procedure: 'emergency' }, at: 'before:end:remove-containers', leaves: SAME },
  { inputs: { procedure: 'backup' }, at: 'after:begin:save-data', leaves: [] },
  { inputs: { procedure: 'restore', backup: 'latest' }, at: 'after:begin:restore-data', leaves: [...SAME, ...SAFETY] },
  {
    // The release before was left by a rollback.
    prepared: (all) => all.prepare(update(), version('9.1.1')),
    inputs: { procedure: 'rollback', 'rollback-to': 'previous' },
    at: 'before:end:replace-containers',
    leaves: SAME,
  },
  {
    inputs: { procedure: 'maintenance', phase: 'perform', service: 'edge' },
    at: 'before:end:replace-containers',
    leaves: ['~ container P-edge-N'],
  },
  { inputs: { procedure: 'stop' }, at: 'before:end:stop-containers', leaves: SAME, after: start },
  { inputs: { procedure: 'start' }, before: stopped, at: 'before:end:start-containers', leaves: SAME },
];

const FAILING_BEHIND: readonly Failing[] = [
  ...STRATEGY_NAMES.map((strategy) => ({
    is: `code-update by ${strategy}`,
    inputs: behind(strategy),
    before: version(`9.4.${strategy}`, 'exit-at-once'),
    outcome: 'rolled-back',
    // What was stopped for the new one is started again.
    leaves: STOPS_FIRST.has(strategy) ? SAME : [],
  })),
  {
    is: 'eject',
    inputs: { procedure: 'eject', ...FAILS_ONCE },
    outcome: 'rolled-back',
    leaves: ['~ container rolling-restart-edge-P-app-edge-N'],
  },
];

const KILLED_BEHIND: readonly Killed[] = [
  ...STRATEGY_NAMES.map((strategy) => ({
    inputs: behind(strategy),
    before: version(`9.3.${strategy}`),
    at: 'after:begin:await-ready',
    leaves: STOPS_FIRST.has(strategy) ? SAME : [],
  })),
  { inputs: behind('blue-green'), at: 'after:begin:shift-traffic', leaves: [] },
  { inputs: { procedure: 'eject' }, at: 'after:begin:close-ports', leaves: [] },
];

/** Look, and change nothing: there is nothing that could fail half-way. */
const LOOKING = Object.values(ALL_PROCEDURES).filter(({ perform }) => perform === undefined);

describe('what procedures leave that fail or are killed', () => {
  let all: Leftovers;

  beforeAll(async () => {
    all = await makeLeftovers();
    const deploy = (inputs: Inputs, before?: Step['before']): Promise<void> => all.prepare(inputs, before);
    await deploy(update());
    await deploy(update(), version('2.0.0'));
    await deploy({ procedure: 'maintenance', phase: 'perform', service: 'edge' });
    await deploy({ procedure: 'backup' });
  });
  afterAll(async () => {
    rmSync(FLAG, { force: true });
    await all.project.cleanup();
  });

  const failing = async ({ after, ...step }: Failing): Promise<void> => {
    rmSync(FLAG, { force: true });
    try {
      await all.step(step);
    } finally {
      await after?.(all.project, all);
    }
  };
  const killed = async ({ prepared, inputs, before, at, leaves, after }: Killed): Promise<void> => {
    await prepared?.(all);
    await all.look();
    await before?.(all.project);
    try {
      await all.kill(inputs, at);
      const said = await all.type('recover');
      expect(await all.changes(), said).toEqual([...leaves].sort());
    } finally {
      await after?.(all.project, all);
    }
  };

  it('has a row for every procedure and strategy', () => {
    const changing = Object.keys(ALL_PROCEDURES).filter((name) => !LOOKING.some((one) => one.name === name));
    const strategies = [...STRATEGY_NAMES].sort();
    expect(rowsOf([...FAILING, ...FAILING_BEHIND], 'procedure')).toEqual(changing.sort());
    expect(rowsOf([...KILLED, ...KILLED_BEHIND], 'procedure')).toEqual(changing.sort());
    expect(rowsOf(FAILING_BEHIND, 'strategy')).toEqual(strategies);
    expect(rowsOf(KILLED_BEHIND, 'strategy')).toEqual(strategies);
  });

  describe('without an edge', () => {
    it.each(FAILING)('$is that fails', failing);
    it.each(KILLED)('$inputs.procedure that is killed $at, then recovered', killed);
  });

  describe('behind the edge', () => {
    beforeAll(() => all.prepare(update({ router: 'edge' }), version('9.2.0')));

    it.each(FAILING_BEHIND)('$is that fails', failing);
    it.each(KILLED_BEHIND)('$inputs.procedure $inputs.strategy that is killed $at, then recovered', killed);
  });
});
