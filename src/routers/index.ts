import type { Engine } from '../model/ports/engine.js';
import type { Routers } from '../model/ports/router.js';
import { openCaddy } from './caddy.js';
import type { EdgeTools } from './edge/containers.js';
import { openDiscovery } from './discovery.js';
import { openEdge } from './edge/router.js';
import { openHaproxy } from './haproxy.js';
import { NO_ROUTER } from './none.js';

/** What routers are worked with; built in `wiring.ts`. */
export interface RouterTools {
  readonly edge: EdgeTools;
  readonly engine: Pick<Engine, 'container' | 'containers' | 'exec'>;
}

/** Every kind of router there is; a new one is one file and one line here. */
export function createRouters({ edge, engine }: RouterTools): Routers {
  return {
    open: async (spec, of) => {
      switch (spec.kind) {
        case 'edge':
          return openEdge(edge, of);
        case 'haproxy':
          return openHaproxy(engine, spec, of);
        case 'none':
          return NO_ROUTER;
        case 'caddy':
          return openCaddy(engine, spec, of);
        case 'discovery':
          return openDiscovery(engine, spec);
      }
    },
  };
}
