import * as z from 'zod';
import { by, CHANGES, define, type Undo } from './definition.js';
import { edge, strings, text } from './parts.js';
import type { RemoveEdge } from './remove-edge.js';

const shape = {
  kind: z.literal('install-edge'),
  service: text,
  edge,
  /** Running containers that it sends requests to at first. */
  containers: strings,
};

/** Creates the edge of a service; it takes no port yet. */
export const installEdge = define(shape, {
  traits: { ...CHANGES, interrupts: true },
  describe: ({ service, edge: spec }) =>
    `make the edge of ${service} for port ${spec.ports.map((port) => port.published).join(', ')} (it takes nothing yet)`,
  undo: ({ service }): Undo<RemoveEdge> => by({ kind: 'remove-edge', service }),
});
