import * as z from 'zod';
import { define, ENDS_A_CHANGE, nothing, PREPARES, type Fields } from './definition.js';
import { strings, text } from './parts.js';
import { counted } from './words.js';

const shape = {
  kind: z.literal('start-containers'),
  service: text,
  containers: strings,
};

export type StartContainers = Fields<typeof shape>;

/** Starts the same containers again. */
export const startContainers = define(shape, {
  traits: { ...PREPARES, changes: 'seen', containers: 'starts' },
  describe: ({ service, containers }) => `start ${counted(containers.length)} of ${service} again`,
  undo: () => nothing(ENDS_A_CHANGE),
});
