import { asProcedureError, ProcedureError } from '../../model/errors.js';
import { formatDuration } from '../../model/units.js';
import type { Run } from '../../run/run.js';
import type { GateFinding } from './pass-gate.js';

const PAUSE_MS = 2_000;
const LINES_SHOWN = 5;

/**
 * Runbook: never restart without checking for active jobs. The command prints the jobs, one a line, or their number;
 * nothing or 0 means that there are none.
 * @param waits how long they may take to end; milliseconds
 */
export async function activeJobsGate(run: Run, waits: number, signal: AbortSignal): Promise<GateFinding> {
  const { activeJobsCommand: command, workingDirectory, commandTimeoutMs } = run.request;
  if (command === undefined) return { kind: 'pass', detail: 'no active-jobs-command is given' };
  const began = run.clock.monotonic();
  for (let said = false; ; said = true) {
    let output: string;
    try {
      ({ output } = await run.commands.run({
        name: 'active-jobs-command',
        command,
        directory: workingDirectory,
        environment: {},
        timeoutMs: commandTimeoutMs,
        signal,
        onLine: () => undefined,
      }));
    } catch (error) {
      if (signal.aborted) throw error;
      return refuse(`Whether jobs are active cannot be told: ${asProcedureError(error).message}`);
    }
    const jobs = run.redactor.text(output.trim());
    const waited = run.clock.monotonic() - began;
    if (jobs === '' || jobs === '0') {
      return { kind: 'pass', detail: said ? `the last ended after ${formatDuration(waited)}` : 'none' };
    }
    if (waited + PAUSE_MS > waits) return refuse(`Jobs are active: ${describe(jobs)}`);
    if (!said) run.progress.info(`active jobs: ${describe(jobs)}; waiting up to ${formatDuration(waits)}`);
    const now = run.progress.doing('active jobs');
    now.waitsFor(`the end of ${describe(jobs)}`);
    await run.clock.sleep(PAUSE_MS, signal).finally(() => now.end());
  }
}

function describe(jobs: string): string {
  if (/^\d+$/.test(jobs)) return jobs;
  const lines = jobs.split('\n');
  return `${lines.slice(0, LINES_SHOWN).join('; ')}${lines.length > LINES_SHOWN ? ` and ${lines.length - LINES_SHOWN} more` : ''}`;
}

function refuse(message: string): GateFinding {
  return {
    kind: 'refuse',
    error: new ProcedureError('E_GATE', message, {
      next: 'Let them end, raise active-jobs-timeout, or set gates: active-jobs=warn or force: true. Nothing was changed.',
    }),
  };
}
