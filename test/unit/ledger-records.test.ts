import { describe, expect, it, vi } from 'vitest';
import { createLedger, eventName } from '../../src/ledger/ledger.js';
import { generationName, isSegment, parseLockVolume, recordsName } from '../../src/ledger/names.js';
import { createRecords } from '../../src/ledger/records.js';
import { ProcedureError } from '../../src/model/errors.js';
import type { ReleaseEvent, ReleaseWithDefinition } from '../../src/model/release.js';
import { memoryEngine } from '../support/memory-records.js';
import { openJournal, sampleOpening, sampleRelease } from '../support/ledger-samples.js';

function open(before?: (call: string) => Promise<void>) {
  const engine = memoryEngine(before);
  const broken: ProcedureError[] = [];
  const records = createRecords(engine, 'roma');
  const options = { records, project: 'roma', onBroken: (error: ProcedureError) => void broken.push(error) };
  return { engine, broken, ledger: createLedger(options), journal: openJournal(options) };
}

const event = (release: string, at: string, kind: ReleaseEvent['kind'] = 'live'): ReleaseEvent => ({
  at,
  kind,
  service: 'roma',
  release,
  reason: 'verified',
  run: undefined,
  restartMs: undefined,
});

describe('the ledger', () => {
  it('gives releases and events back as they were written, oldest first', async () => {
    const { ledger } = open();
    const one = sampleRelease('20261124T031502Z-aaaaaa');
    const two: ReleaseWithDefinition = { ...sampleRelease('20261124T041502Z-bbbbbb'), commit: undefined };
    await ledger.addRelease(two);
    await ledger.addRelease(one);
    await ledger.addEvent(event(one.id, '2026-11-24T03:16:00.000Z'));
    await ledger.addEvent(event(two.id, '2026-11-24T04:16:00.000Z'));
    const history = await ledger.history('roma');
    expect(history.releases.map(({ id }) => id)).toEqual([one.id, two.id]);
    expect(history.releases[0]).not.toHaveProperty('definition');
    expect(history.events).toEqual([
      event(one.id, '2026-11-24T03:16:00.000Z'),
      event(two.id, '2026-11-24T04:16:00.000Z'),
    ]);
    expect(await ledger.services()).toEqual(['roma']);
    expect(await ledger.history('other')).toEqual({ releases: [], events: [] });
    expect(await open().ledger.services()).toEqual([]);
  });

  it('keeps events in the order they were written, whatever the clocks of the runners say', async () => {
    const { ledger } = open();
    await ledger.addEvent(event('a', '2026-11-24T03:16:00.000Z'));
    await ledger.addEvent(event('b', '2026-11-24T03:10:00.000Z'));
    await ledger.addEvent(event('c', '2026-11-24T03:16:00.000Z'));
    const { events } = await ledger.history('roma');
    expect(events.map(({ release }) => release)).toEqual(['a', 'b', 'c']);
    expect(events[1]?.at).toBe('2026-11-24T03:10:00.000Z');
    expect(eventName('2026-11-24T03:10:00.000Z', 'not-ours.json')).toMatch(
      /^2026-11-24T031000\.000Z-[0-9a-f]{6}\.json$/,
    );
  });

  it('finds a definition by its id, in a process that did not write it too', async () => {
    const { engine, ledger } = open();
    const release = sampleRelease('20261124T031502Z-aaaaaa');
    await ledger.addRelease(release);
    const records = createRecords(engine, 'roma');
    const later = createLedger({ records, project: 'roma', onBroken: () => {} });
    expect(await later.definition(release.id)).toEqual(release);
    expect(await later.definition('20261124T031502Z-cccccc')).toBeUndefined();
    expect(await later.definition('../journal/x')).toBeUndefined();
  });

  it('reads what a newer version wrote with further fields', async () => {
    const { engine, ledger } = open();
    const release = sampleRelease('20261124T031502Z-aaaaaa');
    await ledger.addRelease(release);
    const path = `releases/roma/${release.id}.json`;
    engine.files.set(path, Buffer.from(JSON.stringify({ ...release, signature: { by: 'x' } })));
    expect((await ledger.history('roma')).releases[0]).toMatchObject({ id: release.id, signature: { by: 'x' } });
  });

  it.each([
    ['{"id": "half', 'not JSON'],
    ['', 'empty'],
    ['{"id":"x"}', 'project'],
  ])('names a broken record and reads the others: %j', async (content, reason) => {
    const { engine, ledger, broken } = open();
    const release = sampleRelease('20261124T031502Z-aaaaaa');
    await ledger.addRelease(release);
    engine.files.set('releases/roma/20261124T000000Z-broken.json', Buffer.from(content));
    engine.files.set(`definitions/broken.json`, Buffer.from(content));
    await ledger.history('roma');
    expect((await ledger.history('roma')).releases).toHaveLength(1);
    expect(broken).toHaveLength(1);
    expect(broken[0]).toMatchObject({ code: 'E_LEDGER' });
    expect(broken[0]?.message).toContain('releases/roma/20261124T000000Z-broken.json');
    expect(broken[0]?.message).toContain(reason);
    expect(broken[0]?.message).not.toContain('half');
    await expect(ledger.definition('broken')).rejects.toMatchObject({ code: 'E_LEDGER' });
  });

  it('survives `docker container prune` before every call, and does not take it for an empty ledger', async () => {
    const { engine, ledger } = open();
    const release = sampleRelease('20261124T031502Z-aaaaaa');
    await ledger.addRelease(release);
    engine.pruneContainers();
    await ledger.addEvent(event(release.id, '2026-11-24T03:16:00.000Z'));
    engine.pruneContainers();
    const history = await ledger.history('roma');
    expect([history.releases.length, history.events.length]).toEqual([1, 1]);
    engine.pruneContainers();
    const fresh = createLedger({ records: createRecords(engine, 'roma'), project: 'roma', onBroken: () => {} });
    expect(await fresh.definition(release.id)).toEqual(release);
    engine.pruneContainers();
    expect(await ledger.definition('20261124T031502Z-cccccc')).toBeUndefined();
  });

  it('refuses a volume of that name which is not its own', async () => {
    const { engine, ledger } = open();
    engine.volumes.set(recordsName('roma'), { 'com.docker.compose.project': 'x' });
    await expect(ledger.addEvent(event('A', '2026-11-24T00:00:00.000Z'))).rejects.toMatchObject({ code: 'E_LEDGER' });
  });

  it('refuses a service name that leads out of its folder', async () => {
    const { ledger } = open();
    await expect(ledger.history('..')).rejects.toMatchObject({ code: 'E_LEDGER' });
  });
});

