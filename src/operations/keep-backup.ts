import * as z from 'zod';
import { define, NOT_KEPT, nothing, PREPARES } from './definition.js';
import { backup } from './parts.js';

const shape = {
  kind: z.literal('keep-backup'),
  ...backup,
};

/** Reads a backup back completely; only then it counts. */
export const keepBackup = define(shape, {
  traits: { ...PREPARES, beforeReleaseCommand: true },
  describe: ({ backup: id }) => `read backup ${id} back, all of it, and keep it`,
  undo: () => nothing(NOT_KEPT),
});
