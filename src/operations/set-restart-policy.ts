import * as z from 'zod';
import { by, define, PREPARES } from './definition.js';
import { strings, text } from './parts.js';
import { counted } from './words.js';

const shape = {
  kind: z.literal('set-restart-policy'),
  service: text,
  containers: strings,
  /** `always` starts what was stopped, `unless-stopped` does not. */
  to: z.enum(['always', 'unless-stopped']),
};

/** Sets what Docker does when containers end, or when Docker itself starts. */
export const setRestartPolicy = define(shape, {
  traits: PREPARES,
  describe: ({ service, containers, to }) =>
    `set the restart policy of ${counted(containers.length)} of ${service} to ${to}`,
  undo: (operation) => by({ ...operation, to: operation.to === 'always' ? 'unless-stopped' : 'always' }),
});
