import * as z from 'zod';
import { CHANGES, define, maybe, nothing, PROCESS_IS_GONE } from './definition.js';
import { strings, text } from './parts.js';
import { counted } from './words.js';

const shape = {
  kind: z.literal('kill-containers'),
  service: text,
  containers: strings,
  /** What they run, and what is started again. */
  release: maybe(text),
};

/** Kills containers at once, without their grace time. */
export const killContainers = define(shape, {
  traits: { ...CHANGES, containers: 'kills', interrupts: true },
  describe: ({ service, containers }) => `kill ${counted(containers.length)} of ${service}`,
  undo: () => nothing(PROCESS_IS_GONE),
});
