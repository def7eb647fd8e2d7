import * as z from 'zod';
import { define, nothing, PREPARES, USERS_COMMAND } from './definition.js';
import { text } from './parts.js';
import { firstLine } from './words.js';

const shape = {
  kind: z.literal('run-release-command'),
  service: text,
  release: text,
  command: text,
};

/** Runs a command once in a container of the new release that gets no requests. */
export const runReleaseCommand = define(shape, {
  traits: PREPARES,
  describe: ({ release, command }) => `run release-command once in a container of ${release}: ${firstLine(command)}`,
  undo: () => nothing(USERS_COMMAND),
});
