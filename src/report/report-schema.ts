import * as z from 'zod';
import { ERROR_CODES } from '../model/errors.js';
import type { ErrorCode } from '../model/errors.js';
import { GREEN_OUTCOMES, RED_OUTCOMES } from '../model/outcome.js';
import { STRATEGY_NAMES, type ShownOperation } from '../model/plan.js';
import type { RunReport } from '../model/report.js';
import { FAILURE_KINDS } from '../model/traffic.js';
import { PROCEDURES } from '../model/request.js';

/**
 * The JSON report as a schema; `docs/report.schema.json` is made from it. Not loaded by a run: the type holds there, and
 * the check at the end of this file holds the two together.
 */

const outcome = z.enum([...GREEN_OUTCOMES, ...RED_OUTCOMES]);
const moment = z.string().describe('ISO 8601');
const ms = z.number().describe('milliseconds');
const text = z.string();

/** Each kind has further fields of its own. */
const operation: z.ZodType<ShownFields> = z.looseObject({
  kind: text,
  service: text.optional(),
  text: text.describe('what it does'),
  changes: z.boolean().describe('whether it may change what runs, or the checkout it runs from'),
  undo: z
    .object({ kind: z.enum(['operation', 'none']), text })
    .describe('what undoes it; with kind none, why nothing does'),
});

type ShownFields = Flat<AsJson<ShownOperation>>;

const decision = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('unchanged'), release: text.optional() }),
  z.object({ kind: z.literal('first-deploy') }),
  z.object({ kind: z.literal('change'), reasons: z.array(text), repairs: z.boolean().optional() }),
]);

const plan = z.object({
  procedure: text,
  preparation: z.array(operation).describe('done first; touches nothing that runs'),
  services: z.array(
    z.object({
      service: text,
      strategy: z.enum(STRATEGY_NAMES),
      decision,
      diff: z.array(text).optional().describe('what differs in the configuration: a unified diff, secrets hidden'),
      notes: z.array(text),
      operations: z.array(operation),
      estimatedDowntimeMs: ms.optional(),
    }),
  ),
});

const warning = z.object({
  sign: z.enum([
    'keeps-restarting',
    'exited',
    'unhealthy',
    'out-of-memory',
    'memory',
    'error-lines',
    'slow-start',
    'no-health-check',
    'killed-after-grace',
    'failed-requests',
    'slow-responses',
    'memory-rises',
    'memory-baseline',
    'note',
  ]),
  severity: z.enum(['high', 'medium', 'low']),
  service: text,
  message: text,
  at: moment,
  action: z.enum(['rollback', 'fail', 'warn']),
});

const reportedError = z.object({
  code: z.enum(Object.keys(ERROR_CODES) as ErrorCode[]),
  message: text,
  next: text,
  excerpt: z.array(z.object({ title: text, lines: z.array(text) })),
});

const service = z.object({
  service: text,
  outcome,
  release: text.optional().describe('release that is live after the run'),
  previousRelease: text.optional(),
  imageDigest: text.optional(),
  commit: text.optional(),
  version: text.optional(),
  downtimeMs: ms.optional(),
  readyMs: ms.optional(),
  memoryBytes: z.number().optional(),
  errorLines: z.number(),
  reasons: z.array(text),
});

const failureKind = z.enum(FAILURE_KINDS);

const traffic = z
  .object({
    url: text,
    ratePerSecond: z.number(),
    timeoutMs: ms,
    keepAlive: z.boolean(),
    verdict: z.enum(['passed', 'failed', 'not-judged']),
    reason: text.describe('by what it was judged, or why it was not'),
    startedAt: moment,
    durationMs: ms,
    requests: z.number(),
    failed: z.number(),
    failures: z.array(z.object({ kind: failureKind, count: z.number() })),
    firstFailures: z.array(z.object({ at: moment, kind: failureKind, said: text })),
    longestGapMs: ms.describe('longest time without a good answer'),
    longestGapAt: moment,
    p50Ms: ms.optional(),
    p99Ms: ms.optional(),
    slowestMs: ms.optional(),
    retried: z.number().describe('sent once more, since a kept connection had been closed'),
    latestSendMs: ms.describe('longest that a request was sent after it was due'),
    bucketMs: ms,
    buckets: z.array(
      z.object({
        at: moment,
        good: z.number(),
        failed: z.number(),
        versions: z.array(z.object({ version: text, answers: z.number() })),
      }),
    ),
  })
  .describe('requests that were sent to probe-url while something was changed; latencies are those of good answers');

export const reportSchema = z
  .object({
    schema: z.literal('rolling-restart/report/v1'),
    procedure: z.enum(PROCEDURES),
    project: text,
    dryRun: z.boolean(),
    outcome,
    headline: text.describe('one sentence: what was asked for and what is live now'),
    changed: z.boolean().describe('whether what runs differs from before the run'),
    startedAt: moment,
    durationMs: ms,
    invocation: z.object({
      runId: text,
      actor: text,
      runUrl: text.optional(),
      sha: text.optional(),
      ref: text.optional(),
      attempt: z.number(),
      host: text,
    }),
    engine: z.object({ version: text, compose: text, name: text }).optional(),
    services: z.array(service),
    plan: plan.optional(),
    timeline: z.array(
      z.object({
        at: moment,
        durationMs: ms.optional(),
        service: text.optional(),
        text,
        status: z.enum(['done', 'failed', 'undone', 'note']),
      }),
    ),
    warnings: z.array(warning),
    checklists: z.array(
      z.object({
        title: text,
        items: z.array(z.object({ text, state: z.enum(['done', 'failed', 'not-asked']), detail: text.optional() })),
      }),
    ),
    slo: z.array(z.object({ service: text, metric: text, target: text, actual: text, met: z.boolean().optional() })),
    traffic: traffic.optional(),
    commits: z.array(text).describe('newest first, `hash subject`'),
    pullRequests: z.array(z.object({ number: z.number(), title: text, url: text })),
    error: reportedError.optional(),
    undoError: reportedError.optional(),
    nextSteps: z.array(text),
    evidencePath: text.optional(),
    charts: z.array(
      z.object({ title: text, unit: text, points: z.array(z.object({ at: moment, value: z.number() })) }),
    ),
    findings: z.array(z.object({ title: text, columns: z.array(text), rows: z.array(z.array(text)) })),
  })
  .describe('The report of one run of Rolling Restart.');

/** A type as JSON carries it: a field that is undefined is not there. */
type AsJson<T> = T extends readonly (infer Item)[]
  ? AsJson<Item>[]
  : T extends object
    ? { -readonly [K in keyof T as undefined extends T[K] ? never : K]: AsJson<T[K]> } & {
        -readonly [K in keyof T as undefined extends T[K] ? K : never]?: AsJson<T[K]>;
      }
    : T;

/** Intersections as one object, so that two spellings of a type are the same type. */
type Flat<T> = T extends readonly (infer Item)[] ? Flat<Item>[] : T extends object ? { [K in keyof T]: Flat<T[K]> } : T;

/** Identity and not assignability: a field that is optional could be forgotten otherwise. */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- the one way to compare types exactly
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Does not compile when schema and type differ. */
export const SCHEMA_MATCHES_TYPE: Same<Flat<z.infer<typeof reportSchema>>, Flat<AsJson<RunReport>>> = true;

/** @returns the JSON schema (draft 2020-12) of the report file */
export function reportJsonSchema(): Readonly<Record<string, unknown>> {
  return z.toJSONSchema(reportSchema, { target: 'draft-2020-12', io: 'input' });
}
