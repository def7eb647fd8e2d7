import * as z from 'zod';
import { by, CHANGES, define, maybe, nothing } from './definition.js';
import { text } from './parts.js';
import { counted } from './words.js';

const shape = {
  kind: z.literal('replace-containers'),
  service: text,
  to: text,
  from: maybe(text),
  replicas: z.number(),
  /** Replace even where Compose sees no difference. */
  force: z.boolean(),
};

/** Lets Compose replace, create or remove the containers of a service. */
export const replaceContainers = define(shape, {
  traits: { ...CHANGES, containers: 'replaces', interrupts: true },
  describe: ({ service, to, from, replicas }) => {
    if (replicas === 0) return `stop and remove the containers of ${service}: release ${to} has none`;
    if (from === undefined) return `start ${counted(replicas)} of ${service}, release ${to}`;
    return from === to
      ? `recreate ${counted(replicas)} of ${service}, release ${to}`
      : `replace ${counted(replicas)} of ${service}: stop ${from}, start ${to}`;
  },
  undo: (operation) => {
    if (operation.from === undefined) return nothing('nothing ran before: there is nothing to go back to');
    return operation.replicas === 0
      ? nothing('the previous release is started again, unless it is a job')
      : by({ ...operation, from: operation.to, to: operation.from, force: true });
  },
});