describe('the journal', () => {
  const pull = { kind: 'pull-image', service: 'roma', reference: 'roma:1' } as const;
  const replace = {
    kind: 'replace-containers',
    service: 'roma',
    to: 'b',
    from: undefined,
    replicas: 1,
    force: false,
  } as const;

  it('tells what was begun, done and failed, and how the run ended', async () => {
    const { journal } = open();
    const opening = sampleOpening('1-1');
    await journal.open(opening);
    await journal.begin('1-1', 1, pull);
    await journal.end('1-1', 1, 'done');
    await journal.begin('1-1', 2, replace);
    await journal.end('1-1', 2, 'failed');
    await journal.begin('1-1', 10, pull);
    expect(await journal.read('1-1')).toEqual({
      opening,
      entries: [
        { sequence: 1, operation: pull, result: 'done' },
        { sequence: 2, operation: replace, result: 'failed' },
        { sequence: 10, operation: pull, result: 'begun' },
      ],
      outcome: undefined,
    });
    await journal.close('1-1', 'failed');
    expect((await journal.read('1-1'))?.outcome).toBe('failed');
    expect(await journal.read('2-1')).toBeUndefined();
    expect(await journal.read('../releases')).toBeUndefined();
  });

  it('writes an end that can wait with the next beginning, before anything that is read or closed', async () => {
    const { engine, journal } = open();
    await journal.open(sampleOpening('1-1'));
    await journal.begin('1-1', 1, pull);
    journal.endSoon('1-1', 1);
    expect([...engine.files.keys()]).not.toContain('journal/1-1/0001-end.json');
    await journal.begin('1-1', 2, replace);
    expect([...engine.files.keys()].slice(-2)).toEqual(['journal/1-1/0001-end.json', 'journal/1-1/0002-begin.json']);
    journal.endSoon('1-1', 2);
    expect((await journal.read('1-1'))?.entries.map(({ result }) => result)).toEqual(['done', 'done']);
    await journal.begin('1-1', 3, pull);
    journal.endSoon('1-1', 3);
    // And by itself, when nothing follows.
    await vi.waitFor(() => expect(engine.files.has('journal/1-1/0003-end.json')).toBe(true));
    await journal.close('1-1', 'ended');
    expect(await journal.read('1-1')).toMatchObject({ outcome: 'ended', entries: [{}, {}, { result: 'done' }] });
  });

  it('tells whoever writes next that an end could not be written', async () => {
    let lost = 0;
    const { journal } = open((call) => {
      if (!call.endsWith('0001-end.json')) return Promise.resolve();
      lost += 1;
      return Promise.reject(new Error('the disk is full'));
    });
    await journal.open(sampleOpening('1-1'));
    await journal.begin('1-1', 1, pull);
    journal.endSoon('1-1', 1);
    await vi.waitFor(() => expect(lost).toBeGreaterThan(0));
    await expect(journal.begin('1-1', 2, replace)).rejects.toThrow('the disk is full');
    await journal.begin('1-1', 2, replace);
  });

  it('reads on past a broken entry, counts a broken end as begun, and stops at a broken opening', async () => {
    const { engine, journal, broken } = open();
    await journal.open(sampleOpening('1-1'));
    await journal.begin('1-1', 1, pull);
    engine.files.set('journal/1-1/0001-end.json', Buffer.alloc(0));
    engine.files.set('journal/1-1/0002-begin.json', Buffer.from('{"at":"","operation":{"kind":"from-the-future"}}'));
    expect((await journal.read('1-1'))?.entries).toEqual([{ sequence: 1, operation: pull, result: 'begun' }]);
    expect(broken.map(({ message }) => /journal\/\S+/.exec(message)?.[0])).toEqual([
      'journal/1-1/0001-end.json',
      'journal/1-1/0002-begin.json',
    ]);
    engine.files.set('journal/1-1/opening.json', Buffer.alloc(0));
    await expect(journal.read('1-1')).rejects.toMatchObject({ code: 'E_LEDGER' });
  });
});

describe('names', () => {
  it('cannot be a name that Compose gives to anything: it has a dot before the first underscore', () => {
    for (const name of [recordsName('roma'), generationName('a_b', 3)]) {
      expect(name.split('_')[0]).toContain('.');
      expect(name).toMatch(/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/);
    }
  });

  it('reads its own names back and no others', () => {
    expect(parseLockVolume('roma', 'rolling-restart.roma.lock.g12')).toEqual({ kind: 'generation', number: 12 });
    expect(parseLockVolume('roma', 'rolling-restart.roma.yield.g1')).toEqual({ kind: 'yield', number: 1 });
    for (const name of [
      'rolling-restart.roma.lock.g01',
      'rolling-restart.rom.lock.g1',
      'rolling-restart.roma.records',
    ]) {
      expect(parseLockVolume('roma', name)).toBeUndefined();
    }
  });

  it.each([
    ['roma', true],
    ['_db.v2', true],
    ['.', false],
    ['..', false],
    ['a/b', false],
    ['', false],
    ['a,b', false],
  ])('path segment %j: %s', (text, expected) => {
    expect(isSegment(text)).toBe(expected);
  });
});
