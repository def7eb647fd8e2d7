import { z } from 'zod';
import { CONSISTENCIES } from '../model/backup-policy.js';
import { type BackupRecord, type DataPlace } from '../model/backup.js';
import type { EdgeSpec } from '../model/edge.js';
import type { MaintenanceRecord } from '../model/maintenance.js';
import type { ContainerSet, Operation, Serve } from '../model/operation.js';
import type { Decision, Plan, ServicePlan, StrategyName } from '../model/plan.js';
import type { JournalOpening } from '../model/ports/ledger.js';
import type { Release, ReleaseEvent, ReleaseWithDefinition } from '../model/release.js';
import { GREEN_OUTCOMES, RED_OUTCOMES } from '../model/outcome.js';
import type { Invocation } from '../model/request.js';
import type { RouterSpec } from '../model/router.js';
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

const service = z.string();
const release = z.string();
const containers = strings;

const routerSchema: z.ZodType<RouterSpec> = z.discriminatedUnion('kind', [
  z.looseObject({ kind: z.literal('edge') }),
  z.looseObject({
    kind: z.literal('haproxy'),
    socket: z.string(),
    backend: z.string(),
    port: maybe(z.number()),
    network: maybe(z.string()),
    options: maybe(z.string()),
  }),
  z.looseObject({
    kind: z.literal('caddy'),
    admin: z.string(),
    id: z.string(),
    port: maybe(z.number()),
    network: maybe(z.string()),
    dial: maybe(z.string()),
  }),
  z.looseObject({
    kind: z.literal('discovery'),
    settleMs: z.number(),
    drainCommand: maybe(z.string()),
    resumeCommand: maybe(z.string()),
  }),
  z.looseObject({ kind: z.literal('none') }),
]);

const serveSchema: z.ZodType<Serve> = z.discriminatedUnion('who', [
  z.looseObject({ who: z.literal('only'), containers }),
  z.looseObject({ who: z.literal('all-but'), containers }),
  z.looseObject({ who: z.literal('new'), old: strings, percent: z.number() }),
]);

const containerSetSchema: z.ZodType<ContainerSet> = z.discriminatedUnion('are', [
  z.looseObject({ are: z.literal('these'), containers }),
  z.looseObject({ are: z.literal('others'), than: strings }),
]);

const edgeSchema: z.ZodType<EdgeSpec> = z.looseObject({
  project: z.string(),
  service,
  image: z.string(),
  ports: z.array(
    z.looseObject({
      target: z.number(),
      published: z.string(),
      hostIp: maybe(z.string()),
      mode: z.enum(['http', 'tcp']),
      proxyProtocol: z.boolean(),
    }),
  ),
  networks: z.array(z.looseObject({ name: z.string(), aliases: strings })),
});

const placeSchema: z.ZodType<DataPlace> = z.looseObject({
  name: z.string(),
  kind: z.enum(['volume', 'bind']),
  source: z.string(),
  target: z.string(),
});

const backupReason = z.enum(['asked', 'before', 'safety']);

export const backupRecordSchema: z.ZodType<BackupRecord> = z.looseObject({
  at: z.string(),
  kind: z.enum(['kept', 'deleted']),
  service,
  backup: z.string(),
  release: maybe(release),
  reason: backupReason,
  directory: z.string(),
  host: z.string(),
  sizeBytes: z.number(),
  run: z.string(),
});

const freeze = {
  service,
  how: z.enum(CONSISTENCIES),
  containers,
  quiesceCommand: maybe(z.string()),
  resumeCommand: maybe(z.string()),
};
const backup = { service, backup: z.string(), folder: z.string() };

