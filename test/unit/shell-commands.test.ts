import { describe, expect, it } from 'vitest';
import { readCommandLine } from '../../src/action/command-line.js';
import { readShellOptions } from '../../src/action/shell-options.js';
import { INPUTS } from '../../src/action/input-table.js';
import { driftOf, type DriftContainer, type DriftFacts } from '../../src/model/drift.js';
import { changesOf } from '../../src/model/history.js';
import { keptImageTag, type Release, type ReleaseEvent } from '../../src/model/release.js';
import { PROJECT_INPUTS, SHELL_COMMAND_TABLE, SHELL_COMMANDS, SHELL_OPTIONS } from '../../src/model/shell-command.js';
import type { SloRecord } from '../../src/model/slo-record.js';
import { withoutDefinition } from '../../src/model/ports/ledger.js';
import { ALL_PROCEDURES } from '../../src/procedures/index.js';
import { renderShellResult } from '../../src/report/shell-text.js';
import { sampleRelease } from '../support/ledger-samples.js';

const typed = (...words: readonly string[]): ReturnType<typeof readCommandLine> =>
  readCommandLine(['node', 'rolling-restart', ...words], ALL_PROCEDURES);

describe('the command line', () => {
  it('reads a shell command with inputs of the action and options of its own', () => {
    const { inputs, command, json } = typed('history', '--service', 'roma', '--limit', '3', '--json');
    expect(Object.fromEntries(inputs)).toEqual({ procedure: 'check', service: 'roma' });
    expect(command).toEqual({ name: 'history', given: new Map([['limit', '3']]) });
    expect(json).toBe(true);
  });

  it('reads a procedure as before', () => {
    const { inputs, command } = typed('code-update', '--service', 'roma', '--force');
    expect(Object.fromEntries(inputs)).toEqual({ procedure: 'code-update', service: 'roma', force: 'true' });
    expect(command).toBeUndefined();
  });

  it('names inputs that exist, and options that no input has', () => {
    const inputs = INPUTS.map(({ name }) => name as string);
    const asked = SHELL_COMMANDS.flatMap((name) => SHELL_COMMAND_TABLE[name].inputs);
    expect([...PROJECT_INPUTS, ...asked].filter((name) => !inputs.includes(name))).toEqual([]);
    expect(SHELL_OPTIONS.filter(({ name }) => inputs.includes(name))).toEqual([]);
  });

  it('has defaults, and says what is wrong with a value', () => {
    expect(readShellOptions(new Map())).toEqual({ limit: 20, waitMs: 120_000, yes: false });
    expect(readShellOptions(new Map([['yes', 'true']]))).toMatchObject({ yes: true });
    for (const [name, value] of Object.entries({ limit: '0', wait: 'soon', yes: 'perhaps' })) {
      expect(() => readShellOptions(new Map([[name, value]]))).toThrow(new RegExp(`--${name}: .*"${value}"`));
    }
  });
});

const live: Release = withoutDefinition(sampleRelease('20261124T031502Z-aaaaaa'));
const other: Release = {
  ...live,
  id: '20261123T031502Z-bbbbbb',
  image: { ...live.image, fingerprint: 'sha256:old', keptAs: keptImageTag('roma', 'roma', '20261123T031502Z-bbbbbb') },
};

const container: DriftContainer = {
  name: 'roma-1',
  state: 'running',
  exitCode: 0,
  finishedAt: '0001-01-01T00:00:00Z',
  health: 'none',
  healthCheck: undefined,
  restartPolicy: 'unless-stopped',
  composeHash: live.composeHash,
  environment: ['PATH=/bin', 'LEVEL=info', 'PRICE=5$'],
  fingerprint: live.image.fingerprint,
};

const asDeployed: DriftFacts = {
  service: 'roma',
  live,
  definition: {
    restart: 'unless-stopped',
    containerName: undefined,
    environment: { LEVEL: 'info', PRICE: '5$$', UNSET: null },
  },
  containers: [container],
  stopped: false,
  lifetime: 'stays',
  rest: undefined,
  filesHash: live.composeHash,
  named: live.image.fingerprint,
  known: [other, live],
};

