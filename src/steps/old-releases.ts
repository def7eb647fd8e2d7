import { asProcedureError } from '../model/errors.js';
import { releasesToDrop } from '../model/release.js';
import type { Session } from './session.js';

/**
 * Keeps the newest releases of what this run deployed: older ones lose our tag, so that the engine may clean their images
 * up. A failure is a warning: it costs space and nothing else.
 */
export async function dropOldReleases(session: Session): Promise<void> {
  await Promise.all(
    [...session.deployed].map(async (service) => {
      try {
        await dropOf(session, service);
      } catch (error) {
        session.progress.warning(`old releases of ${service} were not dropped: ${asProcedureError(error).message}`);
      }
    }),
  );
}

async function dropOf({ clock, ledger, engine, request, invocation }: Session, service: string): Promise<void> {
  const history = await ledger.history(service);
  for (const release of releasesToDrop(history, request.keepReleases)) {
    await engine.untagImage(release.image.keptAs);
    await ledger.addEvent({
      at: new Date(clock.now()).toISOString(),
      kind: 'dropped',
      service,
      release: release.id,
      reason: `more than ${request.keepReleases} releases are kept`,
      run: invocation.runId,
      restartMs: undefined,
    });
  }
}
