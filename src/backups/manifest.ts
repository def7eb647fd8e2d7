import { z } from 'zod';
import { CONSISTENCIES } from '../model/backup-policy.js';
import { MANIFEST_SCHEMA, type BackupManifest } from '../model/backup.js';

const digits = z.string().regex(/^[0-9a-f]{64}$/);

/** A name that is one file beside the manifest and nothing else. */
const fileName = z.string().regex(/^[A-Za-z0-9_][\w.-]{0,199}$/);

/** Checked against the model's type by the compiler; fields that a newer version wrote are carried along. */
export const manifestSchema: z.ZodType<BackupManifest> = z.looseObject({
  schema: z.literal(MANIFEST_SCHEMA),
  id: z.string(),
  project: z.string(),
  service: z.string(),
  release: z
    .string()
    .optional()
    .transform((value) => value),
  reason: z.enum(['asked', 'before', 'safety']),
  consistency: z.enum(CONSISTENCIES),
  procedure: z.string(),
  run: z.string(),
  by: z.string(),
  host: z.string(),
  at: z.string(),
  frozenMs: z.number(),
  entries: z.array(
    z.looseObject({
      name: fileName,
      kind: z.enum(['volume', 'bind']),
      source: z.string(),
      target: z.string(),
      archive: fileName,
      sizeBytes: z.number(),
      tarBytes: z.number(),
      sha256: digits,
      tarSha256: digits,
      entries: z.number(),
    }),
  ),
});
