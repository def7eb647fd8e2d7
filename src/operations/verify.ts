import * as z from 'zod';
import { define, LOOKS, maybe, nothing, ONLY_LOOKS, type Fields } from './definition.js';
import { except, strings, text } from './parts.js';

const shape = {
  kind: z.literal('verify'),
  service: text,
  release: maybe(text),
  checks: strings,
  except,
  /** It takes no requests yet: what is found now keeps it from getting any. */
  candidate: maybe(z.boolean()),
};

export type Verify = Fields<typeof shape>;

/** Checks what runs: state, identity, version, and what the user asked for. */
export const verify = define(shape, {
  traits: { ...LOOKS, recovery: 'verdict' },
  describe: ({ service, candidate, checks }) =>
    `verify ${service}${candidate === true ? ' before it gets requests' : ''}: ${checks.join(', ')}`,
  undo: () => nothing(ONLY_LOOKS),
});
