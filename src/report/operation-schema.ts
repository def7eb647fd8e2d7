import * as z from 'zod';

const text = z.string();
const service = { service: text };
const containers = { service: text, containers: z.array(text), release: text.optional() };
const ms = z.number().describe('milliseconds');

const router = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('edge') }),
  z.object({
    kind: z.literal('haproxy'),
    socket: text,
    backend: text,
    port: z.number().optional(),
    network: text.optional(),
    options: text.optional(),
  }),
  z.object({
    kind: z.literal('caddy'),
    admin: text,
    id: text,
    port: z.number().optional(),
    network: text.optional(),
    dial: text.optional(),
  }),
  z.object({
    kind: z.literal('discovery'),
    settleMs: ms,
    drainCommand: text.optional(),
    resumeCommand: text.optional(),
  }),
  z.object({ kind: z.literal('none') }),
]);

const serve = z.discriminatedUnion('who', [
  z.object({ who: z.literal('only'), containers: z.array(text) }),
  z.object({ who: z.literal('all-but'), containers: z.array(text) }),
  z.object({ who: z.literal('new'), old: z.array(text), percent: z.number() }),
]);

const containerSet = z.discriminatedUnion('are', [
  z.object({ are: z.literal('these'), containers: z.array(text) }),
  z.object({ are: z.literal('others'), than: z.array(text) }),
]);

const edge = z.object({
  project: text,
  ...service,
  image: text,
  ports: z.array(
    z.object({
      target: z.number(),
      published: text,
      hostIp: text.optional(),
      mode: z.enum(['http', 'tcp']),
      proxyProtocol: z.boolean(),
    }),
  ),
  networks: z.array(z.object({ name: text, aliases: z.array(text) })),
});

const places = z.array(z.object({ name: text, kind: z.enum(['volume', 'bind']), source: text, target: text }));
const consistency = z.enum(['pause', 'stop', 'quiesce']);
const freeze = {
  ...service,
  how: consistency,
  containers: z.array(text),
  quiesceCommand: text.optional(),
  resumeCommand: text.optional(),
};
const backup = { ...service, backup: text, folder: text };

const except = { except: z.array(text).optional().describe('containers of the service that are not meant') };

