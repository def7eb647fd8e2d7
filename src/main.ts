import { cancellation } from './action/cancellation.js';
import { outliveReader } from './action/closed-output.js';
import { hostContext } from './action/host-context.js';
import { inputsFromEnvironment, readRequest } from './action/inputs.js';
import { createRunner } from './action/runner.js';
import { readInvocation } from './github/invocation.js';
import { asProcedureError } from './model/errors.js';
import { secretsOf } from './model/request-secrets.js';
import { runProcedure } from './procedures/run-procedure.js';
import { announcePaths, publish, publishRefusal } from './publish.js';
import { createRedactor } from './report/redact.js';
import { createRun } from './wiring.js';

/** The action's door: reads the inputs, runs the procedure, publishes the report. */
export async function main(): Promise<void> {
  outliveReader(process.stdout, process.stderr);
  const redactor = createRedactor();
  const runner = createRunner((text) => redactor.text(text));
  const cancel = cancellation(process, { onRunner: process.env['GITHUB_ACTIONS'] === 'true' });
  const invocation = readInvocation();
  try {
    const request = readRequest(inputsFromEnvironment(process.env), hostContext());
    const secrets = secretsOf(request);
    redactor.learn(secrets);
    for (const { value } of secrets) runner.setSecret(value);
    // Before the first effect: `post` finds out from it whether this process came to its end.
    runner.saveState('run', invocation.runId);
    announcePaths(runner, request, invocation);
    const run = await createRun({
      request,
      invocation,
      progress: runner,
      redactor,
      cancelled: cancel.signal,
      environment: process.env,
    });
    await publish(runner, redactor, run, await runProcedure(run));
  } catch (error) {
    await publishRefusal(runner, asProcedureError(error));
  } finally {
    runner.saveState('ended', 'true');
    cancel.dispose();
  }
}
