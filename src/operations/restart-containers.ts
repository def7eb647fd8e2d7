import * as z from 'zod';
import { CHANGES, define, maybe, nothing, PROCESS_IS_GONE } from './definition.js';
import { strings, text } from './parts.js';
import { counted } from './words.js';

const shape = {
  kind: z.literal('restart-containers'),
  service: text,
  containers: strings,
  /** What they run, and what is started again. */
  release: maybe(text),
};

/** Restarts the same containers in place. */
export const restartContainers = define(shape, {
  traits: { ...CHANGES, containers: 'restarts', interrupts: true },
  describe: ({ service, containers }) => `restart ${counted(containers.length)} of ${service} in place`,
  undo: () => nothing(PROCESS_IS_GONE),
});
