import * as z from 'zod';
import { describeHolder } from '../model/remedies.js';
import { define, nothing, PREPARES } from './definition.js';
import { portHolder, text } from './parts.js';

const shape = {
  kind: z.literal('free-port'),
  service: text,
  port: z.number(),
  holder: portHolder,
};

/** Asks the process or container that has a port of the host to end. Only where `remedies` names it. */
export const freePort = define(shape, {
  traits: { ...PREPARES, changes: 'unseen' },
  describe: ({ service, port, holder }) =>
    `free port ${port} of the host for ${service}: ${holder.kind === 'process' ? 'end' : 'stop'} ${describeHolder(holder)}`,
  undo: () => nothing('a person starts the earlier owner of the port again'),
});
