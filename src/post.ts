import { cancellation } from './action/cancellation.js';
import { outliveReader } from './action/closed-output.js';
import { hostContext } from './action/host-context.js';
import { inputsFromEnvironment, readRequest } from './action/inputs.js';
import { createRunner } from './action/runner.js';
import { readInvocation } from './github/invocation.js';
import { asProcedureError } from './model/errors.js';
import { secretsOf } from './model/request-secrets.js';
import { recoverAbandoned } from './procedures/run-procedure.js';
import { publish, publishProblem, type Audience } from './publish.js';
import { createRedactor } from './report/redact.js';
import { createRun } from './wiring.js';

/**
 * The action's second door: runs after `main` whatever became of it. When `main` was killed (cancel, timeout), or its undo
 * failed, it takes the lock over and finishes or undoes what is left, as the next run would. After a lost runner there is
 * no `post`, and the next run does it.
 */
export async function post(): Promise<void> {
  outliveReader(process.stdout, process.stderr);
  const redactor = createRedactor();
  const runner = createRunner((text) => redactor.text(text));
  const audience: Audience = { kind: 'runner', runner, redactor };
  const cancel = cancellation(process, { onRunner: process.env['GITHUB_ACTIONS'] === 'true' });
  const killed = runner.getState('run');
  if (killed !== '' && runner.getState('ended') !== 'true') {
    const undoing = runner.getState('ended') === 'undo-failed';
    try {
      const request = readRequest(inputsFromEnvironment(process.env), hostContext());
      redactor.learn(secretsOf(request));
      runner.info(
        undoing
          ? `The undo of run ${killed} failed. Trying it again.`
          : `Run ${killed} was killed. Finishing or undoing what it left.`,
      );
      const run = await createRun({
        request: { ...request, dryRun: false },
        invocation: readInvocation(),
        progress: runner,
        redactor,
        cancelled: cancel.signal,
        environment: process.env,
      });
      await publish(
        audience,
        run,
        await recoverAbandoned(run, killed),
        undoing ? 'After the undo failed' : 'After the run was killed',
      );
    } catch (error) {
      await publishProblem(audience, asProcedureError(error));
    }
  }
  cancel.dispose();
}
