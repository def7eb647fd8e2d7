import * as z from 'zod';
import { by, CHANGES, define, type Fields, type Undo } from './definition.js';
import { freeze } from './parts.js';
import type { ThawData } from './thaw-data.js';
import { counted } from './words.js';

const shape = {
  kind: z.literal('freeze-data'),
  ...freeze,
};

export type FreezeData = Fields<typeof shape>;

/** Keeps the data of a service from changing. */
export const freezeData = define(shape, {
  traits: { ...CHANGES, beforeReleaseCommand: true },
  describe: ({ how, service, containers }) =>
    `${words(how, service, containers.length)}, so that its data stands still`,
  undo: (operation): Undo<ThawData> => by({ ...operation, kind: 'thaw-data' }),
});

/** What keeps data from changing, and lets it change again. */
export type Freeze = Omit<FreezeData, 'kind'>;

function words(how: FreezeData['how'], service: string, count: number): string {
  switch (how) {
    case 'pause':
      return `pause ${counted(count)} of ${service}`;
    case 'stop':
      return `stop ${counted(count)} of ${service}`;
    case 'quiesce':
      return `run quiesce-command for ${service}`;
  }
}
