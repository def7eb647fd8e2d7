import { previousRelease, type Release } from '../model/release.js';
import type { Candidate } from './candidate.js';
import { describeState } from './diagnose.js';
import { imageOf } from './kept-candidate.js';
import type { Session } from './session.js';
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

/**
 * Going back failed: what the engine shows now, and what to run.
 * @param placed the release whose containers were made last; undefined when making them failed
 */
export async function stepsAfterFailedUndo(
  session: Session,
  { service, release }: Candidate,
  back: Release,
  placed: string | undefined,
): Promise<readonly string[]> {
  const containers = await session.engine.containers(session.project, service).catch(() => undefined);
  const words = containers?.map((container) => `${container.name}: ${describeState(container)}`) ?? [];
  const seen =
    containers === undefined ? 'the engine does not answer' : words.length === 0 ? 'no container' : words.join('; ');
  const which =
    placed === back.id
      ? `It is release ${back.id}, the one before, which was put back and did not pass`
      : placed === release.id
        ? `It is release ${release.id}, the one that failed`
        : 'Which release it is of is not certain';
  return [`Live now is ${seen}. ${which}.`, await wayByHand(session, service, back)];
}

async function wayByHand(session: Session, service: string, back: Release): Promise<string> {
  const image = await imageOf(session, back).catch(() => undefined);
  if (image === undefined) {
    return `The image of release ${back.id} is gone from the engine: procedure check lists the releases that can be gone back to; or deploy a corrected commit.`;
  }
  const { composeFiles, workingDirectory } = session.request;
  const files = composeFiles.map((file) => `-f ${file} `).join('');
  const up = `docker compose -p ${session.project} ${files}up -d --no-build --no-deps --force-recreate ${service}`;
  return `When the cause is gone: procedure rollback with rollback-to: release:${back.id}. By hand, in ${workingDirectory}: docker tag ${back.image.keptAs} ${back.image.name} && ${up}`;
}
