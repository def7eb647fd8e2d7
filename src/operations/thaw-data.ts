import * as z from 'zod';
import { define, nothing, PREPARES, type Fields } from './definition.js';
import { freeze } from './parts.js';
import { counted } from './words.js';

const shape = {
  kind: z.literal('thaw-data'),
  ...freeze,
};

export type ThawData = Fields<typeof shape>;

/** Lets the data of a service change again. */
export const thawData = define(shape, {
  traits: { ...PREPARES, changes: 'seen', containers: 'thaws', beforeReleaseCommand: true },
  describe: ({ how, service, containers }) => {
    switch (how) {
      case 'pause':
        return `let ${counted(containers.length)} of ${service} go on`;
      case 'stop':
        return `start ${counted(containers.length)} of ${service} again`;
      case 'quiesce':
        return `run resume-command for ${service}`;
    }
  },
  undo: () => nothing('it ends what made the data stand still'),
});
