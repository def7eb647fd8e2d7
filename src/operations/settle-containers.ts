import * as z from 'zod';
import { define, ENDS_A_CHANGE, maybe, nothing, PREPARES } from './definition.js';
import { strings, text } from './parts.js';

const shape = {
  kind: z.literal('settle-containers'),
  service: text,
  /** Name that the compose file gives the container; undefined: Compose's own scheme. */
  containerName: maybe(text),
  /** Whether they get the service's name on its networks. That cuts their connections, so it comes before requests. */
  named: z.boolean(),
  except: strings,
};

/** Gives new containers the name that the compose file gives them, or the name of the service on its networks. */
export const settleContainers = define(shape, {
  traits: PREPARES,
  describe: ({ service, named, containerName }) =>
    named
      ? `give the new containers the name ${service} on its networks`
      : `give the container of ${service} its name${containerName === undefined ? '' : ` ${containerName}`}`,
  undo: () => nothing(ENDS_A_CHANGE),
});
