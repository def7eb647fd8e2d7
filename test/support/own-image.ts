import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BASE_IMAGE, docker } from './engine-containers.js';

/**
 * Gives the base image another name, and an id of its own. All tests share the base image: once one test has pushed it to a registry,
 * the engine says of all its names that they come from there.
 * @param label `NAME=VALUE` that makes the id differ; the name of the image unless given
 */
export async function makeOwnBase(tag: string, label = `rolling-restart.test-image=${tag}`): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'rr-base-'));
  try {
    await writeFile(join(folder, 'Dockerfile'), `FROM ${BASE_IMAGE}\nLABEL ${label}\n`);
    await docker('build', '--quiet', '--tag', tag, folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}