describe('drift', () => {
  const drifted = (change: Partial<DriftContainer>): DriftFacts => ({
    ...asDeployed,
    containers: [{ ...container, ...change }],
  });

  it('is nothing when everything is as it was deployed', () => {
    expect(driftOf(asDeployed)).toEqual([]);
    expect(driftOf({ ...asDeployed, live: undefined, containers: [] })).toEqual([]);
    expect(driftOf({ ...asDeployed, stopped: true, containers: [{ ...container, state: 'exited' }] })).toEqual([]);
    expect(driftOf({ ...drifted({ state: 'exited' }), lifetime: 'ends' })).toEqual([]);
    expect(driftOf({ ...asDeployed, containers: [], lifetime: 'ends', rest: 'completed' })).toEqual([]);
    expect(driftOf({ ...asDeployed, containers: [], rest: 'none-wanted' })).toEqual([]);
  });

  it.each<[string, DriftFacts, string, RegExp]>([
    ['never deployed', { ...asDeployed, live: undefined }, 'unrecorded', /never deployed from here/],
    ['removed', { ...asDeployed, containers: [] }, 'nothing-runs', /no container, and release 2026/],
    ['started again', { ...asDeployed, stopped: true }, 'started', /stopped on purpose, and roma-1 runs/],
    ['stopped by hand', drifted({ state: 'exited', exitCode: 137 }), 'state', /exited with exit code 137/],
    ['a job only created', { ...drifted({ state: 'created' }), lifetime: 'ends' }, 'state', /roma-1 is created/],
    ['paused', drifted({ state: 'paused' }), 'state', /roma-1 is paused/],
    ['scaled', { ...asDeployed, containers: [container, container] }, 'count', /2 containers, and was deployed with 1/],
    [
      'another release',
      drifted({ fingerprint: 'sha256:old' }),
      'image',
      /the image of release 20261123T031502Z-bbbbbb, not that of release 20261124T031502Z-aaaaaa/,
    ],
    ['another image', drifted({ fingerprint: 'sha256:x' }), 'image', /an image that no release has/],
    [
      'a variable',
      drifted({ composeHash: 'x', environment: ['LEVEL=debug', 'PRICE=5$'] }),
      'configuration',
      /another configuration than release .*: environment LEVEL$/,
    ],
    ['docker update', drifted({ restartPolicy: '' }), 'restart-policy', /restart policy no, not unless-stopped/],
    [
      'docker rename',
      { ...asDeployed, definition: { restart: undefined, containerName: 'roma-builder', environment: {} } },
      'name',
      /roma-1 is to be called roma-builder/,
    ],
    ['an edited file', { ...asDeployed, filesHash: 'x' }, 'files', /compose files on the host say something else/],
    ['a moved tag', { ...asDeployed, named: 'sha256:x' }, 'image-name', /roma-builder:latest names another image/],
  ])('sees %s', (_what, facts, kind, text) => {
    expect(driftOf(facts)).toEqual([{ kind, text: expect.stringMatching(text) as string }]);
  });
});

describe('history', () => {
  const event = (at: string, kind: ReleaseEvent['kind'], release: string, run: string, reason = ''): ReleaseEvent => ({
    at,
    kind,
    service: 'roma',
    release,
    reason,
    run,
    restartMs: undefined,
  });
  const row = (at: string, run: string, outcome: SloRecord['outcome']): SloRecord => ({
    at,
    run,
    outcome,
    by: 'octocat via push',
    procedure: 'code-update',
    service: 'roma',
    release: live.id,
    timeMs: 12_000,
    targetTimeMs: 600_000,
    downtimeMs: 0,
    targetDowntimeMs: 30_000,
    restartMs: 900,
    healthyMs: 800,
    memoryBytes: undefined,
    errorLines: undefined,
    logLines: undefined,
  });

  it('is each run once, with what the ledger notes besides, newest first', () => {
    const adopted: Release = { ...other, origin: 'adopted', by: 'tester at shell' };
    const changes = changesOf(
      'roma',
      {
        releases: [adopted, live],
        events: [
          event('2026-11-24T01:00:00Z', 'live', adopted.id, 'run-1', 'found running and taken into the ledger'),
          event('2026-11-24T02:00:01Z', 'live', live.id, 'run-2', 'verified'),
          event('2026-11-24T03:00:01Z', 'bad', 'x', 'run-3', 'it did not become ready'),
          event('2026-11-24T03:30:00Z', 'dropped', 'old', 'run-3'),
          event('2026-11-24T04:00:00Z', 'stopped', live.id, 'run-4', 'tester at shell: disk is replaced'),
        ],
      },
      [row('2026-11-24T02:00:00Z', 'run-2', 'deployed'), row('2026-11-24T03:00:00Z', 'run-3', 'rolled-back')],
    );
    expect(changes.map(({ what, outcome, by, reason }) => [what, outcome, by, reason])).toEqual([
      ['stopped', undefined, undefined, 'tester at shell: disk is replaced'],
      ['code-update', 'rolled-back', 'octocat via push', 'it did not become ready'],
      ['code-update', 'deployed', 'octocat via push', undefined],
      ['adopted', undefined, 'tester at shell', 'found running and taken into the ledger'],
    ]);
  });
});

describe('what a shell command found', () => {
  it('is a sentence, tables, and what to do, without control characters', () => {
    const text = renderShellResult({
      headline: 'roma: 1 thing is not as deployed',
      tables: [{ title: 'Live', columns: ['Service', 'Release'], rows: [['roma', 'a\u001b[2Jb']] }],
      nextSteps: ['Look.'],
    });
    expect(text.split('\n')).toEqual([
      'roma: 1 thing is not as deployed',
      '',
      'Live',
      '  Service  Release',
      expect.stringMatching(/^ {2}roma {5}a.*b$/),
      '',
      'What to do next',
      '  1. Look.',
    ]);
    expect(text).not.toContain('\u001b');
  });
});
