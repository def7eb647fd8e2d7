/** Rules of deploy-chain.yml, with no input and no output: which list of hosts is one, and what its results add up to. */

/** As many as deploy-chain.yml has jobs for. */
export const MAX_HOSTS = 8;

/** Fields of a host in the list; all but the first replace the workflow's own input of that name. */
export const HOST_FIELDS = ['runner', 'working-directory', 'environment', 'environment-url'];

const EXAMPLE = `["web-1", "web-2"] or [{"runner": "staging", "environment": "staging"}, "production"]`;
const WHOLE_COMMIT = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/i;

/**
 * From worst to best, as in src/model/outcome.ts; a unit test holds the two together.
 */
export const SEVERITY = [
  'rollback-failed',
  'failed',
  'rolled-back',
  'cancelled',
  'refused',
  'deployed',
  'completed',
  'unchanged',
];
const GREEN = ['deployed', 'completed', 'unchanged'];

/**
 * @typedef {Record<'runner' | 'working-directory' | 'environment' | 'environment-url', string>} Host
 * @typedef {object} HostResult
 * @property {string} runner
 * @property {string} environment
 * @property {string} working-directory
 * @property {boolean} begun whether its deploy was begun at all; without it nothing below is there
 * @property {string} [outcome]
 * @property {string} [release]
 * @property {string} [previous-release]
 * @property {string} [image-digest]
 * @property {string} [report] link to the evidence
 */

/**
 * Reads the list, and finds all that is wrong with it at once.
 *
 * @param {string} text the input `hosts`
 * @param {{ defaults: Record<string, string>, ref: string }} inputs of the workflow
 * @returns {{ hosts: Host[], problems: string[] }} hosts in the order they come
 */
export function readHosts(text, { defaults, ref }) {
  const problems = [];
  if (ref !== '' && !WHOLE_COMMIT.test(ref)) {
    problems.push(
      `ref has to be a whole commit id, since "${ref}" could mean another commit for the next host. ` +
        'Leave it out for the commit that the workflow runs for.',
    );
  }
  const list = parseList(text, problems);
  const hosts = list.map((entry, index) => readHost(entry, `host ${index + 1}`, defaults, problems));
  if (problems.length === 0) problems.push(...twice(hosts));
  return { hosts, problems };
}

function parseList(text, problems) {
  let list;
  try {
    list = JSON.parse(text);
  } catch (error) {
    problems.push(`hosts is not JSON (${error.message}). Write it like ${EXAMPLE}.`);
    return [];
  }
  if (!Array.isArray(list)) {
    problems.push(`hosts is not a JSON list. Write it like ${EXAMPLE}.`);
    return [];
  }
  if (list.length === 0) problems.push(`hosts is an empty list. Write it like ${EXAMPLE}.`);
  if (list.length > MAX_HOSTS) {
    problems.push(`hosts has ${list.length} entries, and ${MAX_HOSTS} are possible. Call the workflow twice.`);
    return [];
  }
  return list;
}

function readHost(entry, name, defaults, problems) {
  if (typeof entry !== 'string' && (typeof entry !== 'object' || entry === null || Array.isArray(entry))) {
    problems.push(`${name} is neither the label of a runner nor an object.`);
    return undefined;
  }
  const given = typeof entry === 'string' ? { runner: entry } : entry;
  const unknown = Object.keys(given).filter((field) => !HOST_FIELDS.includes(field));
  if (unknown.length > 0) {
    problems.push(`${name} has fields that do not exist: ${unknown.join(', ')}. There are ${HOST_FIELDS.join(', ')}.`);
  }
  const host = { runner: readRunner(given.runner, name, problems) };
  for (const field of HOST_FIELDS.slice(1)) {
    if (given[field] !== undefined && typeof given[field] !== 'string') {
      problems.push(`${name}: ${field} is not a text.`);
    }
    host[field] = given[field] ?? defaults[field] ?? '';
  }
  if (host['working-directory'] === '') {
    problems.push(`${name} has no working-directory: give it there, or as the input for all hosts.`);
  }
  return host;
}

/** A label, or several that one runner has all of, in the form that deploy.yml takes. */
function readRunner(runner, name, problems) {
  const isLabel = (label) => typeof label === 'string' && label.trim() !== '';
  if (isLabel(runner)) return runner;
  if (Array.isArray(runner) && runner.length > 0 && runner.every(isLabel)) return JSON.stringify(runner);
  problems.push(`${name} has no runner: give the label of the self-hosted runner on it.`);
  return '';
}

/** The same checkout on the same host twice is a slip of the pen, and the summary would say that two hosts are live. */
function twice(hosts) {
  const key = (host) => JSON.stringify([host.runner, host['working-directory']]);
  return hosts.flatMap((host, index) => {
    const first = hosts.findIndex((other) => key(other) === key(host));
    return first === index
      ? []
      : [`host ${first + 1} and host ${index + 1} are the same runner and working-directory.`];
  });
}

