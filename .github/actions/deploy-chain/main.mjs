/** The runner's side of it: inputs, outputs, summary, annotations. What is decided is decided in chain.mjs. */
import { appendFileSync } from 'node:fs';
import { readHosts, summarize } from './chain.mjs';

const input = (name) => (process.env[`INPUT_${name.toUpperCase()}`] ?? '').trim();

/** Values are JSON or one word, so none has more than one line. */
function output(name, value) {
  appendFileSync(process.env.GITHUB_OUTPUT, `${name}=${value}\n`);
}

/** https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands: `%` and line ends are escaped. */
function fail(title, message) {
  const escaped = message.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
  console.log(`::error title=${title}::${escaped}`);
  process.exitCode = 1;
}

if (input('step') === 'list') {
  const { hosts, problems } = readHosts(input('hosts'), {
    ref: input('ref'),
    defaults: {
      'working-directory': input('working-directory'),
      environment: input('environment'),
      'environment-url': input('environment-url'),
    },
  });
  if (problems.length > 0) {
    fail('The list of hosts cannot be used', `Nothing was begun.\n${problems.join('\n')}`);
  } else {
    output('count', hosts.length);
    hosts.forEach((host, index) => output(`host-${index + 1}`, JSON.stringify(host)));
  }
} else {
  const { outcome, hosts, markdown, failure } = summarize(JSON.parse(input('needs')), input('commit'));
  output('outcome', outcome);
  output('hosts', JSON.stringify(hosts));
  appendFileSync(process.env.GITHUB_STEP_SUMMARY, markdown);
  if (failure !== undefined) fail('Not all hosts were deployed', failure);
}
