import * as z from 'zod';
import { define, ENDS_A_CHANGE, nothing, PREPARES, type Fields } from './definition.js';
import { strings, text } from './parts.js';

const shape = {
  kind: z.literal('end-redirect'),
  service: text,
  ports: strings,
};

export type EndRedirect = Fields<typeof shape>;

/** Ends the redirect of ports to the edge. */
export const endRedirect = define(shape, {
  traits: PREPARES,
  describe: ({ ports }) => `end the redirect of port ${ports.join(', ')}`,
  undo: () => nothing(ENDS_A_CHANGE),
});
