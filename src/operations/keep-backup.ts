import * as z from 'zod';
import { define, NOT_KEPT, nothing, PREPARES, type Fields } from './definition.js';
import { backup } from './parts.js';

const shape = {
  kind: z.literal('keep-backup'),
  ...backup,
};

export type KeepBackup = Fields<typeof shape>;

/** Reads a backup back completely; only then it counts. */
export const keepBackup = define(shape, {
  traits: { ...PREPARES, beforeReleaseCommand: true },
  describe: ({ backup: id }) => `read backup ${id} back, all of it, and keep it`,
  undo: () => nothing(NOT_KEPT),
});
