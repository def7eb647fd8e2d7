import { ProcedureError } from '../model/errors.js';
import type { Edges } from '../model/ports/edge.js';

function notYet(): Promise<never> {
  return Promise.reject(
    new ProcedureError('E_ROUTER', 'the managed edge cannot be installed yet', { next: 'Use router: none.' }),
  );
}

/** The managed edge. */
export function createEdges(): Edges {
  return {
    find: () => Promise.resolve(undefined),
    requireImage: notYet,
    modeOf: notYet,
    install: notYet,
    redirectProblem: notYet,
    redirect: notYet,
    open: notYet,
    close: notYet,
    endRedirect: notYet,
    endTakeover: notYet,
    remove: notYet,
  };
}
