import * as z from 'zod';
import { CHANGES, define, nothing } from './definition.js';
import { ms, strings, text } from './parts.js';

const shape = {
  kind: z.literal('repair-edge'),
  service: text,
  ports: strings,
  timeoutMs: ms,
};

/** Repairs an edge that was stopped, lost a network or a port, or was left in the middle of a takeover. */
export const repairEdge = define(shape, {
  traits: CHANGES,
  describe: ({ service, ports }) =>
    `repair the edge of ${service}: it has port ${ports.join(', ')} and sends to what runs`,
  undo: () => nothing('what was broken stays repaired'),
});
