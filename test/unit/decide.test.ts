import { describe, expect, it } from 'vitest';
import type { ObservedContainer } from '../../src/model/service.js';
import { UNKNOWN_CONTENTS } from '../../src/model/release.js';
import { decide, type CurrentFacts, type WantedFacts } from '../../src/strategies/decide.js';

const container = {
  name: 'roma-builder',
  state: 'running',
  health: 'healthy',
  exitCode: 0,
  composeHash: 'compose-1',
  fingerprint: 'image-1',
} as ObservedContainer & { fingerprint: string };

const release = {
  id: 'A',
  configHash: 'config-1',
  composeHash: 'compose-1',
  definitionFrom: 'rendered',
  commit: 'commit-1',
} as NonNullable<CurrentFacts['release']>;

const wanted: WantedFacts = {
  configHash: 'config-1',
  composeHash: 'compose-1',
  fingerprint: 'image-1',
  commit: 'commit-1',
  replicas: 1,
  files: { '/srv/app.conf': 'sha256:1' },
  otherContents: [],
  takenOverFrom: undefined,
  lifetime: 'stays',
};

const current: CurrentFacts = {
  release,
  accepted: true,
  history: { releases: [], events: [] },
  files: { '/srv/app.conf': 'sha256:1' },
  containers: [container],
};

describe('decide', () => {
  it('leaves alone what is the same, runs and is healthy', () => {
    expect(decide(wanted, current)).toEqual({ kind: 'unchanged', release: release.id });
  });

  it('calls it a first deploy when nothing runs and nothing is recorded', () => {
    expect(decide(wanted, { ...current, release: undefined, files: undefined, containers: [] })).toEqual({
      kind: 'first-deploy',
    });
  });

  it('does not take another version of Compose for a change: our own hash decides', () => {
    expect(decide({ ...wanted, composeHash: 'compose-2' }, current).kind).toBe('unchanged');
  });

  it('falls back on Compose’s hash for containers nobody recorded', () => {
    const unknown = { ...current, release: undefined, files: undefined };
    expect(decide(wanted, unknown).kind).toBe('unchanged');
    expect(decide({ ...wanted, composeHash: 'compose-2' }, unknown)).toEqual({
      kind: 'change',
      reasons: ['the definition in the compose files differs'],
    });
  });

  it.each([
    ['another image', { fingerprint: 'image-2' }, {}, 'the image differs'],
    ['another definition', { configHash: 'config-2', composeHash: 'compose-2' }, {}, 'the definition'],
    [
      'contents of a mounted file',
      { configHash: 'config-2', files: { '/srv/app.conf': 'sha256:2' } },
      {},
      'contents changed: /srv/app.conf',
    ],
    ['something it uses', { configHash: 'config-2' }, {}, 'networks, volumes'],
    [
      'a config or secret that a container has otherwise',
      { otherContents: ['secret s'] },
      {},
      'contents differ: secret s',
    ],
    ['more replicas', { replicas: 3 }, {}, '1 of 3 containers run'],
    ['a stopped container', {}, { state: 'exited' }, 'roma-builder is exited'],
    ['an unhealthy container', {}, { health: 'unhealthy' }, 'roma-builder is unhealthy'],
  ] as const)('changes for %s', (_what, changedWanted, changedContainer, reason) => {
    const facts = { ...current, containers: [{ ...container, ...changedContainer }] };
    const decision = decide({ ...wanted, ...changedWanted }, facts);
    expect(decision.kind).toBe('change');
    expect(decision.kind === 'change' ? decision.reasons.join() : '').toContain(reason);
  });

  it.each([
    ['/srv/app.conf', [], '/srv/app.conf is newer than the container'],
    ['config motd', [], 'contents in the container are unknown: config motd'],
    ['secret token', ['secret token'], 'contents differ: secret token'],
  ] as const)('changes what runs with unknown contents: %s', (name, otherContents, reason) => {
    const files = { [name]: UNKNOWN_CONTENTS };
    const facts = { ...current, files, release: { ...release, configHash: 'config-unknown' } };
    expect(decide({ ...wanted, files: { [name]: 'sha256:1' }, otherContents }, facts)).toEqual({
      kind: 'change',
      reasons: [reason],
    });
  });

  it('changes what runs and never passed its verification, however well it runs', () => {
    expect(decide(wanted, { ...current, accepted: false })).toEqual({
      kind: 'change',
      reasons: ['release A runs, but it never passed its verification'],
    });
  });

  it('says in a dry run that an image is known only after it was built, unless the commit is the live one', () => {
    const unbuilt = { ...wanted, fingerprint: undefined };
    expect(decide(unbuilt, current).kind).toBe('unchanged');
    expect(decide({ ...unbuilt, commit: 'commit-2' }, current).kind).toBe('change');
  });
});
