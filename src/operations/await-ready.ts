import * as z from 'zod';
import { formatDuration } from '../model/units.js';
import { define, LOOKS, maybe, nothing, ONLY_LOOKS } from './definition.js';
import { except, ms, text } from './parts.js';

const shape = {
  kind: z.literal('await-ready'),
  service: text,
  release: maybe(text),
  timeoutMs: ms,
  except,
  /** How many may fail to become ready in the whole change, and are created once more (`max_failure_ratio`). */
  tolerate: maybe(z.number()),
};

/** Waits until the containers of a service are ready. */
export const awaitReady = define(shape, {
  traits: { ...LOOKS, endMatters: false, recovery: 'verdict' },
  describe: ({ service, timeoutMs }) => `wait until ${service} is ready (at most ${formatDuration(timeoutMs)})`,
  undo: () => nothing(ONLY_LOOKS),
});
