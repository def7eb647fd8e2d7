import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { hostContext } from '../../src/action/host-context.js';
import { readRequest } from '../../src/action/inputs.js';
import { createTerminal } from '../../src/action/terminal.js';
import type { Invocation } from '../../src/model/request.js';
import type { RunReport } from '../../src/model/report.js';
import { runProcedure } from '../../src/procedures/run-procedure.js';
import { createRedactor } from '../../src/report/redact.js';
import { renderText } from '../../src/report/text.js';
import type { Run } from '../../src/run/run.js';
import { createRun } from '../../src/wiring.js';
import type { Project } from './project.js';

export interface Carried {
  readonly report: RunReport;
  readonly log: string;
}

export interface CarryOptions {
  /** Where this run keeps its cache; by default one folder of the project. */
  readonly stateDir?: string;
  readonly cancelled?: AbortSignal;
  readonly environment?: NodeJS.ProcessEnv;
  /** The ref that a workflow would run for. */
  readonly ref?: string;
  /** What a host of another kind answers in place of this one: the rest stays as it is. */
  readonly host?: (run: Run) => Run;
  /** Called with each line of the log as it is written. */
  readonly onLine?: (line: string) => void;
}

/**
 * Carries a procedure out in this process, on the real engine, with inputs as a workflow would give them. Short watch and
 * small limits by default; nothing is replaced by a double.
 */
export async function carryOut(
  project: Project,
  inputs: Readonly<Record<string, string>>,
  options: CarryOptions = {},
): Promise<Carried> {
  const environment = options.environment ?? process.env;
  const all: Record<string, string> = {
    'working-directory': project.dir,
    'project-name': project.name,
    watch: '0s',
    'state-dir': options.stateDir ?? path.join(project.root, 'state'),
    'min-free-disk': '10MB',
    ...inputs,
  };
  const redactor = createRedactor();
  let log = '';
  const stream = {
    write: (text: string): void => {
      log += text;
      options.onLine?.(text);
    },
  };
  const progress = createTerminal({ stream, redact: (text) => redactor.text(text), debug: true });
  const request = readRequest((name) => all[name] ?? '', hostContext({ ...environment, GITHUB_ACTIONS: undefined }));
  const made = await createRun({
    request,
    invocation: { ...invocation(), ref: options.ref },
    progress,
    redactor,
    cancelled: options.cancelled ?? new AbortController().signal,
    environment,
  });
  const report = await runProcedure(options.host?.(made) ?? made);
  return { report, log: `${log}\n${renderText(report)}` };
}

function invocation(): Invocation {
  return {
    runId: `test-${randomBytes(6).toString('hex')}`,
    actor: 'tester at shell',
    runUrl: undefined,
    sha: undefined,
    ref: undefined,
    attempt: 1,
    host: 'test',
  };
}
