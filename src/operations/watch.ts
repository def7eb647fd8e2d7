import * as z from 'zod';
import { formatDuration } from '../model/units.js';
import { define, LOOKS, maybe, nothing, ONLY_LOOKS, type Fields } from './definition.js';
import { except, ms, text } from './parts.js';

const shape = {
  kind: z.literal('watch'),
  service: text,
  release: maybe(text),
  durationMs: ms,
  except,
  /** Between two batches: it counts what is seen, and gives no verdict on the release yet. */
  between: maybe(z.boolean()),
};

export type Watch = Fields<typeof shape>;

/** Watches what runs for warning signs. */
export const watch = define(shape, {
  traits: { ...LOOKS, recovery: 'verdict' },
  describe: ({ service, durationMs }) =>
    durationMs === 0
      ? `read the resource use of ${service} once, without a watch`
      : `watch ${service} for ${formatDuration(durationMs)}`,
  undo: () => nothing(ONLY_LOOKS),
});
