import * as z from 'zod';
import { formatDuration } from '../model/units.js';
import { define, LOOKS, nothing, ONLY_LOOKS } from './definition.js';
import { ms, router, strings, text } from './parts.js';

const shape = {
  kind: z.literal('analyse-canary'),
  service: text,
  router,
  release: text,
  old: strings,
  percent: z.number(),
  durationMs: ms,
};

/** Compares new and old containers for the length of a canary step. */
export const analyseCanary = define(shape, {
  traits: { ...LOOKS, recovery: 'verdict' },
  describe: ({ service, percent, durationMs }) =>
    `compare new and old of ${service} at ${percent} % for ${formatDuration(durationMs)}`,
  undo: () => nothing(ONLY_LOOKS),
});
