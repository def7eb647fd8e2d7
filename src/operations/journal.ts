import type * as Ports from '../model/ports/ledger.js';
import { operationSchema, type Operation } from './operation.js';
import { planSchema, type Plan } from './plan.js';

/** The operations of one run, each written before its effect. */
export type Journal = Ports.Journal<Plan, Operation>;
export type JournalOpening = Ports.JournalOpening<Plan>;
export type JournalRecord = Ports.JournalRecord<Plan, Operation>;

/** What the journal's adapter reads plans and operations with. */
export const JOURNAL_CODEC = { plan: planSchema, operation: operationSchema } as const;
