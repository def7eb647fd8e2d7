import * as z from 'zod';
import { define, nothing, PREPARES, type Fields } from './definition.js';
import { text } from './parts.js';

const shape = {
  kind: z.literal('reject-release'),
  service: text,
  release: text,
  reason: text,
};

export type RejectRelease = Fields<typeof shape>;

/** Marks a release as bad. */
export const rejectRelease = define(shape, {
  traits: PREPARES,
  describe: ({ service, release }) => `mark ${release} of ${service} as bad`,
  undo: () => nothing('it is only a mark; --force deploys the release anyway'),
});
