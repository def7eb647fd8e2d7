/** The runner's side of it: inputs, outputs, summary, annotations. What is decided is decided in chain.mjs. */
import { annotate, input, output, summary } from '../runner.mjs';
import { readHosts, summarize } from './chain.mjs';

function fail(title, message) {
  annotate('error', title, message);
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
  summary(markdown);
  if (failure !== undefined) fail('Not all hosts were deployed', failure);
}
