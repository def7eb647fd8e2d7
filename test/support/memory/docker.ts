import type { Clock } from '../../../src/model/ports/clock.js';
import type { Behavior } from './behavior.js';
import { rfc3339 } from './container.js';
import { Containers } from './containers.js';
import { EventLog } from './event-log.js';
import { Faults } from './faults.js';
import { Images, type Image } from './images.js';
import { Networks, Volumes } from './resources.js';

/**
 * The small world of one engine, on a clock. It behaves as Engine 26.1.5 where decisions hang on it: the suites in
 * `test/support/contracts` hold both to the same. Ports of it: `engine.ts`, `compose.ts` and `records.ts`.
 */
export class DockerWorld {
  readonly images = new Images();
  readonly networks = new Networks();
  readonly faults = new Faults();
  readonly events: EventLog;
  readonly volumes: Volumes;
  readonly containers: Containers;

  constructor(readonly clock: Clock) {
    this.events = new EventLog(() => clock.now());
    this.volumes = new Volumes(this.events);
    this.containers = new Containers(this);
    this.networks.create('bridge', {}, { driver: 'bridge' });
  }

  addImage(tag: string, behavior: Behavior): Image {
    return this.images.add(tag, behavior, rfc3339(this.clock.now()));
  }
}
