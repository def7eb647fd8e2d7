import * as z from 'zod';
import { define, nothing, PREPARES, TOUCHES_NOTHING } from './definition.js';
import { text } from './parts.js';

const shape = {
  kind: z.literal('build-image'),
  service: text,
  tag: text,
  pullBase: z.boolean(),
};

/** Builds the image of a service from its build document. */
export const buildImage = define(shape, {
  traits: { ...PREPARES, endMatters: false },
  describe: ({ service, pullBase }) => `build ${service}${pullBase ? ' on fresh base images' : ''}`,
  undo: () => nothing(TOUCHES_NOTHING),
});
