import * as z from 'zod';
import { by, define, nothing, PREPARES } from './definition.js';
import { router, serve, text } from './parts.js';
import { describeServe, routerWords } from './words.js';

const shape = {
  kind: z.literal('shift-traffic'),
  service: text,
  router,
  serve,
};

/** Tells the router which containers get new requests. */
export const shiftTraffic = define(shape, {
  traits: { ...PREPARES, changes: 'seen', interrupts: true },
  describe: ({ service, router: by, serve: who }) => `${routerWords(by)} ${describeServe(who)} of ${service}`,
  undo: (operation) =>
    operation.serve.who === 'new'
      ? by({ ...operation, serve: { who: 'only', containers: operation.serve.old } })
      : nothing('traffic goes to what is ready then'),
});
