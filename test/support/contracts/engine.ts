import { afterAll, beforeAll } from 'vitest';
import { containersContract } from './engine-containers.js';
import { engineFailuresContract } from './engine-failures.js';
import { EngineFixture } from './engine-fixture.js';
import { imagesContract, networksContract } from './engine-resources.js';
import { restartsContract } from './engine-restarts.js';
import { showsContract } from './engine-shows.js';
import type { EngineSubject } from './subject.js';

/** What every engine keeps to, the real one and the one in memory. The parts share one project, and run in this order. */
export function engineContract(name: string, create: () => Promise<EngineSubject>): void {
  const fixture = new EngineFixture();

  beforeAll(async () => {
    await fixture.open(await create());
  });
  afterAll(async () => {
    await fixture.close();
  });

  containersContract(name, fixture);
  showsContract(name, fixture);
  restartsContract(name, fixture);
  imagesContract(name, fixture);
  engineFailuresContract(name, fixture);
  networksContract(name, fixture);
}
