import { previousRelease, type ReleaseWithDefinition } from '../model/release.js';
import type { Candidate } from './candidate.js';
import { imageOf } from './kept-candidate.js';
import type { LiveNow } from './live-release.js';
import { filesDefine } from './replace.js';
import type { Session } from './session.js';
import { routerInPlace } from './traffic-facts.js';
import { releaseBefore } from './way-back.js';

/** What failed is live, and no rollback was tried: why not, and how a person goes back. */
export function stepsAfterFailure(session: Session, { service, current, release }: Candidate): readonly string[] {
  const before = releaseBefore(current) ?? previousRelease(current.history, release.id);
  if (before === undefined) {
    return [
      `${service}: no release was live before, so there is nothing to go back to. Its container and log are left as they are: docker compose -p ${session.project} logs ${service}.`,
    ];
  }
  const why = current.release === undefined ? 'nothing of it ran before' : 'it was not rolled back';
  return [
    `${service}: what failed is what is there now (${why}). To go back to release ${before.id}: procedure rollback with rollback-to: release:${before.id}.`,
  ];
}

/** Going back failed: what the engine shows now, and what to run. */
export async function stepsAfterFailedUndo(
  session: Session,
  { service, release }: Candidate,
  back: ReleaseWithDefinition,
  live: LiveNow,
): Promise<readonly string[]> {
  const which =
    live.release?.id === back.id
      ? `It is release ${back.id}, the one before; a check of it failed`
      : live.release?.id === release.id
        ? `It is release ${release.id}, the one that failed`
        : live.release !== undefined
          ? `It is release ${live.release.id}`
          : 'It is not certain which release serves';
  return [
    `Live now is ${live.words}. ${which}.`,
    'The undo is not finished. The next run of any procedure tries it again; in a shell: recover.',
    await wayByHand(session, service, back),
  ];
}

/**
 * The commands that bring a release back without us, only where they do that. A router that knows containers by address
 * does not follow Compose, the edge has the ports that Compose would give to the container, and Compose starts what the
 * files define today.
 */
async function wayByHand(session: Session, service: string, back: ReleaseWithDefinition): Promise<string> {
  const image = await imageOf(session, back).catch(() => undefined);
  if (image === undefined) {
    return `The image of release ${back.id} is gone from the engine: procedure check lists the releases that can be gone back to; or deploy a corrected commit.`;
  }
  const rollback = `When the cause is gone: procedure rollback with rollback-to: release:${back.id}.`;
  const router = await routerInPlace(session, service).catch(() => undefined);
  if (router?.kind === 'edge') {
    return `${rollback} Do not run docker compose up: the edge has the ports of ${service}, and a container from Compose cannot start.`;
  }
  if (router?.kind !== 'none' || !(await filesDefine(session, back))) return rollback;
  return `${rollback} By hand, in ${session.request.workingDirectory}: docker tag ${back.image.keptAs} ${back.image.name} && ${upCommand(session, service)}`;
}

function upCommand({ project, request }: Session, service: string): string {
  const files = request.composeFiles.map((file) => `-f ${file} `).join('');
  return `docker compose -p ${project} ${files}up -d --no-build --no-deps --force-recreate ${service}`;
}
