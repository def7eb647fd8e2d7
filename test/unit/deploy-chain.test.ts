import { describe, expect, it } from 'vitest';
import { MAX_HOSTS, SEVERITY, readHosts, summarize } from '../../.github/actions/deploy-chain/chain.mjs';
import { GREEN_OUTCOMES, RED_OUTCOMES, worstOutcome, type OutcomeKind } from '../../src/model/outcome.js';

const defaults = { 'working-directory': '/srv/roma', environment: 'production', 'environment-url': 'https://x' };
const read = (list: unknown, ref = ''): ReturnType<typeof readHosts> =>
  readHosts(typeof list === 'string' ? list : JSON.stringify(list), { defaults, ref });

describe('the list of hosts', () => {
  it('takes labels, with the inputs of the workflow for all of them', () => {
    expect(read(['web-1', 'web-2'])).toEqual({
      hosts: [
        { runner: 'web-1', ...defaults },
        { runner: 'web-2', ...defaults },
      ],
      problems: [],
    });
  });

  it('takes objects, whose fields replace the inputs, also by nothing', () => {
    const { hosts, problems } = read([
      { runner: 'staging', environment: 'staging', 'working-directory': '/srv/s', 'environment-url': '' },
      'production',
    ]);
    expect(problems).toEqual([]);
    expect(hosts).toEqual([
      { runner: 'staging', environment: 'staging', 'working-directory': '/srv/s', 'environment-url': '' },
      { runner: 'production', ...defaults },
    ]);
  });

  it('takes several labels of one runner in the form that deploy.yml takes', () => {
    expect(read([{ runner: ['web', 'blue'] }]).hosts[0]?.runner).toBe('["web","blue"]');
  });

  it('takes two checkouts on one host, and as many hosts as there are jobs', () => {
    expect(read(['a', { runner: 'a', 'working-directory': '/srv/other' }]).problems).toEqual([]);
    expect(read(Array.from({ length: MAX_HOSTS }, (_, index) => `web-${index}`)).problems).toEqual([]);
  });

  it.each([
    ['no JSON', 'web-1, web-2', /^hosts is not JSON \(.*Write it like \["web-1", "web-2"\]/],
    ['nothing', '', /^hosts is not JSON/],
    ['no list', '"web-1"', /^hosts is not a JSON list/],
    ['an object', { runner: 'web-1' }, /^hosts is not a JSON list/],
    ['an empty list', [], /^hosts is an empty list/],
    ['nine', Array.from({ length: 9 }, (_, index) => `web-${index}`), /^hosts has 9 entries, and 8 are possible/],
    ['a number', ['web-1', 2], /^host 2 is neither the label of a runner nor an object/],
    ['null', [null], /^host 1 is neither/],
    ['a list in it', [['web-1']], /^host 1 is neither/],
    ['an unknown field', [{ runner: 'a', env: 'x' }], /^host 1 has fields that do not exist: env\. There are runner, /],
    ['no runner', [{ environment: 'x' }], /^host 1 has no runner/],
    ['an empty label', [' '], /^host 1 has no runner/],
    ['an empty list of labels', [{ runner: [] }], /^host 1 has no runner/],
    ['a field of another type', [{ runner: 'a', environment: 1 }], /^host 1: environment is not a text/],
    ['the same twice', ['a', 'b', 'a'], /^host 1 and host 3 are the same runner and working-directory/],
  ])('refuses %s', (_, list, message) => {
    const { problems } = read(list);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(message);
  });

  it('refuses a host that has no directory from anywhere', () => {
    const { problems } = readHosts('["a"]', { defaults: { ...defaults, 'working-directory': '' }, ref: '' });
    expect(problems).toEqual([expect.stringMatching(/^host 1 has no working-directory/)]);
  });

  it('refuses a name for the commit, which could be another one for the next host', () => {
    expect(read(['a'], 'a'.repeat(40)).problems).toEqual([]);
    for (const ref of ['main', 'v1.0.0', 'abc1234']) {
      expect(read(['a'], ref).problems).toEqual([expect.stringContaining(`since "${ref}" could mean another commit`)]);
    }
  });

  it('says all that is wrong at once', () => {
    expect(read([{}, { runner: 'a', x: 1 }], 'main').problems).toHaveLength(3);
  });
});

type Job = Parameters<typeof summarize>[0][string];
const green = (outcome = 'deployed'): Job => ({
  result: 'success',
  outputs: { outcome, release: 'r2', 'previous-release': 'r1', 'image-digest': 'sha256:1', report: 'https://e/1' },
});
const red = (outcome: string): Job => ({
  result: 'failure',
  outputs: { outcome, release: 'r1', report: 'https://e/2' },
});
const SKIPPED: Job = { result: 'skipped', outputs: null };

function sum(...jobs: readonly Job[]): ReturnType<typeof summarize> {
  const { hosts } = read(jobs.map((_, index) => ({ runner: `web-${index + 1}`, environment: 'prod' })));
  const outputs = Object.fromEntries(hosts.map((host, index) => [`host-${index + 1}`, JSON.stringify(host)]));
  const list = { result: 'success', outputs: { count: String(hosts.length), ...outputs } };
  return summarize({ list, ...Object.fromEntries(jobs.map((job, index) => [`host-${index + 1}`, job])) }, 'abc');
}

describe('the summary', () => {
  it('is green when all hosts are, with a line for each', () => {
    const { outcome, hosts, markdown, failure } = sum(green('unchanged'), green());
    expect({ outcome, failure }).toEqual({ outcome: 'deployed', failure: undefined });
    expect(hosts[1]).toEqual({
      runner: 'web-2',
      environment: 'prod',
      'working-directory': '/srv/roma',
      begun: true,
      ...green().outputs,
    });
    expect(markdown).toContain('# ✅ 2 hosts: deployed\n');
    expect(markdown).toContain('| 1 | web-1 | prod | ✅ unchanged | r2 | [evidence](https://e/1) |\n');
    expect(markdown).not.toContain('Not begun');
  });

  it('is red at the first failure, and names what was not begun', () => {
    const { outcome, hosts, markdown, failure } = sum(green(), red('rolled-back'), SKIPPED, SKIPPED);
    expect(outcome).toBe('rolled-back');
    expect(failure).toBe('web-2: rolled-back. Not begun: web-3, web-4.');
    expect(hosts.map(({ begun }) => begun)).toEqual([true, true, false, false]);
    expect(hosts[2]).not.toHaveProperty('outcome');
    expect(markdown).toContain('# ❌ rolled-back, after 1 of 4 hosts\n');
    expect(markdown).toContain('| 3 | web-3 | prod | not begun |  |  |\n');
    expect(markdown).toContain('Not begun, and as before: web-3, web-4.\n');
  });

  it.each([
    ['a job that said nothing', { result: 'failure', outputs: {} }, 'failed'],
    ['a job that failed after its deploy', { ...green(), result: 'failure' }, 'failed'],
    ['a job that was cancelled in its deploy', { ...green(), result: 'cancelled' }, 'cancelled'],
    ['a job that was green and said nothing', { result: 'success', outputs: {} }, 'failed'],
    ['a job that was cancelled before its turn', { result: 'cancelled', outputs: {} }, 'cancelled'],
    ['a job that was never begun, with nothing red before it', SKIPPED, 'cancelled'],
  ] as const)('is red for %s', (_, job, outcome) => {
    const summed = sum(green(), job);
    expect(summed.outcome).toBe(outcome);
    expect(summed.failure).toContain('web-2');
  });

  it('adds no second error to a list that could not be used', () => {
    for (const [result, outcome] of [
      ['failure', 'refused'],
      ['cancelled', 'cancelled'],
    ] as const) {
      const summed = summarize({ list: { result, outputs: {} }, 'host-1': SKIPPED }, 'abc');
      expect(summed).toEqual({ outcome, hosts: [], markdown: '', failure: undefined });
    }
  });

  it('is red when a host was withheld from the jobs because it has a secret in it', () => {
    const outputs = { count: '2', 'host-1': JSON.stringify(read(['a']).hosts[0]), 'host-2': '' };
    const { outcome, failure } = summarize({ list: { result: 'success', outputs }, 'host-1': green() }, 'abc');
    expect(outcome).toBe('failed');
    expect(failure).toContain('GitHub withheld host-2');
    expect(summarize({ list: { result: 'success', outputs: {} } }, 'abc').failure).toContain('withheld the list');
  });

  it('lets no label or release break the table', () => {
    const host = { runner: '["a","b|c"]', environment: '<b>', 'working-directory': '/x', 'environment-url': '' };
    const list = { result: 'success', outputs: { count: '1', 'host-1': JSON.stringify(host) } };
    const job = { result: 'success', outputs: { outcome: 'deployed', release: 'web=r1\nworker=r2' } };
    const { markdown } = summarize({ list, 'host-1': job }, 'abc');
    expect(markdown).toContain('| 1 | a, b\\|c | &lt;b> | ✅ deployed | web=r1<br>worker=r2 |  |\n');
  });

  it('ranks outcomes as the action does', () => {
    expect([...SEVERITY].sort()).toEqual([...GREEN_OUTCOMES, ...RED_OUTCOMES].sort());
    SEVERITY.forEach((kind, index) => {
      expect(worstOutcome(SEVERITY.slice(index) as OutcomeKind[])).toBe(kind);
    });
  });
});
