import * as z from 'zod';
import { short } from '../model/units.js';
import { by, define, maybe, nothing, PREPARES, type Fields } from './definition.js';
import { text } from './parts.js';

const shape = {
  kind: z.literal('tag-image'),
  service: text,
  tag: text,
  /** Image the tag shall name. */
  to: text,
  /** Image the tag names now; undefined: there is no such tag. */
  from: maybe(text),
};

export type TagImage = Fields<typeof shape>;

/** Makes a tag name another image. */
export const tagImage = define(shape, {
  traits: { ...PREPARES, changes: 'seen', endMatters: false, recovery: 'change' },
  describe: ({ tag, to, from }) => `tag ${short(to)} as ${tag}${from === undefined ? '' : ` (was ${short(from)})`}`,
  undo: (operation) =>
    operation.from === undefined
      ? nothing('the tag did not exist; it stays')
      : by({ ...operation, from: operation.to, to: operation.from }),
});
