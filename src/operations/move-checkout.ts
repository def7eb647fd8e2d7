import * as z from 'zod';
import { short } from '../model/units.js';
import { by, define, PREPARES } from './definition.js';
import { text } from './parts.js';

const shape = {
  kind: z.literal('move-checkout'),
  directory: text,
  from: text,
  to: text,
};

/** Moves the live checkout to another commit. */
export const moveCheckout = define(shape, {
  traits: { ...PREPARES, changes: 'seen' },
  describe: ({ directory, from, to }) => `move the checkout ${directory} from ${short(from)} to ${short(to)}`,
  undo: (operation) => by({ ...operation, from: operation.to, to: operation.from }),
});
