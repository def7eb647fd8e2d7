import { ProcedureError } from '../model/errors.js';
import type { Routers } from '../model/ports/router.js';
import type { EdgeTools } from './edge/containers.js';
import { openEdge } from './edge/router.js';
import { NO_ROUTER } from './none.js';

/** Every kind of router there is; a new one is one file and one line here. */
export function createRouters(tools: { readonly edge: EdgeTools }): Routers {
  return {
    open: (spec, of) => {
      if (spec.kind === 'edge') return openEdge(tools.edge, of);
      if (spec.kind === 'none') return Promise.resolve(NO_ROUTER);
      throw new ProcedureError('E_ROUTER', `router ${spec.kind} cannot be used yet`, { next: 'Use router: none.' });
    },
  };
}