/**
 * What became of the hosts.
 *
 * @param {Record<string, { result: string, outputs?: Record<string, string> | null }>} needs the job `list` and the jobs
 *   `host-1` and following, as the context `needs` shows them
 * @param {string} commit that all of them were to get
 * @returns {{ outcome: string, hosts: HostResult[], markdown: string, failure: string | undefined }} `failure`: why the
 *   chain is red, where a host is; a list that could not be read has said so itself
 */
export function summarize(needs, commit) {
  const listed = needs.list?.outputs ?? {};
  if (needs.list?.result !== 'success') {
    const outcome = needs.list?.result === 'cancelled' ? 'cancelled' : 'refused';
    return { outcome, hosts: [], markdown: '', failure: undefined };
  }
  const numbers = Array.from({ length: Number(listed.count ?? 0) }, (_, index) => `host-${index + 1}`);
  const withheld = numbers.filter((name) => !listed[name]);
  if (numbers.length === 0 || withheld.length > 0) return notHandedOn(withheld);
  const hosts = numbers.map((name) => resultOf(JSON.parse(listed[name]), needs[name]));
  const outcomes = hosts.flatMap((host) => host.outcome ?? []);
  const waiting = hosts.filter(({ begun }) => !begun);
  // None is red, and yet one was not begun: somebody cancelled the run between two hosts.
  if (waiting.length > 0 && outcomes.every((outcome) => GREEN.includes(outcome))) outcomes.push('cancelled');
  const outcome = SEVERITY.find((kind) => outcomes.includes(kind)) ?? 'cancelled';
  const failure = GREEN.includes(outcome) ? undefined : explain(hosts, waiting);
  return { outcome, hosts, markdown: render(hosts, { outcome, waiting, commit }), failure };
}

/** A runner withholds an output with the value of a secret in it. A chain that is short of a host is not a green one. */
function notHandedOn(withheld) {
  const failure =
    `GitHub withheld ${withheld.join(', ') || 'the list of hosts'} from the jobs, as it does with the value of a secret. ` +
    'That host and those after it were not begun. Use no label, directory, environment or address that is a secret.';
  return { outcome: 'failed', hosts: [], markdown: `# ❌ failed\n\n${failure}\n`, failure };
}

function resultOf(host, job) {
  const { runner, environment, 'working-directory': directory } = host;
  const about = { runner, environment, 'working-directory': directory };
  const result = job?.result ?? 'skipped';
  const said = job?.outputs ?? {};
  // A job that was cancelled while it waited for its turn has said nothing, and changed nothing.
  if (result === 'skipped' || (result === 'cancelled' && !said.outcome)) return { ...about, begun: false };
  return {
    ...about,
    begun: true,
    outcome: outcomeOf(result, said.outcome),
    release: said.release ?? '',
    'previous-release': said['previous-release'] ?? '',
    'image-digest': said['image-digest'] ?? '',
    report: said.report ?? '',
  };
}

/** A job that is red for a reason of its own, such as its time limit, is not made green by what it said before. */
function outcomeOf(result, said = '') {
  if (result === 'success') return said || 'failed';
  if (said !== '' && !GREEN.includes(said)) return said;
  return result === 'cancelled' ? 'cancelled' : 'failed';
}

/** The label as a person wrote it. */
function label({ runner }) {
  if (!runner.startsWith('[')) return runner;
  return JSON.parse(runner).join(', ');
}

function explain(hosts, waiting) {
  const red = hosts.filter(({ outcome }) => outcome !== undefined && !GREEN.includes(outcome));
  const parts = red.map((host) => `${label(host)}: ${host.outcome}.`);
  if (waiting.length > 0) parts.push(`Not begun: ${waiting.map(label).join(', ')}.`);
  return parts.join(' ');
}

function render(hosts, { outcome, waiting, commit }) {
  const title = GREEN.includes(outcome)
    ? `✅ ${hosts.length === 1 ? 'One host' : `${hosts.length} hosts`}: ${outcome}`
    : `❌ ${outcome}, after ${hosts.filter((host) => GREEN.includes(host.outcome)).length} of ${hosts.length} hosts`;
  const rows = hosts.map((host, index) => [
    String(index + 1),
    cell(label(host)),
    cell(host.environment),
    host.begun ? `${GREEN.includes(host.outcome) ? '✅' : '❌'} ${cell(host.outcome)}` : 'not begun',
    cell(host.release ?? ''),
    host.report ? `[evidence](${host.report})` : '',
  ]);
  const lines = [
    `# ${title}`,
    '',
    `Commit \`${commit}\`, one host after the other.`,
    '',
    '| | Host | Environment | Outcome | Release | Evidence |',
    '| --- | --- | --- | --- | --- | --- |',
    ...rows.map((row) => `| ${row.join(' | ')} |`),
    '',
  ];
  if (waiting.length > 0) {
    lines.push(`Not begun, and as before: ${waiting.map((host) => cell(label(host))).join(', ')}.`, '');
  }
  return `${lines.join('\n')}\n`;
}

/** A cell is one line, a bar in it would end it, and a label is no markup. */
function cell(text) {
  return String(text)
    .trim()
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('|', '\\|')
    .replaceAll(/\s*\n\s*/g, '<br>');
}
