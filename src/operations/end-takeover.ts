import * as z from 'zod';
import { formatDuration } from '../model/units.js';
import { define, ENDS_A_CHANGE, nothing, PREPARES } from './definition.js';
import { ms, text } from './parts.js';

const shape = {
  kind: z.literal('end-takeover'),
  service: text,
  timeoutMs: ms,
};

/** Removes the container that bridged the takeover, once it has no request in flight. */
export const endTakeover = define(shape, {
  traits: PREPARES,
  describe: ({ service, timeoutMs }) =>
    `end the take-over container of ${service} when it has nothing in flight (at most ${formatDuration(timeoutMs)})`,
  undo: () => nothing(ENDS_A_CHANGE),
});
