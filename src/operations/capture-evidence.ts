import * as z from 'zod';
import { define, LOOKS, nothing, ONLY_LOOKS } from './definition.js';
import { text } from './parts.js';

const shape = {
  kind: z.literal('capture-evidence'),
  service: text,
  moment: z.enum(['before', 'after']),
};

/** Keeps log, stats and inspect output of a service. */
export const captureEvidence = define(shape, {
  traits: { ...LOOKS, endMatters: false, beforeReleaseCommand: true },
  describe: ({ service, moment }) => `capture log, stats and inspect output of ${service} (${moment})`,
  undo: () => nothing(ONLY_LOOKS),
});