/** An operation of the plan; held against the type `Operation` by the check in report-schema.ts. */
export const operation = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('fetch-source'), directory: text, ref: text }),
  z.object({ kind: z.literal('add-worktree'), directory: text, path: text, commit: text }),
  z.object({ kind: z.literal('run-command'), name: text, command: text, directory: text }),
  z.object({ kind: z.literal('run-release-command'), ...service, release: text, command: text }),
  z.object({ kind: z.literal('build-image'), ...service, tag: text, pullBase: z.boolean() }),
  z.object({ kind: z.literal('pull-image'), ...service, reference: text }),
  z.object({ kind: z.literal('push-image'), ...service, image: text, reference: text }),
  z.object({ kind: z.literal('capture-evidence'), ...service, moment: z.enum(['before', 'after']) }),
  z.object({
    kind: z.literal('free-port'),
    ...service,
    port: z.number(),
    holder: z.discriminatedUnion('kind', [
      z.object({
        kind: z.literal('process'),
        pid: z.number(),
        name: text,
        started: text.describe('clock ticks since the boot'),
      }),
      z.object({ kind: z.literal('container'), id: text, name: text }),
    ]),
  }),
  z.object({ kind: z.literal('keep-image'), ...service, image: text, tags: z.array(text) }),
  z.object({ kind: z.literal('move-checkout'), directory: text, from: text, to: text }),
  z.object({ kind: z.literal('tag-image'), ...service, tag: text, to: text, from: text.optional() }),
  z.object({
    kind: z.literal('replace-containers'),
    ...service,
    to: text,
    from: text.optional(),
    replicas: z.number(),
    force: z.boolean(),
  }),
  z.object({ kind: z.literal('restart-containers'), ...containers }),
  z.object({ kind: z.literal('kill-containers'), ...containers }),
  z.object({ kind: z.literal('remove-containers'), ...containers }),
  z.object({ kind: z.literal('remove-leftovers'), ...service, containers: z.array(text), names: z.array(text) }),
  z.object({ kind: z.literal('remove-networks'), project: text }),
  z.object({
    kind: z.literal('start-beside'),
    ...service,
    to: text,
    from: text.optional(),
    count: z.number(),
    beside: z.array(text),
    published: z.boolean(),
    named: z.boolean(),
  }),
  z.object({ kind: z.literal('shift-traffic'), ...service, router, serve }),
  z.object({ kind: z.literal('drain-containers'), ...service, router, containers: containerSet, timeoutMs: ms }),
  z.object({ kind: z.literal('stop-containers'), ...service, containers: z.array(text) }),
  z.object({ kind: z.literal('start-containers'), ...service, containers: z.array(text) }),
  z.object({
    kind: z.literal('set-restart-policy'),
    ...service,
    containers: z.array(text),
    to: z.enum(['always', 'unless-stopped']),
  }),
  z.object({ kind: z.literal('retire-containers'), ...service, containers: containerSet }),
  z.object({
    kind: z.literal('settle-containers'),
    ...service,
    containerName: text.optional(),
    named: z.boolean(),
    except: z.array(text),
  }),
  z.object({ kind: z.literal('hold-traffic'), ...service, router, maxMs: ms, maxQueue: z.number() }),
  z.object({ kind: z.literal('release-traffic'), ...service, router }),
  z.object({ kind: z.literal('install-edge'), ...service, edge, containers: z.array(text) }),
  z.object({ kind: z.literal('redirect-ports'), ...service, ports: z.array(text) }),
  z.object({ kind: z.literal('open-ports'), ...service, ports: z.array(text) }),
  z.object({ kind: z.literal('close-ports'), ...service, ports: z.array(text) }),
  z.object({ kind: z.literal('end-redirect'), ...service, ports: z.array(text) }),
  z.object({ kind: z.literal('end-takeover'), ...service, timeoutMs: ms }),
  z.object({ kind: z.literal('remove-edge'), ...service }),
  z.object({ kind: z.literal('repair-edge'), ...service, ports: z.array(text), timeoutMs: ms }),
  z.object({ kind: z.literal('freeze-data'), ...freeze }),
  z.object({ kind: z.literal('thaw-data'), ...freeze }),
  z.object({
    kind: z.literal('save-data'),
    ...backup,
    release: text.optional(),
    reason: z.enum(['asked', 'before', 'safety']),
    consistency,
    places,
  }),
  z.object({ kind: z.literal('keep-backup'), ...backup }),
  z.object({
    kind: z.literal('restore-data'),
    ...backup,
    places,
    tool: text,
    safety: z.object({ backup: text, folder: text }).optional(),
  }),
  z.object({ kind: z.literal('delete-backups'), ...service, folders: z.array(text) }),
  z.object({
    kind: z.literal('await-ready'),
    ...service,
    release: text.optional(),
    timeoutMs: ms,
    ...except,
    tolerate: z.number().optional(),
  }),
  z.object({
    kind: z.literal('verify'),
    ...service,
    release: text.optional(),
    checks: z.array(text),
    ...except,
    candidate: z.boolean().optional(),
  }),
  z.object({
    kind: z.literal('watch'),
    ...service,
    release: text.optional(),
    durationMs: ms,
    ...except,
    between: z.boolean().optional(),
  }),
  z.object({
    kind: z.literal('analyse-canary'),
    ...service,
    router,
    release: text,
    old: z.array(text),
    percent: z.number(),
    durationMs: ms,
  }),
  z.object({ kind: z.literal('accept-release'), ...service, release: text }),
  z.object({ kind: z.literal('record-stop'), ...service, release: text, reason: text }),
  z.object({ kind: z.literal('record-start'), ...service, release: text }),
  z.object({ kind: z.literal('reject-release'), ...service, release: text, reason: text }),
]);