const operationUnion = z.discriminatedUnion('kind', [
  z.looseObject({ kind: z.literal('fetch-source'), directory: z.string(), ref: z.string() }),
  z.looseObject({ kind: z.literal('add-worktree'), directory: z.string(), path: z.string(), commit: z.string() }),
  z.looseObject({ kind: z.literal('run-command'), name: z.string(), command: z.string(), directory: z.string() }),
  z.looseObject({ kind: z.literal('run-release-command'), service, release, command: z.string() }),
  z.looseObject({ kind: z.literal('build-image'), service, tag: z.string(), pullBase: z.boolean() }),
  z.looseObject({ kind: z.literal('pull-image'), service, reference: z.string() }),
  z.looseObject({ kind: z.literal('push-image'), service, image: z.string(), reference: z.string() }),
  z.looseObject({ kind: z.literal('capture-evidence'), service, moment: z.enum(['before', 'after']) }),
  z.looseObject({
    kind: z.literal('free-port'),
    service,
    port: z.number(),
    holder: z.discriminatedUnion('kind', [
      z.looseObject({ kind: z.literal('process'), pid: z.number(), name: z.string(), started: z.string() }),
      z.looseObject({ kind: z.literal('container'), id: z.string(), name: z.string() }),
    ]),
  }),
  z.looseObject({ kind: z.literal('keep-image'), service, image: z.string(), tags: strings }),
  z.looseObject({ kind: z.literal('move-checkout'), directory: z.string(), from: z.string(), to: z.string() }),
  z.looseObject({ kind: z.literal('tag-image'), service, tag: z.string(), to: z.string(), from: maybe(z.string()) }),
  z.looseObject({
    kind: z.literal('replace-containers'),
    service,
    to: release,
    from: maybe(release),
    replicas: z.number(),
    force: z.boolean(),
  }),
  z.looseObject({ kind: z.literal('restart-containers'), service, containers, release: maybe(release) }),
  z.looseObject({ kind: z.literal('kill-containers'), service, containers, release: maybe(release) }),
  z.looseObject({ kind: z.literal('remove-containers'), service, containers, release: maybe(release) }),
  z.looseObject({ kind: z.literal('remove-leftovers'), service, containers, names: strings }),
  z.looseObject({ kind: z.literal('remove-networks'), project: z.string() }),
  z.looseObject({
    kind: z.literal('start-beside'),
    service,
    to: release,
    from: maybe(release),
    count: z.number(),
    beside: strings,
    published: z.boolean(),
    named: z.boolean(),
  }),
  z.looseObject({ kind: z.literal('shift-traffic'), service, router: routerSchema, serve: serveSchema }),
  z.looseObject({
    kind: z.literal('drain-containers'),
    service,
    router: routerSchema,
    containers: containerSetSchema,
    timeoutMs: z.number(),
  }),
  z.looseObject({ kind: z.literal('stop-containers'), service, containers }),
  z.looseObject({ kind: z.literal('start-containers'), service, containers }),
  z.looseObject({
    kind: z.literal('set-restart-policy'),
    service,
    containers,
    to: z.enum(['always', 'unless-stopped']),
  }),
  z.looseObject({ kind: z.literal('retire-containers'), service, containers: containerSetSchema }),
  z.looseObject({
    kind: z.literal('settle-containers'),
    service,
    containerName: maybe(z.string()),
    named: z.boolean(),
    except: strings,
  }),
  z.looseObject({
    kind: z.literal('hold-traffic'),
    service,
    router: routerSchema,
    maxMs: z.number(),
    maxQueue: z.number(),
  }),
  z.looseObject({ kind: z.literal('release-traffic'), service, router: routerSchema }),
  z.looseObject({ kind: z.literal('install-edge'), service, edge: edgeSchema, containers }),
  ...(['redirect-ports', 'open-ports', 'close-ports', 'end-redirect'] as const).map((kind) =>
    z.looseObject({ kind: z.literal(kind), service, ports: strings }),
  ),
  z.looseObject({ kind: z.literal('end-takeover'), service, timeoutMs: z.number() }),
  z.looseObject({ kind: z.literal('remove-edge'), service }),
  z.looseObject({ kind: z.literal('repair-edge'), service, ports: strings, timeoutMs: z.number() }),
  z.looseObject({ kind: z.literal('freeze-data'), ...freeze }),
  z.looseObject({ kind: z.literal('thaw-data'), ...freeze }),
  z.looseObject({
    kind: z.literal('save-data'),
    ...backup,
    release: maybe(release),
    reason: backupReason,
    consistency: z.enum(CONSISTENCIES),
    places: z.array(placeSchema),
  }),
  z.looseObject({ kind: z.literal('keep-backup'), ...backup }),
  z.looseObject({
    kind: z.literal('restore-data'),
    ...backup,
    places: z.array(placeSchema),
    tool: z.string(),
    safety: maybe(z.looseObject({ backup: z.string(), folder: z.string() })),
  }),
  z.looseObject({ kind: z.literal('delete-backups'), service, folders: strings }),
  z.looseObject({
    kind: z.literal('await-ready'),
    service,
    release: maybe(release),
    timeoutMs: z.number(),
    except: maybe(strings),
    tolerate: maybe(z.number()),
  }),
  z.looseObject({
    kind: z.literal('verify'),
    service,
    release: maybe(release),
    checks: strings,
    except: maybe(strings),
    candidate: maybe(z.boolean()),
  }),
  z.looseObject({
    kind: z.literal('watch'),
    service,
    release: maybe(release),
    durationMs: z.number(),
    except: maybe(strings),
    between: maybe(z.boolean()),
  }),
  z.looseObject({
    kind: z.literal('analyse-canary'),
    service,
    router: routerSchema,
    release,
    old: strings,
    percent: z.number(),
    durationMs: z.number(),
  }),
  z.looseObject({ kind: z.literal('accept-release'), service, release }),
  z.looseObject({ kind: z.literal('record-stop'), service, release, reason: z.string() }),
  z.looseObject({ kind: z.literal('record-start'), service, release }),
  z.looseObject({ kind: z.literal('reject-release'), service, release, reason: z.string() }),
]);

