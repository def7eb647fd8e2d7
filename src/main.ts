import { cancellation } from './action/cancellation.js';
import { outliveReader } from './action/closed-output.js';
import { hostContext } from './action/host-context.js';
import { inputsFromEnvironment, readRequest } from './action/inputs.js';
import { createRunner } from './action/runner.js';
import { readInvocation } from './github/invocation.js';
import { asProcedureError } from './model/errors.js';
import { secretsOf } from './model/request-secrets.js';
import { runProcedure } from './procedures/run-procedure.js';
import { announce, publish, publishProblem, sayEnded, type Audience } from './publish.js';
import { createRedactor } from './report/redact.js';
import { createRun } from './wiring.js';

/** The action's door: reads the inputs, runs the procedure, publishes the report. */
export async function main(): Promise<void> {
  outliveReader(process.stdout, process.stderr);
  const redactor = createRedactor();
  const runner = createRunner((text) => redactor.text(text));
  const audience: Audience = { kind: 'runner', runner, redactor };
  const cancel = cancellation(process, { onRunner: process.env['GITHUB_ACTIONS'] === 'true' });
  const invocation = readInvocation();
  let finished = true;
  try {
    const request = readRequest(inputsFromEnvironment(process.env), hostContext());
    const secrets = secretsOf(request);
    redactor.learn(secrets);
    for (const { value } of secrets) runner.setSecret(value);
    await announce(runner, request, invocation);
    const run = await createRun({
      request,
      invocation,
      progress: runner,
      redactor,
      cancelled: cancel.signal,
      environment: process.env,
    });
    const report = await runProcedure(run);
    // `post` tries once more what could not be undone.
    finished = report.outcome !== 'rollback-failed';
    await publish(audience, run, report);
  } catch (error) {
    await publishProblem(audience, asProcedureError(error));
  } finally {
    await sayEnded(runner, finished ? 'true' : 'undo-failed');
    cancel.dispose();
  }
}
