import * as z from 'zod';
import { define, nothing, PREPARES, USERS_COMMAND } from './definition.js';
import { text } from './parts.js';
import { firstLine } from './words.js';

const shape = {
  kind: z.literal('run-command'),
  name: text,
  command: text,
  directory: text,
};

/** Runs a command of the user on the host. */
export const runCommand = define(shape, {
  traits: PREPARES,
  describe: ({ name, command }) => `run ${name}: ${firstLine(command)}`,
  undo: () => nothing(USERS_COMMAND),
});
