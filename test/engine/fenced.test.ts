import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createClock } from '../../src/host/clock.js';
import { createLocks } from '../../src/ledger/locks.js';
import { createRecords } from '../../src/ledger/records.js';
import type { HeldLock } from '../../src/model/ports/ledger.js';
import type { Run } from '../../src/run/run.js';
import { openShell } from '../support/doors.js';
import { testEngine } from '../support/engine-containers.js';
import { deploy } from '../support/live.js';
import { openJournal } from '../support/ledger-samples.js';
import { lockRequest } from '../support/lock-requests.js';
import { carryOut } from '../support/procedure.js';
import { makeProject, type Project } from '../support/project.js';
import { served } from '../support/served.js';

const COMPOSE = served({ more: '    volumes:\n      - state:/data\nvolumes:\n  state:\n' });

/** Calls that change something on the engine. */
const EFFECTS = {
  engine: [
    ...['startContainer', 'stopContainer', 'restartContainer', 'killContainer', 'removeContainer', 'createBeside'],
    ...['renameContainer', 'nameOnNetworks', 'setRestartPolicy', 'tagImage', 'untagImage', 'removeNetworks'],
  ],
  compose: ['up', 'create', 'build', 'pull', 'push', 'makeTemplate'],
  data: ['pause', 'unpause', 'open', 'empty'],
} as const;

interface Fenced {
  readonly is: string;
  readonly inputs: Readonly<Record<string, string>>;
  /** The effect in which the run loses its lock: it is carried out, and no other one after it. */
  readonly during: string;
  readonly before?: (project: Project) => Promise<unknown>;
}

const TABLE: readonly Fenced[] = [
  { is: 'health-restart in place', inputs: { procedure: 'health-restart' }, during: 'restartContainer' },
  { is: 'emergency', inputs: { procedure: 'emergency' }, during: 'killContainer' },
  { is: 'backup', inputs: { procedure: 'backup' }, during: 'pause' },
  { is: 'stop', inputs: { procedure: 'stop' }, during: 'stopContainer' },
  {
    is: 'code-update',
    inputs: { procedure: 'code-update' },
    during: 'up',
    before: (project) => project.commitRelease({ version: '2.0.0' }),
  },
];

describe('a run that loses its lock', () => {
  let project: Project;
  let other: HeldLock | undefined;

  beforeAll(async () => {
    project = await makeProject({ fixture: 'plain', files: { 'compose.yaml': COMPOSE } });
    await deploy(project, 'app');
  });
  afterEach(async () => {
    // As when the run that has the lock now is killed: the next one recovers both.
    await other?.leave();
    other = undefined;
    const recovered = openShell(project, 'recover');
    expect(await recovered.ended, recovered.output()).toBe(0);
    await carryOut(project, { procedure: 'start', service: 'app' });
    await project.waitUntilHealthy('app');
  });
  afterAll(() => project.cleanup());

  it.each(TABLE)('$is: it is cancelled, has no effect any more, and its journal stays open', async (fenced) => {
    await fenced.before?.(project);
    const { records: api } = await testEngine();
    const records = createRecords(api, project.name);
    const locks = createLocks({ api, project: project.name, records, clock: createClock() });
    const after: string[] = [];
    const watched = <T extends object>(part: T, names: readonly string[]): T =>
      new Proxy(part, {
        get: (target, name) => {
          const value: unknown = Reflect.get(target, name);
          if (typeof value !== 'function' || !names.includes(String(name))) return value;
          return async (...args: unknown[]): Promise<unknown> => {
            const lost = other !== undefined;
            if (lost) after.push(String(name));
            if (!lost && name === fenced.during) {
              other = await locks.acquire(lockRequest('urgent', { procedure: 'emergency', interrupt: true }));
            }
            return Reflect.apply(value, target, args) as unknown;
          };
        },
      });
    const host = (run: Run): Run => ({
      ...run,
      engine: watched(run.engine, EFFECTS.engine),
      compose: watched(run.compose, EFFECTS.compose),
      data: watched(run.data, EFFECTS.data),
    });
    const inputs = { service: 'app', 'backup-dir': `${project.root}/backups`, watch: '1s', ...fenced.inputs };
    const { report, log } = await carryOut(project, inputs, { host });
    expect(other, log).toBeDefined();
    expect([report.outcome, report.error?.code], log).toEqual(['cancelled', 'E_FENCED']);
    expect(after, log).toEqual([]);
    const run = report.invocation.runId;
    expect(other?.abandoned).toEqual([run]);
    const onBroken = (error: Error): void => expect(error).toBeUndefined();
    const journal = await openJournal({ records, project: project.name, onBroken }).read(run);
    expect(journal?.outcome, log).toBeUndefined();
  });
});
