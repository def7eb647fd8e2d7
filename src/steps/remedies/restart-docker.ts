import { asProcedureError, ProcedureError, type ErrorCode } from '../../model/errors.js';
import { formatDuration } from '../../model/units.js';
import type { Run } from '../../run/run.js';
import type { Remedy } from './remedy.js';

/** A daemon that is well ends within its own 15 s and starts in a few; one with many containers takes longer. */
const RESTART_MS = 3 * 60_000;
const BACK_MS = 2 * 60_000;
const ASK_EVERY_MS = 500;

const DEAD: ReadonlySet<ErrorCode> = new Set(['E_ENGINE_UNREACHABLE', 'E_DEADLINE']);

/** Runbook, Restart Hangs: `systemctl restart docker`, and then what was asked for. Every service of the host stops with it. */
export const restartDocker: Remedy = {
  name: 'restart-docker',
  async revive(run, failure) {
    const { request, progress, recorder } = run;
    if (!DEAD.has(failure.code) || mayNotBeOpened(failure) || request.dryRun || request.procedure === 'check') {
      return false;
    }
    const command = await run.dockerService.restartCommand();
    if (command === undefined) {
      throw new ProcedureError('E_REMEDY', `${failure.message}; how it is restarted here is not known`, {
        next: 'Give restart-docker-command, or restart the engine yourself. Nothing was changed.',
        cause: failure,
      });
    }
    progress.warning(
      `${failure.message}: it is restarted with "${command}", because remedies names restart-docker; every service of the host stops with it`,
    );
    const began = run.clock.monotonic();
    recorder.changed = true;
    recorder.unseen = true;
    await restart(run, command);
    await untilItAnswers(run);
    const text = `the Docker engine did not answer and was restarted with "${command}"; it answers again after ${formatDuration(run.clock.monotonic() - began)}`;
    progress.info(`✓ ${text}`);
    recorder.note(text);
    recorder.findings.push({
      title: 'Remedy: restart-docker',
      columns: ['Why', 'What was done'],
      rows: [[run.redactor.text(failure.message), run.redactor.text(text)]],
    });
    recorder.nextSteps.push(
      'The Docker engine was restarted: look at the other services of this host (docker ps); what has no restart policy does not run.',
    );
    return true;
  },
};

/** Then the user is wrong and not the engine. */
function mayNotBeOpened({ cause }: ProcedureError): boolean {
  const code: unknown = cause instanceof Error ? Reflect.get(cause, 'code') : undefined;
  return code === 'EACCES' || code === 'EPERM';
}

async function restart(run: Run, command: string): Promise<void> {
  try {
    await run.commands.run({
      name: 'restart-docker',
      command,
      directory: run.request.workingDirectory,
      environment: {},
      timeoutMs: RESTART_MS,
      signal: run.cancelled,
      onLine: (line) => run.progress.info(`  │ ${run.redactor.text(line)}`),
    });
  } catch (error) {
    const cause = asProcedureError(error);
    if (cause.code === 'E_CANCELLED') throw cause;
    throw new ProcedureError('E_REMEDY', `The Docker engine could not be restarted: ${cause.message}`, {
      next: 'Look at its log (journalctl -u docker) and restart it yourself.',
      cause,
      excerpt: cause.excerpt,
    });
  }
}

async function untilItAnswers(run: Run): Promise<void> {
  const endsAt = run.clock.monotonic() + BACK_MS;
  for (;;) {
    try {
      await run.engine.facts();
      return;
    } catch (error) {
      if (run.clock.monotonic() > endsAt) {
        throw new ProcedureError(
          'E_REMEDY',
          `The Docker engine was restarted and does not answer within ${formatDuration(BACK_MS)}`,
          { next: 'Look at its log: journalctl -u docker.', cause: error },
        );
      }
    }
    await run.clock.sleep(ASK_EVERY_MS, run.cancelled);
  }
}
