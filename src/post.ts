import { cancellation } from './action/cancellation.js';
import { outliveReader } from './action/closed-output.js';
import { hostContext } from './action/host-context.js';
import { inputsFromEnvironment, readRequest } from './action/inputs.js';
import { createRunner } from './action/runner.js';
import { readInvocation } from './github/invocation.js';
import { asProcedureError } from './model/errors.js';
import { secretsOf } from './model/request-secrets.js';
import { recoverAbandoned } from './procedures/run-procedure.js';
import { renderText } from './report/text.js';
import { createRedactor } from './report/redact.js';
import { createRun } from './wiring.js';

/**
 * The action's second door: runs after `main` whatever became of it. When `main` was killed (cancel, timeout), it takes
 * the dead process's lock over and finishes or undoes what it left, as the next run would. After a lost runner there is
 * no `post`, and the next run does it.
 */
export async function post(): Promise<void> {
  outliveReader(process.stdout, process.stderr);
  const redactor = createRedactor();
  const runner = createRunner((text) => redactor.text(text));
  const cancel = cancellation(process, { onRunner: process.env['GITHUB_ACTIONS'] === 'true' });
  const killed = runner.getState('run');
  if (killed !== '' && runner.getState('ended') !== 'true') {
    try {
      const request = readRequest(inputsFromEnvironment(process.env), hostContext());
      redactor.learn(secretsOf(request));
      runner.info(`run ${killed} was killed before its end; looking what it left`);
      const run = await createRun({
        request: { ...request, dryRun: false },
        invocation: readInvocation(),
        progress: runner,
        redactor,
        cancelled: cancel.signal,
        environment: process.env,
      });
      const report = await recoverAbandoned(run, killed);
      runner.info(renderText(report));
      await runner.writeSummary(`### After the run was killed\n\n${report.headline}\n`);
      if (report.error !== undefined) runner.fail(`${report.error.message}. ${report.error.next}`);
    } catch (error) {
      const problem = asProcedureError(error);
      runner.fail(`${problem.message}. ${problem.next}`);
    }
  }
  cancel.dispose();
}
