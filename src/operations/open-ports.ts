import * as z from 'zod';
import { by, define, PREPARES, type Undo } from './definition.js';
import { strings, text } from './parts.js';
import type { ClosePorts } from './close-ports.js';

const shape = {
  kind: z.literal('open-ports'),
  service: text,
  ports: strings,
};

/** Publishes the ports of a service on its edge. */
export const openPorts = define(shape, {
  traits: { ...PREPARES, changes: 'seen' },
  describe: ({ service, ports }) => `open port ${ports.join(', ')} on the edge of ${service}`,
  undo: (operation): Undo<ClosePorts> => by({ ...operation, kind: 'close-ports' }),
});
