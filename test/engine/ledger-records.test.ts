import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLedger } from '../../src/ledger/ledger.js';
import { recordsName } from '../../src/ledger/names.js';
import { createRecords } from '../../src/ledger/records.js';
import type { ProcedureError } from '../../src/model/errors.js';
import { withoutDefinition } from '../../src/model/ports/ledger.js';
import { ledgerProject, type LedgerProject } from '../support/ledger-project.js';
import { openJournal, sampleOpening, sampleRelease } from '../support/ledger-samples.js';

let project: LedgerProject;
beforeEach(() => {
  project = ledgerProject();
});
afterEach(() => project.remove());

/** Ledger and journal as a new process opens them. */
function open() {
  const broken: ProcedureError[] = [];
  const records = createRecords(project.api, project.name);
  const options = { records, project: project.name, onBroken: (error: ProcedureError) => void broken.push(error) };
  return { records, broken, ledger: createLedger(options), journal: openJournal(options) };
}

const pull = { kind: 'pull-image', service: 'roma', reference: 'roma:1' } as const;

const live = (release: string) =>
  ({
    at: new Date().toISOString(),
    kind: 'live',
    service: 'roma',
    release,
    reason: 'ok',
    run: '1-1',
    restartMs: 512,
  }) as const;

describe('records on the engine', () => {
  it('are read by another process as they were written', async () => {
    const release = sampleRelease('20261124T031502Z-aaaaaa');
    const writer = open();
    await writer.ledger.addRelease(release);
    await writer.ledger.addEvent(live(release.id));
    await writer.ledger.addEvent(live('second'));
    await writer.journal.open(sampleOpening('1-1'));
    await writer.journal.begin('1-1', 1, pull);

    const reader = open();
    const history = await reader.ledger.history('roma');
    expect(history.releases).toEqual([withoutDefinition(release)]);
    expect(history.events.map((event) => event.release)).toEqual([release.id, 'second']);
    expect(await reader.ledger.services()).toEqual(['roma']);
    expect(await reader.ledger.definition(release.id)).toEqual(release);
    expect(await reader.ledger.definition('unknown')).toBeUndefined();
    expect(await reader.journal.read('1-1')).toEqual({
      opening: sampleOpening('1-1'),
      entries: [{ sequence: 1, operation: pull, result: 'begun' }],
      outcome: undefined,
    });
    expect(await reader.journal.read('9-9')).toBeUndefined();
    expect(reader.broken).toEqual([]);
  });

  it('stay when the container that opens them is removed, before every call', async () => {
    const { ledger, journal } = open();
    const prune = () => project.api.removeContainer(recordsName(project.name));
    const release = sampleRelease('20261124T031502Z-aaaaaa');
    await ledger.addRelease(release);
    await prune();
    await ledger.addEvent(live(release.id));
    await prune();
    expect(await ledger.history('roma')).toMatchObject({ releases: [{ id: release.id }], events: [{ kind: 'live' }] });
    await prune();
    await journal.open(sampleOpening('1-1'));
    await prune();
    expect((await journal.read('1-1'))?.opening.run).toBe('1-1');
    await prune();
    expect(await open().ledger.definition(release.id)).toEqual(release);
    await prune();
    expect(await ledger.services()).toEqual(['roma']);
  });

  it('that are broken are named and do not hide the others', async () => {
    const { records, ledger, broken } = open();
    await ledger.addRelease(sampleRelease('20261124T031502Z-aaaaaa'));
    await records.write('releases/roma/20261124T031503Z-bbbbbb.json', 'not a release');
    expect((await ledger.history('roma')).releases).toHaveLength(1);
    expect(broken.map(({ code }) => code)).toEqual(['E_LEDGER']);
    expect(broken[0]?.message).toContain('releases/roma/20261124T031503Z-bbbbbb.json');
  });

  it('of one project are not those of another whose name begins the same', async () => {
    const other = createRecords(project.api, `${project.name}-b`);
    try {
      await open().ledger.addRelease(sampleRelease('20261124T031502Z-aaaaaa'));
      const ledger = createLedger({ records: other, project: `${project.name}-b`, onBroken: () => {} });
      expect(await ledger.services()).toEqual([]);
    } finally {
      await project.api.removeContainer(recordsName(`${project.name}-b`));
      await project.api.removeVolume(recordsName(`${project.name}-b`));
    }
  });
});
