import * as z from 'zod';
import { by, CHANGES, define, type Undo } from './definition.js';
import { strings, text } from './parts.js';
import type { StartContainers } from './start-containers.js';
import { counted } from './words.js';

const shape = {
  kind: z.literal('stop-containers'),
  service: text,
  containers: strings,
};

/** Stops containers with their grace time. */
export const stopContainers = define(shape, {
  traits: { ...CHANGES, containers: 'stops', interrupts: true },
  describe: ({ service, containers }) => `stop ${counted(containers.length)} of ${service}`,
  undo: (operation): Undo<StartContainers> => by({ ...operation, kind: 'start-containers' }),
});
