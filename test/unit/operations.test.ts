import { describe, expect, it } from 'vitest';
import { createRecords } from '../../src/ledger/records.js';
import {
  compensationOf,
  describeOperation,
  OPERATION_KINDS,
  operationSchema,
  type Operation,
  type OperationKind,
} from '../../src/operations/operation.js';
import { openJournal, sampleOpening } from '../support/ledger-samples.js';
import { memoryEngine } from '../support/memory-records.js';
import { OPERATION_SAMPLES } from '../support/operation-samples.js';

const CASES = Object.entries(OPERATION_SAMPLES) as readonly (readonly [OperationKind, Operation])[];

/** What JSON makes of it: a field that is undefined is left out. */
const asJson = (operation: Operation): unknown => JSON.parse(JSON.stringify(operation));

describe('every kind of operation', () => {
  it('has a sample', () => {
    expect(CASES.map(([kind]) => kind).sort()).toEqual([...OPERATION_KINDS].sort());
  });

  it.each(CASES)('%s: is journalled, read back, described and undone', async (kind, operation) => {
    const journal = openJournal({
      records: createRecords(memoryEngine(), 'roma'),
      project: 'roma',
      onBroken: (error) => {
        throw error;
      },
    });
    await journal.open(sampleOpening('r1'));
    await journal.begin('r1', 1, operation);
    await journal.end('r1', 1, 'done');
    const record = await journal.read('r1');
    const read = record?.entries[0]?.operation;
    expect(read).toEqual(asJson(operation));
    if (read === undefined) return;
    expect(describeOperation(read)).toBe(describeOperation(operation));
    expect(describeOperation(read)).toMatch(/^[A-Za-z].{8,}$/);
    const undo = compensationOf(read);
    if (undo.kind === 'none') {
      expect(undo.reason).toMatch(/^[a-z].{5,}$/);
      return;
    }
    // What undoes it can be journalled as well, and touches the same service.
    expect(operationSchema.parse(asJson(undo.operation))).toEqual(asJson(undo.operation));
    const serviceOf = (one: Operation): string | undefined => ('service' in one ? one.service : undefined);
    expect(serviceOf(undo.operation)).toBe(serviceOf(operation));
    expect(undo.operation, kind).not.toEqual(operation);
  });

  it('of a version that is not known is refused', () => {
    expect(() => operationSchema.parse({ kind: 'teleport', service: 'roma' })).toThrow(/kind/);
    expect(() => operationSchema.parse({ kind: 'keep-image', service: 'roma' })).toThrow(/image/);
  });
});
