import * as z from 'zod';
import { by, define, PREPARES, type Undo } from './definition.js';
import { strings, text } from './parts.js';
import type { EndRedirect } from './end-redirect.js';

const shape = {
  kind: z.literal('redirect-ports'),
  service: text,
  ports: strings,
};

/** Redirects new connections to the ports of a container through the edge. */
export const redirectPorts = define(shape, {
  traits: { ...PREPARES, changes: 'seen', interrupts: true },
  describe: ({ service, ports }) =>
    `redirect new connections to port ${ports.join(', ')} through the edge of ${service}`,
  undo: (operation): Undo<EndRedirect> => by({ ...operation, kind: 'end-redirect' }),
});
