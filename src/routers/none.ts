import type { Router } from '../model/ports/router.js';

/** Nothing sends requests to the service, or nothing that could be told anything. */
export const NO_ROUTER: Router = {
  spec: { kind: 'none' },
  apply: () => Promise.resolve(),
  serving: () => Promise.resolve(undefined),
  inFlight: () => Promise.resolve(undefined),
  cut: () => Promise.resolve(0),
  counts: () => Promise.resolve([]),
  hold: () => Promise.resolve(),
  release: () => Promise.resolve(),
  problems: () => Promise.resolve([]),
};
