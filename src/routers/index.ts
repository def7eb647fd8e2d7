import { ProcedureError } from '../model/errors.js';
import type { Routers } from '../model/ports/router.js';
import { NO_ROUTER } from './none.js';

/** Every kind of router there is; a new one is one file and one line here. */
export function createRouters(): Routers {
  return {
    open: (spec) => {
      if (spec.kind === 'none') return Promise.resolve(NO_ROUTER);
      throw new ProcedureError('E_ROUTER', `router ${spec.kind} cannot be used yet`, { next: 'Use router: none.' });
    },
  };
}
