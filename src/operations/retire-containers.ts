import * as z from 'zod';
import { define, nothing, PREPARES, type Fields } from './definition.js';
import { containerSet, text } from './parts.js';
import { describeSet } from './words.js';

const shape = {
  kind: z.literal('retire-containers'),
  service: text,
  containers: containerSet,
};

export type RetireContainers = Fields<typeof shape>;

/** Stops and removes containers that another set has replaced. */
export const retireContainers = define(shape, {
  traits: { ...PREPARES, changes: 'seen', containers: 'retires', interrupts: true },
  describe: ({ service, containers }) => `stop and remove ${describeSet(containers)} of ${service}`,
  undo: () => nothing('going back starts the release again, beside what runs'),
});
