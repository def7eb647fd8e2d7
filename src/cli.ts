import { cancellation } from './action/cancellation.js';
import { outliveReader } from './action/closed-output.js';
import { readCommandLine } from './action/command-line.js';
import { hostContext } from './action/host-context.js';
import { readRequest } from './action/inputs.js';
import { readShellOptions } from './action/shell-options.js';
import { createTerminal } from './action/terminal.js';
import { readInvocation } from './github/invocation.js';
import { asProcedureError } from './model/errors.js';
import { secretsOf } from './model/request-secrets.js';
import { ALL_PROCEDURES } from './procedures/index.js';
import { runProcedure } from './procedures/run-procedure.js';
import { publish, publishProblem, show, type Audience } from './publish.js';
import { createRedactor } from './report/redact.js';
import { renderShellResult } from './report/shell-text.js';
import { runShellCommand } from './shell/index.js';
import { createRun } from './wiring.js';

/** The shell's door: the same procedures and inputs, for the day GitHub is down. Exit code 0 is green, 1 is red. */
export async function cli(): Promise<void> {
  const { inputs, command, json, verbose } = readCommandLine(process.argv, ALL_PROCEDURES);
  outliveReader(process.stdout, process.stderr);
  const redactor = createRedactor();
  const progress = createTerminal({
    // With --json the report alone goes to stdout.
    stream: json ? process.stderr : process.stdout,
    redact: (text) => redactor.text(text),
    debug: verbose,
    live: !json,
  });
  // Also when a second Ctrl-C ends it in the middle of something.
  process.once('exit', () => progress.close());
  const cancel = cancellation(process, { onRunner: false });
  const writeJson = json ? (text: string) => void process.stdout.write(text) : undefined;
  const audience = { kind: 'shell', progress, redactor, writeJson } satisfies Audience;
  try {
    const context = hostContext({ ...process.env, GITHUB_ACTIONS: undefined });
    const request = readRequest((name) => inputs.get(name) ?? '', context);
    redactor.learn(secretsOf(request));
    const [invocation, environment, cancelled] = [readInvocation(), process.env, cancel.signal];
    const run = await createRun({ request, invocation, progress, redactor, cancelled, environment });
    if (command !== undefined) {
      const result = await runShellCommand(command.name, run, readShellOptions(command.given));
      show(audience, result.value, renderShellResult(result));
      process.exitCode = result.green ? 0 : 1;
    } else {
      await publish(audience, run, await runProcedure(run));
    }
  } catch (error) {
    await publishProblem(audience, asProcedureError(error));
  } finally {
    cancel.dispose();
  }
}
