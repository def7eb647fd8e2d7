import * as z from 'zod';
import { by, CHANGES, define, type Fields } from './definition.js';
import { strings, text } from './parts.js';

const shape = {
  kind: z.literal('close-ports'),
  service: text,
  ports: strings,
};

export type ClosePorts = Fields<typeof shape>;

/** Takes the ports of a service away from its edge. */
export const closePorts = define(shape, {
  traits: CHANGES,
  describe: ({ service, ports }) => `free port ${ports.join(', ')} from the edge of ${service}`,
  undo: (operation) => by({ ...operation, kind: 'open-ports' }),
});
