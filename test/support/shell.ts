/** Commands of the shell as a person types them, in this process, on the real engine. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { readCommandLine } from '../../src/action/command-line.js';
import { ALL_PROCEDURES } from '../../src/procedures/index.js';
import { hostContext } from '../../src/action/host-context.js';
import { readRequest } from '../../src/action/inputs.js';
import { readShellOptions } from '../../src/action/shell-options.js';
import { createTerminal } from '../../src/action/terminal.js';
import { createRedactor } from '../../src/report/redact.js';
import { renderShellResult } from '../../src/report/shell-text.js';
import { runShellCommand } from '../../src/shell/index.js';
import type { ShellResult } from '../../src/shell/shell-command.js';
import { createRun } from '../../src/wiring.js';
import type { Project } from './project.js';

export interface Said extends ShellResult {
  readonly text: string;
}

/** @param words as in `['history', '--limit', '3']`; which project is meant is added */
export async function typeInShell(project: Project, ...words: readonly string[]): Promise<Said> {
  const where = ['--working-directory', project.dir, '--project-name', project.name];
  const state = ['--state-dir', join(project.root, 'state')];
  const { inputs, command } = readCommandLine(
    ['node', 'rolling-restart', ...words, ...where, ...state],
    ALL_PROCEDURES,
  );
  if (command === undefined) throw new Error(`${words[0] ?? ''} is a procedure`);
  const redactor = createRedactor();
  const progress = createTerminal({
    stream: { write: () => undefined },
    redact: (text) => redactor.text(text),
    debug: false,
  });
  const context = hostContext({ ...process.env, GITHUB_ACTIONS: undefined });
  const invocation = {
    runId: `shell-${randomBytes(6).toString('hex')}`,
    actor: 'person at shell',
    runUrl: undefined,
    sha: undefined,
    ref: undefined,
    attempt: 1,
    host: 'test',
  };
  const run = await createRun({
    request: readRequest((name) => inputs.get(name) ?? '', context),
    invocation,
    progress,
    redactor,
    cancelled: new AbortController().signal,
    environment: process.env,
  });
  const result = await runShellCommand(command.name, run, readShellOptions(command.given));
  return { ...result, text: renderShellResult(result) };
}
