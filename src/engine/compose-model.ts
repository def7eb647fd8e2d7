import { z } from 'zod';
import { ProcedureError } from '../model/errors.js';
import type {
  ComposeProject,
  Dependency,
  HealthCheck,
  Mount,
  PublishedPort,
  ServiceDefinition,
  UpdateConfig,
} from '../model/service.js';
import { parsePolicy } from './compose-policy.js';

const updateSchema = z.looseObject({
  parallelism: z.number().optional(),
  delay: z.string().optional(),
  order: z.string().optional(),
  failure_action: z.string().optional(),
  monitor: z.string().optional(),
  max_failure_ratio: z.number().optional(),
});

/** The parts of `docker compose config --format json` that decisions hang on; the rest is carried along. */
const serviceSchema = z.looseObject({
  image: z.string().optional(),
  container_name: z.string().optional(),
  build: z.looseObject({ context: z.string().optional() }).nullish(),
  environment: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])).nullish(),
  depends_on: z
    .record(z.string(), z.looseObject({ condition: z.string().optional(), restart: z.boolean().optional() }))
    .nullish(),
  healthcheck: z
    .looseObject({
      test: z.union([z.array(z.string()), z.string()]).optional(),
      interval: z.string().optional(),
      timeout: z.string().optional(),
      start_period: z.string().optional(),
      start_interval: z.string().optional(),
      retries: z.number().optional(),
      disable: z.boolean().optional(),
    })
    .nullish(),
  volumes: z
    .array(
      z.looseObject({
        type: z.string(),
        source: z.string().optional(),
        target: z.string().optional(),
        read_only: z.boolean().optional(),
      }),
    )
    .nullish(),
  ports: z
    .array(
      z.looseObject({
        target: z.number(),
        published: z.union([z.string(), z.number()]).optional(),
        protocol: z.string().optional(),
        host_ip: z.string().optional(),
      }),
    )
    .nullish(),
  configs: z.array(z.looseObject({ source: z.string() })).nullish(),
  secrets: z.array(z.looseObject({ source: z.string() })).nullish(),
  deploy: z
    .looseObject({
      replicas: z.number().optional(),
      restart_policy: z.looseObject({ condition: z.string().optional() }).nullish(),
      update_config: updateSchema.nullish(),
      rollback_config: updateSchema.nullish(),
    })
    .nullish(),
  scale: z.number().optional(),
  restart: z.string().optional(),
  profiles: z.array(z.string()).nullish(),
  network_mode: z.string().optional(),
  stop_grace_period: z.string().optional(),
});

const fileObject = z.looseObject({
  file: z.string().optional(),
  content: z.string().optional(),
  environment: z.string().optional(),
  external: z.boolean().optional(),
  name: z.string().optional(),
});

const projectSchema = z.looseObject({
  name: z.string(),
  services: z.record(z.string(), serviceSchema).nullish(),
  networks: z.record(z.string(), z.unknown()).nullish(),
  volumes: z.record(z.string(), z.unknown()).nullish(),
  configs: z.record(z.string(), fileObject).nullish(),
  secrets: z.record(z.string(), fileObject).nullish(),
  'x-rolling-restart': z.unknown().optional(),
});

/** Docker's and Compose's defaults where a file is silent. */
const DEFAULT_STOP_GRACE_MS = 10_000;

/**
 * Reads a rendered project.
 * @throws ProcedureError E_COMPOSE_FILE when Compose printed something else than was agreed on
 */
export function parseProject(document: unknown): ComposeProject {
  const parsed = projectSchema.safeParse(document);
  if (!parsed.success) {
    throw new ProcedureError(
      'E_COMPOSE_FILE',
      `docker compose config printed something unexpected: ${z.prettifyError(parsed.error)}`,
      {
        next: 'Check the version of Docker Compose; please report this with it.',
        cause: parsed.error,
      },
    );
  }
  const project = parsed.data;
  const raw = document as { services?: Record<string, Record<string, unknown>> };
  const services = Object.entries(project.services ?? {}).map(
    ([name, service]) => [name, readService(project.name, name, service, raw.services?.[name] ?? {})] as const,
  );
  return {
    name: project.name,
    services: Object.fromEntries(services),
    networks: project.networks ?? {},
    volumes: project.volumes ?? {},
    configs: project.configs ?? {},
    secrets: project.secrets ?? {},
    policy: parsePolicy(undollarAll(project['x-rolling-restart'] ?? null), Object.keys(project.services ?? {})),
    document: document as Readonly<Record<string, unknown>>,
  };
}

