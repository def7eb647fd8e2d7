import { z } from 'zod';
import type { BackupRecord } from '../model/backup.js';
import type { MaintenanceRecord } from '../model/maintenance.js';
import type { JournalOpening } from '../model/ports/ledger.js';
import type { Release, ReleaseEvent, ReleaseWithDefinition } from '../model/release.js';
import { GREEN_OUTCOMES, RED_OUTCOMES } from '../model/outcome.js';
import type { Invocation } from '../model/request.js';
import type { SloRecord } from '../model/slo-record.js';

/**
 * What records look like when they are read back. The model's types are the contract: each schema is checked against its
 * type by the compiler, so a field or an operation that the model gains is missed here at once. Fields that a newer
 * version wrote are carried along; an operation that this version does not know is refused, since it cannot be undone.
 */

/** JSON leaves out what is undefined; the model says `x: T | undefined`. */
const maybe = <T extends z.ZodType>(schema: T) => schema.optional().transform((value) => value);
const strings = z.array(z.string());
const texts = z.record(z.string(), z.string());

const releaseFields = {
  id: z.string(),
  project: z.string(),
  service: z.string(),
  createdAt: z.string(),
  image: z.looseObject({
    name: z.string(),
    id: z.string(),
    fingerprint: z.string(),
    digest: maybe(z.string()),
    keptAs: z.string(),
  }),
  configHash: z.string(),
  composeHash: z.string(),
  replicas: z.number(),
  commit: maybe(z.string()),
  origin: z.string(),
  definitionFrom: z.enum(['rendered', 'container']),
  by: z.string(),
  run: maybe(z.string()),
  ref: maybe(z.string()),
  version: maybe(z.string()),
  releaseCommand: maybe(z.string()),
};

export const releaseSchema: z.ZodType<Release> = z.looseObject(releaseFields);

export const releaseWithDefinitionSchema: z.ZodType<ReleaseWithDefinition> = z.looseObject({
  ...releaseFields,
  definition: z.record(z.string(), z.unknown()),
  files: texts,
});

export const eventSchema: z.ZodType<ReleaseEvent> = z.looseObject({
  at: z.string(),
  kind: z.enum(['live', 'bad', 'dropped', 'stopped', 'started', 'completed']),
  service: z.string(),
  release: z.string(),
  reason: z.string(),
  run: maybe(z.string()),
  restartMs: maybe(z.number()),
});

export const sloRecordSchema: z.ZodType<SloRecord> = z.looseObject({
  at: z.string(),
  run: z.string(),
  by: z.string(),
  procedure: z.string(),
  service: z.string(),
  outcome: z.enum([...GREEN_OUTCOMES, ...RED_OUTCOMES]),
  release: maybe(z.string()),
  timeMs: z.number(),
  targetTimeMs: maybe(z.number()),
  downtimeMs: maybe(z.number()),
  targetDowntimeMs: maybe(z.number()),
  restartMs: maybe(z.number()),
  healthyMs: maybe(z.number()),
  memoryBytes: maybe(z.number()),
  errorLines: maybe(z.number()),
  logLines: maybe(z.number()),
});

export const maintenanceRecordSchema: z.ZodType<MaintenanceRecord> = z.looseObject({
  at: z.string(),
  window: z.string(),
  kind: z.enum(['announced', 'prechecked', 'performing', 'performed', 'verified', 'completed']),
  run: z.string(),
  by: z.string(),
  outcome: maybe(z.enum([...GREEN_OUTCOMES, ...RED_OUTCOMES])),
  startsAt: maybe(z.string()),
  plannedMs: maybe(z.number()),
  page: maybe(z.enum(['maintenance', 'operational'])),
  services: strings,
  issues: strings,
});

const backupReason = z.enum(['asked', 'before', 'safety']);

export const backupRecordSchema: z.ZodType<BackupRecord> = z.looseObject({
  at: z.string(),
  kind: z.enum(['kept', 'deleted']),
  service: z.string(),
  backup: z.string(),
  release: maybe(z.string()),
  reason: backupReason,
  directory: z.string(),
  host: z.string(),
  sizeBytes: z.number(),
  run: z.string(),
});

const invocationSchema: z.ZodType<Invocation> = z.looseObject({
  runId: z.string(),
  actor: z.string(),
  runUrl: maybe(z.string()),
  sha: maybe(z.string()),
  ref: maybe(z.string()),
  attempt: z.number(),
  host: z.string(),
});

/** @param plan reads the plan, which is above this part */
export const openingSchema = <P>(plan: z.ZodType<P>): z.ZodType<JournalOpening<P>> =>
  z.looseObject({
    run: z.string(),
    at: z.string(),
    procedure: z.string(),
    invocation: invocationSchema,
    workingDirectory: z.string(),
    plan,
    environment: maybe(z.string()),
  });

/** @param operation reads an operation, which is above this part */
export const beginSchema = <O>(operation: z.ZodType<O>): z.ZodType<{ readonly at: string; readonly operation: O }> =>
  z.looseObject({ at: z.string(), operation });
export const endSchema = z.looseObject({
  at: z.string(),
  result: z.enum(['done', 'failed']),
  error: maybe(z.string()),
});
export const closingSchema = z.looseObject({ at: z.string(), outcome: z.string() });
