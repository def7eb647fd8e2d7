import * as z from 'zod';
import { short } from '../model/units.js';
import { define, nothing, PREPARES } from './definition.js';
import { text } from './parts.js';

const shape = {
  kind: z.literal('add-worktree'),
  directory: text,
  path: text,
  commit: text,
};

/** Takes the wanted commit as a worktree, which is the build context. */
export const addWorktree = define(shape, {
  traits: { ...PREPARES, endMatters: false },
  describe: ({ commit }) => `take commit ${short(commit)} as a worktree (build context)`,
  undo: () => nothing('removed at the end of the run'),
});
