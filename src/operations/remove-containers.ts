import * as z from 'zod';
import { CHANGES, define, maybe, nothing, PROCESS_IS_GONE } from './definition.js';
import { strings, text } from './parts.js';
import { counted } from './words.js';

const shape = {
  kind: z.literal('remove-containers'),
  service: text,
  containers: strings,
  /** What they run, and what is started again. */
  release: maybe(text),
};

/** Removes containers that are stopped or were killed. */
export const removeContainers = define(shape, {
  traits: { ...CHANGES, containers: 'removes' },
  describe: ({ service, containers }) => `remove ${counted(containers.length)} of ${service}`,
  undo: () => nothing(PROCESS_IS_GONE),
});
