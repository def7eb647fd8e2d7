import * as z from 'zod';
import { by, CHANGES, define, maybe, type Undo } from './definition.js';
import { strings, text } from './parts.js';
import type { RetireContainers } from './retire-containers.js';
import { counted } from './words.js';

const shape = {
  kind: z.literal('start-beside'),
  service: text,
  to: text,
  from: maybe(text),
  /** Containers to create. */
  count: z.number(),
  /** Containers that are there; all others of the service are new. */
  beside: strings,
  /** Whether they get the ports of the host; not beside a container that has them. */
  published: z.boolean(),
  /** Whether they have the service's name on its networks from the start. */
  named: z.boolean(),
};

/** Starts containers of a release beside the containers that exist. */
export const startBeside = define(shape, {
  traits: { ...CHANGES, containers: 'copies', interrupts: true },
  describe: ({ service, to, count, beside }) =>
    beside.length === 0
      ? `start ${counted(count)} of ${service}, release ${to}`
      : `start ${counted(count, 'one container', 'containers')} of ${service}, release ${to}, beside what runs`,
  undo: ({ service, beside }): Undo<RetireContainers> =>
    by({ kind: 'retire-containers', service, containers: { are: 'others', than: beside } }),
});
