import { failureOf, type ProcedureError } from '../model/errors.js';
import type { OutcomeKind } from '../model/outcome.js';
import { runOnHost } from './commands.js';
import type { Session, Viewing } from './session.js';

/** Commands of the compose file's `x-rolling-restart: hooks:`, around a procedure. */
function hookOf(viewing: Viewing, moment: 'before' | 'after'): { name: string; command: string } | undefined {
  const name = `${moment}-${viewing.request.procedure}`;
  const command = viewing.opened.live.policy.hooks?.[name];
  return command === undefined ? undefined : { name, command };
}

/** A hook that fails keeps the procedure from beginning. @throws ProcedureError E_COMMAND */
export async function hookBefore(session: Session): Promise<void> {
  const hook = hookOf(session, 'before');
  if (hook !== undefined) await run(session, hook, {});
}

/**
 * Runs however the procedure ended; it gets the outcome. Its failure changes nothing of what is live, and is part of what was
 * asked for: whoever goes on with a green job relies on it.
 * @returns why it failed @throws ProcedureError E_FENCED
 */
export async function hookAfter(session: Session, outcome: OutcomeKind): Promise<ProcedureError | undefined> {
  const hook = hookOf(session, 'after');
  if (hook === undefined) return undefined;
  try {
    await run(session, hook, { ROLLING_RESTART_OUTCOME: outcome });
    return undefined;
  } catch (error) {
    const failure = failureOf(error);
    session.progress.warning(failure.message);
    session.recorder.nextSteps.push(`${failure.message}. ${failure.next}`);
    return failure;
  }
}

/** Says in a dry run what would run. */
export function describeHooks(viewing: Viewing): void {
  for (const moment of ['before', 'after'] as const) {
    const hook = hookOf(viewing, moment);
    if (hook !== undefined) viewing.progress.info(`hook ${hook.name}: ${viewing.redactor.text(hook.command)}`);
  }
}

async function run(
  session: Session,
  { name, command }: { readonly name: string; readonly command: string },
  more: Readonly<Record<string, string>>,
): Promise<void> {
  const { request, project, recorder, progress } = session;
  await session.lock.check();
  const environment = {
    ROLLING_RESTART_PROJECT: project,
    ROLLING_RESTART_PROCEDURE: request.procedure,
    ROLLING_RESTART_SERVICES: request.services.join(','),
    ...more,
  };
  await progress.group(`Hook ${name}`, () =>
    recorder.step(`hook ${name}`, undefined, async () => {
      // Not with the session's signal: a hook after a cancelled run is what cleans up.
      const signal = name.startsWith('after-') ? new AbortController().signal : session.signal;
      await runOnHost(session, { name, command, directory: request.workingDirectory, environment }, signal);
    }),
  );
}
