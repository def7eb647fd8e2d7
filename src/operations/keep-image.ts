import * as z from 'zod';
import { short } from '../model/units.js';
import { define, nothing, PREPARES, TOUCHES_NOTHING } from './definition.js';
import { strings, text } from './parts.js';

const shape = {
  kind: z.literal('keep-image'),
  service: text,
  image: text,
  tags: strings,
};

/** Gives an image tags of its own, so that pruning does not remove it. */
export const keepImage = define(shape, {
  traits: { ...PREPARES, endMatters: false, beforeReleaseCommand: true },
  describe: ({ service, image, tags }) => `keep image ${short(image)} of ${service} as ${tags.join(', ')}`,
  undo: () => nothing(TOUCHES_NOTHING),
});
