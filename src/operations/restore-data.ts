import * as z from 'zod';
import { by, CHANGES, define, maybe, nothing, type Fields } from './definition.js';
import { backup, places, text } from './parts.js';

const shape = {
  kind: z.literal('restore-data'),
  ...backup,
  /** Where the data belongs now; each is named as in the backup. */
  places,
  /** Image in whose container the old data is deleted. */
  tool: text,
  /** What was there before, to be put back when this fails; undefined: this is it. */
  safety: maybe(z.object({ backup: text, folder: text }).readonly()),
};

export type RestoreData = Fields<typeof shape>;

/** Puts a backup in the place of the data that is there. */
export const restoreData = define(shape, {
  traits: { ...CHANGES, changes: 'unseen', interrupts: true },
  describe: ({ safety, places: to, backup: id }) => {
    const sources = to.map(({ source }) => source).join(', ');
    return safety === undefined
      ? `restore the earlier data: ${sources} from ${id}`
      : `replace what is in ${sources} by backup ${id}, and compare`;
  },
  undo: (operation) =>
    operation.safety === undefined ? nothing('it is what undoes a restore') : by(dataBack(operation, operation.safety)),
});

/** A backup that takes the place of the data that is there. */
export type DataReturn = Omit<RestoreData, 'kind'>;

/** @returns the operation that restores the data as it was before a restore */
export function dataBack(
  { service, places: to, tool }: DataReturn,
  safety: NonNullable<DataReturn['safety']>,
): RestoreData {
  return { kind: 'restore-data', service, places: to, tool, ...safety, safety: undefined };
}
