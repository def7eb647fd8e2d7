import { cancellation } from './action/cancellation.js';
import { readCommandLine } from './action/command-line.js';
import { hostContext } from './action/host-context.js';
import { readRequest } from './action/inputs.js';
import { createTerminal } from './action/terminal.js';
import { readInvocation } from './github/invocation.js';
import { asProcedureError } from './model/errors.js';
import { isGreen } from './model/outcome.js';
import { secretsOf } from './model/request-secrets.js';
import { runProcedure } from './procedures/run-procedure.js';
import { reportPath } from './publish.js';
import { createRedactor } from './report/redact.js';
import { writeReportFile } from './report/report-file.js';
import { renderText } from './report/text.js';
import { createRun } from './wiring.js';

/** The shell's door: the same procedures and inputs, for the day GitHub is down. Exit code 0 is green, 1 is red. */
const { inputs, json, verbose } = readCommandLine(process.argv);
const redactor = createRedactor();
const progress = createTerminal({
  // With --json the report alone goes to stdout.
  stream: json ? process.stderr : process.stdout,
  redact: (text) => redactor.text(text),
  debug: verbose,
});
const cancel = cancellation(process, { onRunner: false });
try {
  const request = readRequest(
    (name) => inputs.get(name) ?? '',
    hostContext({ ...process.env, GITHUB_ACTIONS: undefined }),
  );
  redactor.learn(secretsOf(request));
  const invocation = readInvocation();
  const run = await createRun({
    request,
    invocation,
    progress,
    redactor,
    cancelled: cancel.signal,
    environment: process.env,
  });
  const report = await runProcedure(run);
  await writeReportFile(reportPath(request, invocation), report, redactor);
  if (json) process.stdout.write(`${JSON.stringify(redactor.json(report), null, 2)}\n`);
  else progress.info(renderText(report));
  process.exitCode = isGreen(report.outcome) ? 0 : 1;
} catch (error) {
  const problem = asProcedureError(error);
  progress.error(`${problem.code}: ${problem.message}`);
  progress.info(`Next: ${problem.next}`);
  process.exitCode = 1;
} finally {
  cancel.dispose();
}
