import * as z from 'zod';
import { short } from '../model/units.js';
import { by, define, maybe, nothing, PREPARES } from './definition.js';
import { text } from './parts.js';

const shape = {
  kind: z.literal('tag-image'),
  service: text,
  tag: text,
  /** Image the tag shall name. */
  to: text,
  /** Image the tag names now; undefined when the tag does not exist. */
  from: maybe(text),
};

/** Makes a tag name another image. */
export const tagImage = define(shape, {
  traits: { ...PREPARES, changes: 'seen', endMatters: false, recovery: 'change' },
  describe: ({ tag, to, from }) => `tag ${short(to)} as ${tag}${from === undefined ? '' : ` (was ${short(from)})`}`,
  undo: (operation) =>
    operation.from === undefined
      ? nothing('the tag did not exist; it stays')
      : by({ ...operation, from: operation.to, to: operation.from }),
});
