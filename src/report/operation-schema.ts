import * as z from 'zod';

const text = z.string();
const service = { service: text };
const containers = { service: text, containers: z.array(text), release: text.optional() };
const ms = z.number().describe('milliseconds');

/** An operation of the plan; held against the type `Operation` by the check in report-schema.ts. */
export const operation = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('fetch-source'), directory: text, ref: text }),
  z.object({ kind: z.literal('add-worktree'), directory: text, path: text, commit: text }),
  z.object({ kind: z.literal('run-command'), name: text, command: text, directory: text }),
  z.object({ kind: z.literal('build-image'), ...service, tag: text, pullBase: z.boolean() }),
  z.object({ kind: z.literal('pull-image'), ...service, reference: text }),
  z.object({ kind: z.literal('capture-evidence'), ...service, moment: z.enum(['before', 'after']) }),
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
  z.object({ kind: z.literal('await-ready'), ...service, release: text.optional(), timeoutMs: ms }),
  z.object({ kind: z.literal('verify'), ...service, release: text.optional(), checks: z.array(text) }),
  z.object({ kind: z.literal('watch'), ...service, release: text.optional(), durationMs: ms }),
  z.object({ kind: z.literal('accept-release'), ...service, release: text }),
  z.object({ kind: z.literal('reject-release'), ...service, release: text, reason: text }),
]);
