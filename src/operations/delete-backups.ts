import * as z from 'zod';
import { define, nothing, PREPARES } from './definition.js';
import { strings, text } from './parts.js';
import { counted } from './words.js';

const shape = {
  kind: z.literal('delete-backups'),
  service: text,
  folders: strings,
};

/** Deletes backups that newer ones replace. */
export const deleteBackups = define(shape, {
  traits: PREPARES,
  describe: ({ service, folders }) =>
    `delete ${counted(folders.length, 'one old backup', 'old backups')} of ${service}`,
  undo: () => nothing('newer ones are there'),
});