function readService(
  project: string,
  name: string,
  service: z.infer<typeof serviceSchema>,
  raw: Readonly<Record<string, unknown>>,
): ServiceDefinition {
  return {
    name,
    image: service.image ?? `${project}-${name}`,
    containerName: service.container_name,
    build:
      service.build == null
        ? undefined
        : { context: service.build.context === undefined ? undefined : undollar(service.build.context) },
    environment: Object.fromEntries(
      Object.entries(service.environment ?? {}).map(([key, value]) => [
        key,
        value === null ? null : undollar(String(value)),
      ]),
    ),
    dependsOn: Object.entries(service.depends_on ?? {}).map(([other, { condition, restart }]) => ({
      service: other,
      restart: restart ?? false,
      condition: (condition ?? 'service_started') as Dependency['condition'],
    })),
    healthCheck: readHealthCheck(service.healthcheck),
    mounts: (service.volumes ?? []).map((mount): Mount => ({
      type: mount.type === 'bind' || mount.type === 'volume' || mount.type === 'tmpfs' ? mount.type : 'other',
      source: mount.source,
      target: mount.target ?? '',
      readOnly: mount.read_only ?? false,
    })),
    ports: (service.ports ?? []).map((port): PublishedPort => ({
      target: port.target,
      // 0 is how Docker writes that the engine chooses.
      published: port.published === undefined || Number(port.published) === 0 ? undefined : String(port.published),
      protocol: port.protocol === 'udp' ? 'udp' : (port.protocol ?? 'tcp') === 'tcp' ? 'tcp' : 'other',
      hostIp: port.host_ip,
    })),
    configs: (service.configs ?? []).map((config) => config.source),
    secrets: (service.secrets ?? []).map((secret) => secret.source),
    replicas: service.deploy?.replicas ?? service.scale ?? 1,
    restart: restartOf(service),
    profiles: service.profiles ?? [],
    networkMode: service.network_mode,
    stopGraceMs:
      service.stop_grace_period === undefined ? DEFAULT_STOP_GRACE_MS : goDuration(service.stop_grace_period),
    update: readUpdate(service.deploy?.update_config),
    rollback: readUpdate(service.deploy?.rollback_config),
    raw,
  };
}

const ORDERS = ['start-first', 'stop-first'] as const;
const FAILURE_ACTIONS = ['rollback', 'pause', 'continue'] as const;

/** Compose's own schema has checked the words; one of a newer schema counts as silence. */
function readUpdate(config: z.infer<typeof updateSchema> | null | undefined): UpdateConfig {
  return {
    parallelism: config?.parallelism,
    delayMs: config?.delay === undefined ? undefined : goDuration(config.delay),
    order: ORDERS.find((order) => order === config?.order),
    failureAction: FAILURE_ACTIONS.find((action) => action === config?.failure_action),
    monitorMs: config?.monitor === undefined ? undefined : goDuration(config.monitor),
    maxFailureRatio: config?.max_failure_ratio,
  };
}

function readHealthCheck(check: z.infer<typeof serviceSchema>['healthcheck']): HealthCheck | undefined {
  if (check == null || check.disable === true || check.test === undefined) return undefined;
  const test = typeof check.test === 'string' ? ['CMD-SHELL', check.test] : check.test;
  if (test[0] === 'NONE') return undefined;
  return {
    test: test.map(undollar),
    intervalMs: goDuration(check.interval ?? '30s'),
    timeoutMs: goDuration(check.timeout ?? '30s'),
    startPeriodMs: goDuration(check.start_period ?? '0s'),
    startIntervalMs: goDuration(check.start_interval ?? '5s'),
    retries: check.retries ?? 3,
  };
}

/** `deploy.restart_policy` wins over `restart` (compose, pkg/compose/create.go, getRestartPolicy). */
function restartOf(service: z.infer<typeof serviceSchema>): string {
  const policy = service.deploy?.restart_policy;
  if (policy == null) return service.restart ?? 'no';
  const condition = policy.condition ?? 'any';
  if (condition === 'none') return 'no';
  return condition === 'any' ? 'always' : condition;
}

/** `config` writes `$` as `$$`, so that its output can be read again; the value itself has one. */
function undollar(text: string): string {
  return text.replaceAll('$$', '$');
}

/** The same for every text in a value: a command in a policy has variables of its own. */
function undollarAll<T>(value: T): T {
  return JSON.parse(undollar(JSON.stringify(value))) as T;
}

/** @returns milliseconds of a duration as Go prints it: `1m30s`, `500ms`, `0s` */
export function goDuration(text: string): number {
  const units: Readonly<Record<string, number>> = {
    h: 3_600_000,
    m: 60_000,
    s: 1_000,
    ms: 1,
    us: 1e-3,
    µs: 1e-3,
    ns: 1e-6,
  };
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s|us|µs|ns)/g)) {
    total += Number(amount) * (units[unit ?? ''] ?? 0);
  }
  return Math.round(total);
}
