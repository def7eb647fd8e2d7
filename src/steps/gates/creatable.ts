import { existsSync } from 'node:fs';
import path from 'node:path';
import { externals, refusals, tryableDefinition, type Surroundings } from '../../model/creatable.js';
import { asProcedureError, ProcedureError, type ErrorCode } from '../../model/errors.js';
import type { ReleaseWithDefinition } from '../../model/release.js';
import type { Candidate } from '../candidate.js';
import type { Session, Viewing } from '../session.js';
import { hasNetwork, surroundingsOf, type Surrounding } from '../surroundings.js';
import { passGate, URGENT } from './pass-gate.js';

type Wanted = Pick<Candidate, 'service' | 'release'>;

/** Making a container takes 0.3 s (measured, Compose 2.26.1); the engine looks 15 s for a plugin that is not there. */
const TRY_MS = 60_000;

/** What Compose and the engine say "no" with. Anything else is no verdict on the definition. */
const REFUSALS: ReadonlySet<ErrorCode> = new Set(['E_COMPOSE', 'E_COMPOSE_FILE', 'E_ENGINE']);

/**
 * What can be told without making a container: also in a dry run. Never passed with `force`, which could not make it work.
 * @throws ProcedureError E_GATE
 */
export async function refuseKnown(
  viewing: Viewing,
  service: string,
  definition: ReleaseWithDefinition['definition'],
): Promise<void> {
  const { networks, volumes } = externals(definition);
  const missing: string[] = [];
  for (const name of networks) if (!(await hasNetwork(viewing, name))) missing.push(`network ${name}`);
  for (const name of volumes) if (!(await viewing.data.hasVolume(name))) missing.push(`volume ${name}`);
  const found = refusals({ definition, service, missing });
  if (found.length > 0) throw refused(viewing, service, found.join('; '));
}

/**
 * Has Compose make one container of what is wanted, which is never started and goes at once: what the engine refuses, it
 * refuses before anything is stopped.
 * @throws ProcedureError E_GATE with the engine's own words
 */
export async function passCreatable(session: Session, wanted: Wanted): Promise<void> {
  const { service, release } = wanted;
  await refuseKnown(session, service, release.definition);
  const signal = session.clock.deadline(TRY_MS, session.signal);
  const definition = tryableDefinition(release.definition, service, await leanedOn(session, wanted));
  try {
    const template = await session.compose.makeTemplate({
      document: definition,
      directory: session.opened.place.directory,
      service,
      // Its name may still name the image that runs.
      image: release.image.id,
      published: true,
      helper: { work: 'template', service, lifeMs: TRY_MS },
      signal,
    });
    await session.engine.removeContainer(template, 'with-anonymous-volumes');
  } catch (error) {
    const failure = asProcedureError(error);
    if (session.signal.aborted) throw error;
    if (!REFUSALS.has(failure.code)) {
      untried(session, service, failure);
      return;
    }
    throw refused(session, service, failure.message.replace(/^docker compose .* failed \([^)]*\): /, ''), failure);
  }
  const detail = `${service}: the engine can make its new container`;
  passGate(session, 'creatable', { kind: 'pass', detail });
}

/** What makes good what is wrong now does not wait for an answer. @throws ProcedureError the failure, in all other procedures */
function untried(session: Session, service: string, failure: ProcedureError): void {
  if (!URGENT.has(session.request.procedure)) throw failure;
  const detail = `${service}: whether its new container can be made is not known: ${failure.message}`;
  passGate(session, 'creatable', { kind: 'warn', detail });
}

async function leanedOn(session: Session, { release }: Wanted): Promise<Surroundings> {
  const { opened, request } = session;
  const { definition, files } = release;
  const all = await surroundingsOf(session, definition);
  const present = (wanted: Surrounding['what']): ReadonlySet<string> =>
    new Set(all.flatMap(({ what, key, there }) => (there && what === wanted ? [key] : [])));
  const instead = opened.checkout?.topLevel ?? request.workingDirectory;
  const tracked = Object.keys(files).filter((file) => files[file]?.startsWith('git:'));
  const comes = (file: string): boolean =>
    tracked.some((one) => one === file || file.startsWith(`${one}${path.sep}`)) && !existsSync(file);
  return { networks: present('network'), volumes: present('volume'), comes, instead };
}

function refused({ recorder }: Viewing, service: string, why: string, cause?: ProcedureError): ProcedureError {
  const message = `${service}: its new container cannot be made: ${why}`;
  recorder.gates.push({ gate: 'creatable', state: 'refused', detail: message });
  return new ProcedureError('E_GATE', message, {
    next: 'Correct the compose file, or what it needs on this host. Nothing was changed.',
    cause,
    excerpt: cause?.excerpt ?? [],
  });
}
