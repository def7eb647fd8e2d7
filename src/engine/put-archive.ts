import type { EngineClient } from './client.js';
import { onceMore } from './failures.js';

/** What reading or writing a file of some megabytes may take. */
export const ARCHIVE_MS = 60_000;

/** Unpacks an archive that is in memory into a folder of a container, as `docker cp` does. @param what the call, in words */
export async function putArchive(
  client: EngineClient,
  what: string,
  { container, folder, archive }: { readonly container: string; readonly folder: string; readonly archive: Buffer },
): Promise<void> {
  await onceMore(() =>
    client.call(
      what,
      async (docker, abortSignal) => {
        // A folder never takes a file's place, nor the other way round.
        const options = { path: folder, noOverwriteDirNonDir: 'true', abortSignal };
        await docker.getContainer(container).putArchive(archive, options);
      },
      { timeoutMs: ARCHIVE_MS },
    ),
  );
}
