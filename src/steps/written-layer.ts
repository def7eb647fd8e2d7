import type { ObservedContainer } from '../model/service.js';
import type { Viewing } from './session.js';

/** Files named of a writable layer. */
const NAMED = 3;
/** An emergency waits no longer for it: its engine may be half dead. */
const IN_A_HURRY_MS = 2_000;

/** @returns what only the writable layers of containers hold, and a new container would not have */
export async function writtenBy(
  { engine }: Pick<Viewing, 'engine'>,
  containers: readonly { readonly id: string }[],
): Promise<readonly string[]> {
  return (await Promise.all(containers.map(({ id }) => engine.writtenFiles(id)))).flat();
}

/** @returns undefined when the engine does not tell in two seconds */
export async function writtenInAHurry(
  viewing: Pick<Viewing, 'clock' | 'engine'>,
  containers: readonly { readonly id: string }[],
): Promise<readonly string[] | undefined> {
  const over = new AbortController();
  const late = viewing.clock.sleep(IN_A_HURRY_MS, over.signal).then(
    () => undefined,
    () => undefined,
  );
  const told = writtenBy(viewing, containers).catch(() => undefined);
  return Promise.race([told, late]).finally(() => over.abort());
}

/** @returns the first of them, and how many more there are */
export function nameFiles(files: readonly string[]): string {
  const more = files.length > NAMED ? ` and ${files.length - NAMED} more` : '';
  return `${files.slice(0, NAMED).join(', ')}${more}`;
}

/** @returns what a restart of the same containers costs, for the plan */
export function costInPlace(why: string): string {
  return `Restarted in place (${why}): its writable layer stays; requests fail between stop and ready.`;
}

/** @returns what killing and removing containers costs, for the plan */
export async function costOfKill(viewing: Viewing, containers: readonly ObservedContainer[]): Promise<string> {
  const written = await writtenInAHurry(viewing, containers);
  const lost =
    written === undefined
      ? 'what only its writable layer holds is lost (the engine does not say what that is)'
      : written.length === 0
        ? 'its writable layer holds nothing that would be lost'
        : `what only its writable layer holds is lost: ${nameFiles(written)}`;
  return `Killed, removed and started afresh: requests fail until it is ready; ${lost}.`;
}