/** Does not compile when the model has an operation that the union above has not. */
type Unreadable = Exclude<Operation['kind'], z.infer<typeof operationUnion>['kind']>;
export const operationSchema: [Unreadable] extends [never] ? z.ZodType<Operation> : Unreadable = operationUnion;

const decisionSchema: z.ZodType<Decision> = z.discriminatedUnion('kind', [
  z.looseObject({ kind: z.literal('unchanged'), release: maybe(releaseSchema) }),
  z.looseObject({ kind: z.literal('first-deploy') }),
  z.looseObject({ kind: z.literal('change'), reasons: strings, repairs: z.boolean().optional() }),
]);

const servicePlanSchema: z.ZodType<ServicePlan> = z.looseObject({
  service,
  // Only shown to people: a strategy of a newer version reads as well.
  strategy: z.custom<StrategyName>((value) => typeof value === 'string'),
  decision: decisionSchema,
  diff: maybe(strings),
  notes: strings,
  operations: z.array(operationSchema),
  estimatedDowntimeMs: maybe(z.number()),
});

const planSchema: z.ZodType<Plan> = z.looseObject({
  procedure: z.string(),
  preparation: z.array(operationSchema),
  services: z.array(servicePlanSchema),
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

export const openingSchema: z.ZodType<JournalOpening> = z.looseObject({
  run: z.string(),
  at: z.string(),
  procedure: z.string(),
  invocation: invocationSchema,
  workingDirectory: z.string(),
  plan: planSchema,
  environment: maybe(z.string()),
});

export const beginSchema = z.looseObject({ at: z.string(), operation: operationSchema });
export const endSchema = z.looseObject({
  at: z.string(),
  result: z.enum(['done', 'failed']),
  error: maybe(z.string()),
});
export const closingSchema = z.looseObject({ at: z.string(), outcome: z.string() });
