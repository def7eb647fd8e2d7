import { z } from 'zod';
import { CONSISTENCIES, NO_BACKUP_POLICY, type BackupPolicy } from '../model/backup-policy.js';
import { ProcedureError } from '../model/errors.js';
import { DEFAULT_HOLD } from '../model/policy.js';
import { NO_POLICY, type ProjectPolicy, type ServicePolicy } from '../model/project-policy.js';
import { PROCEDURES } from '../model/request.js';
import { parseReadiness } from '../model/readiness.js';
import { DEFAULT_DISCOVERY, type RouterSpec } from '../model/router.js';
import { parseDuration } from '../model/units.js';

/** Durations in the file are written as people write them. */
const duration = z.string().transform((text, context) => {
  try {
    return parseDuration(text);
  } catch {
    context.addIssue({ code: 'custom', message: `"${text}" is not a duration; write it like 90s or 5m` });
    return z.NEVER;
  }
});

const readiness = z.string().transform((text, context) => {
  const parsed = parseReadiness(text);
  if (!('problem' in parsed)) return parsed;
  context.addIssue({ code: 'custom', message: parsed.problem });
  return z.NEVER;
});

const port = z.number().int().min(1).max(65_535).optional();
const network = z.string().optional();

/** It becomes a word of a command or of a path. */
const word = z.string().regex(/^[\w.:-]+$/, 'letters, digits and . : _ - only');
const socket = z
  .string()
  .regex(/^(\/.+|tcp:\/\/[^/]+:\d+)$/, 'a path such as /run/haproxy/admin.sock, or tcp://HOST:PORT');
/** Several commands stand in one line, so `;` would begin another. */
const options = z.string().regex(/^[^;\n]*$/, 'no semicolon and no new line');

const router = z.union([
  z.enum(['edge', 'none']).transform((kind): RouterSpec => ({ kind })),
  z.literal('discovery').transform((): RouterSpec => DEFAULT_DISCOVERY),
  z
    .strictObject({
      haproxy: z.strictObject({ socket, backend: word, port, network, options: options.optional() }),
    })
    .transform(({ haproxy: { socket: at, backend, ...rest } }): RouterSpec => ({
      kind: 'haproxy',
      socket: at,
      backend,
      port: rest.port,
      network: rest.network,
      options: rest.options,
    })),
  z
    .strictObject({ caddy: z.strictObject({ admin: z.url(), id: word, port, network, dial: word.optional() }) })
    .transform(({ caddy: { admin, id, ...rest } }): RouterSpec => ({
      kind: 'caddy',
      admin,
      id,
      port: rest.port,
      network: rest.network,
      dial: rest.dial,
    })),
  z
    .strictObject({
      discovery: z.strictObject({
        settle: duration.optional(),
        'drain-command': z.string().optional(),
        'resume-command': z.string().optional(),
      }),
    })
    .transform(({ discovery }): RouterSpec => ({
      kind: 'discovery',
      settleMs: discovery.settle ?? DEFAULT_DISCOVERY.settleMs,
      drainCommand: discovery['drain-command'],
      resumeCommand: discovery['resume-command'],
    })),
]);

const backupPolicy = z
  .strictObject({
    consistency: z.enum(CONSISTENCIES).optional(),
    paths: z.array(z.string().startsWith('/')).optional(),
    quiesce: z.string().optional(),
    resume: z.string().optional(),
  })
  .transform((policy): BackupPolicy => ({
    consistency: policy.consistency ?? (policy.quiesce === undefined ? undefined : 'quiesce'),
    paths: policy.paths ?? [],
    quiesceCommand: policy.quiesce,
    resumeCommand: policy.resume,
  }));

const servicePolicy = z
  .strictObject({
    strategy: z.enum(['auto', 'recreate', 'hold', 'rolling', 'blue-green', 'canary']).optional(),
    router: router.optional(),
    'shared-volumes': z.array(z.string()).optional(),
    readiness: readiness.optional(),
    mode: z.enum(['http', 'tcp']).optional(),
    'proxy-protocol': z.boolean().optional(),
    hold: z.strictObject({ timeout: duration.optional(), queue: z.number().int().min(1).optional() }).optional(),
    backup: backupPolicy.optional(),
    'release-command': z.string().optional(),
  })
  .transform((policy): ServicePolicy => ({
    strategy: policy.strategy,
    router: policy.router,
    sharedVolumes: policy['shared-volumes'] ?? [],
    readiness: policy.readiness,
    mode: policy.mode,
    proxyProtocol: policy['proxy-protocol'] ?? false,
    hold:
      policy.hold === undefined
        ? undefined
        : { maxMs: policy.hold.timeout ?? DEFAULT_HOLD.maxMs, maxQueue: policy.hold.queue ?? DEFAULT_HOLD.maxQueue },
    backup: policy.backup ?? NO_BACKUP_POLICY,
    releaseCommand: policy['release-command'],
  }));

/** `before-code-update`, `after-rollback`: around each procedure that may change something. */
const hookName = z.enum(PROCEDURES.flatMap((name) => [`before-${name}`, `after-${name}`] as const));

const projectPolicy = z
  .strictObject({
    services: z.record(z.string(), servicePolicy).optional(),
    hooks: z.partialRecord(hookName, z.string()).optional(),
  })
  .transform((policy): ProjectPolicy => ({ services: policy.services ?? {}, hooks: policy.hooks }));

/**
 * Reads a compose file's top-level `x-rolling-restart:`.
 * @param services names that the project has
 * @throws ProcedureError E_COMPOSE_FILE that names every mistake: a policy that is misread would be worse than none
 */
export function parsePolicy(value: unknown, services: readonly string[]): ProjectPolicy {
  if (value === undefined || value === null) return NO_POLICY;
  const parsed = projectPolicy.safeParse(value);
  if (!parsed.success) throw policyError(z.prettifyError(parsed.error));
  const unknown = Object.keys(parsed.data.services).filter((name) => !services.includes(name));
  if (unknown.length > 0) {
    throw policyError(`services: there is no service ${unknown.join(', ')}; it has ${[...services].sort().join(', ')}`);
  }
  return parsed.data;
}

function policyError(what: string): ProcedureError {
  return new ProcedureError('E_COMPOSE_FILE', `x-rolling-restart in the compose file cannot be used:\n${what}`, {
    next: 'Correct it; docs/compose-policy.md has every key. Nothing was changed.',
  });
}
