import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDeployments } from '../../src/github/deployment-records.js';
import { shortDescription, stateAfter, type DeploymentStart } from '../../src/model/deployment.js';
import { GREEN_OUTCOMES, RED_OUTCOMES } from '../../src/model/outcome.js';
import type { Progress } from '../../src/model/ports/progress.js';
import { DeploymentRecord, type Ending } from '../../src/run/deployment-record.js';
import type { RunReport } from '../../src/model/report.js';
import { Recorder } from '../../src/run/recorder.js';
import type { Run } from '../../src/run/run.js';
import { endDeployment } from '../../src/steps/deployment.js';
import { startGitHub, type GitHub } from '../support/github.js';
import { createMemoryClock } from '../support/memory/clock.js';

const [OLD, NEW] = ['a'.repeat(40), 'b'.repeat(40)];
const PAYLOAD = { 'rolling-restart': { run: 'r0', project: 'roma', host: 'one' } };
const CREATE = /\/deployments$/;
const STATUS = /\/statuses$/;

let github: GitHub;
let warnings: string[];
beforeEach(async () => {
  github = await startGitHub();
  warnings = [];
});
afterEach(() => {
  github.close();
  expect(github.problems).toEqual([]);
});

function start(over: Partial<DeploymentStart> = {}): DeploymentStart {
  return {
    environment: 'production',
    commit: NEW,
    description: 'code-update of roma on one',
    origin: {
      run: 'r1',
      project: 'roma',
      host: 'one',
      procedure: 'code-update',
      services: ['roma'],
      by: 'somebody',
      image: undefined,
    },
    ...over,
  };
}

function record(access: { token?: string | undefined; repository?: string | undefined } = {}): DeploymentRecord {
  const progress = {
    debug: () => undefined,
    info: () => undefined,
    warning: (line: string) => warnings.push(line),
  } as unknown as Progress;
  const deployments = createDeployments({ token: 't0ken', repository: 'acme/roma', ...access, apiUrl: github.apiUrl });
  return new DeploymentRecord(deployments, {
    progress,
    redact: (text) => text.replaceAll('hunter2', '***'),
    logUrl: 'https://github.test/acme/roma/actions/runs/1',
    environmentUrl: 'https://roma.test',
    approvalOf: (environment) =>
      Promise.resolve({ kind: 'asked', reviewers: [`${environment} hunter2`], approvedBy: [] }),
  });
}

const REPORT = { outcome: 'cancelled', headline: 'cut short', services: [] } as unknown as RunReport;

const WELL: Ending = { outcome: 'deployed', headline: 'roma deployed', live: true, liveCommit: NEW };

async function change(ending: Ending = WELL): Promise<string> {
  const one = record();
  one.begin(start());
  const finding = await one.end(ending);
  return finding?.rows[0]?.[2] ?? '';
}

const states = (index: number): readonly string[] =>
  (github.deployments[index]?.statuses ?? []).map(({ state }) => state);

describe('the record of a change', () => {
  it('says who approved it, with nothing secret in it', async () => {
    const one = record();
    one.begin(start());
    const finding = await one.end(WELL);
    expect(finding?.columns[3]).toBe('Approval');
    expect(finding?.rows[0]?.[3]).toBe('not known by whom; required reviewers: production ***');
  });

  it('is in progress, then a success with links, and older ones of the same project on the same host are inactive', async () => {
    github.put({ sha: OLD, environment: 'production', states: ['success'] });
    const other = { 'rolling-restart': { run: 'r0', project: 'roma', host: 'two' } };
    github.put({ sha: OLD, environment: 'production', payload: other, states: ['in_progress', 'success'] });
    github.put({ sha: OLD, environment: 'production', payload: PAYLOAD, states: ['failure'] });
    github.put({ sha: OLD, environment: 'production', payload: PAYLOAD, states: ['in_progress', 'success'] });
    github.put({ sha: OLD, environment: 'staging', payload: PAYLOAD, states: ['success'] });
    expect(await change()).toBe('deployment 6: success');
    expect([0, 1, 2, 3, 4, 5].map((index) => states(index)[0])).toEqual([
      'success',
      'success',
      'inactive',
      'failure',
      'success',
      'success',
    ]);
    expect(states(0)).toEqual(['success', 'in_progress']);
    expect(github.deployments[0]?.statuses[0]).toEqual({
      state: 'success',
      description: 'roma deployed',
      log_url: 'https://github.test/acme/roma/actions/runs/1',
      environment_url: 'https://roma.test',
    });
    expect(github.deployments[0]?.payload).toMatchObject({ 'rolling-restart': { run: 'r1', services: ['roma'] } });
    expect(warnings).toEqual([]);
  });

  it('is a failure when the change was rolled back, and a success of the one that is live', async () => {
    github.put({ sha: OLD, environment: 'production', payload: PAYLOAD, states: ['in_progress', 'success'] });
    await change({ outcome: 'rolled-back', headline: 'roma rolled back: hunter2', live: false, liveCommit: OLD });
    expect(states(0)).toEqual(['failure', 'in_progress']);
    expect(github.deployments[0]?.statuses[0]?.description).toBe('roma rolled back: ***');
    expect(states(1)).toEqual(['success', 'success', 'in_progress']);
    expect(github.deployments[1]?.statuses[0]?.description).toContain('live again');
  });

  it('is ended also where GitHub did not take its beginning, and the next one sets such a one inactive', async () => {
    github.put({ sha: OLD, environment: 'production', payload: PAYLOAD, states: [] });
    github.faults.push({ method: 'POST', path: STATUS, with: 502, times: 3 });
    expect(await change()).toMatch(
      /^deployment 2: success; deployment 2 in production does not say that it is in progress/,
    );
    expect(states(0)).toEqual(['success']);
    expect(states(1)).toEqual(['inactive']);
  });

  it.each([
    [
      'the limit of an hour',
      403,
      { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '4102444800' },
      /until 2100-01-01T/,
    ],
    ['a limit for too many at once', 403, { 'retry-after': '60' }, /until 20\d\d-/],
    ['too many requests', 429, { 'retry-after': '60' }, /until 20\d\d-/],
  ])('of %s is told as that, at once, and no permission is asked for', async (_, status, headers, until) => {
    github.faults.push({ method: 'POST', path: CREATE, with: status, times: 9, headers });
    const began = performance.now();
    const said = await change();
    expect(performance.now() - began).toBeLessThan(3_000);
    expect(said).toMatch(/^not recorded; .*the rate limit of the token is used up/);
    expect(said).toMatch(until);
    expect(said).not.toContain('needs');
  });

  it('waits as long as GitHub says, where there is time for that', async () => {
    github.faults.push({ method: 'POST', path: STATUS, with: 403, times: 1, headers: { 'retry-after': '2' } });
    const began = performance.now();
    expect(await change()).toBe('deployment 1: success');
    expect(performance.now() - began).toBeGreaterThan(1_900);
  });

  it('is made once a run', async () => {
    const one = record();
    one.begin(start());
    one.begin(start({ commit: OLD }));
    await one.end(WELL);
    expect(github.deployments).toHaveLength(1);
  });

  it('is not made twice when the answer to the first request was lost', async () => {
    github.faults.push({ method: 'POST', path: CREATE, with: 'lost', times: 1 });
    expect(await change()).toContain('success');
    expect(github.deployments).toHaveLength(1);
    expect(states(0)).toEqual(['success', 'in_progress']);
  });

  it.each([500, 502, 429])('is made at the second try after an answer %i', async (status) => {
    github.faults.push({ method: 'POST', path: CREATE, with: status, times: 1 });
    expect(await change()).toContain('success');
    expect(github.deployments).toHaveLength(1);
  });

  it('gets its end at a later try when GitHub is down for a moment', async () => {
    const one = record();
    one.begin(start());
    await one.settle();
    github.faults.push({ method: 'POST', path: STATUS, with: 503, times: 1 });
    await one.end(WELL);
    expect(states(0)).toContain('success');
  });

  it.each([403, 404, 409, 422])('is told of, and nothing fails, when GitHub answers %i', async (status) => {
    github.faults.push({ method: 'POST', path: CREATE, with: status, times: 9 });
    expect(await change()).toContain('not recorded');
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain('the deployment in production could not be recorded');
    if (status === 403) expect(warnings[0]).toContain('deployments: write');
    expect(github.asked.filter((line) => line.startsWith('POST'))).toHaveLength(1);
  });

  it('is told of when GitHub cannot be asked', async () => {
    const [nobody, nowhere] = [record({ token: undefined }), record({ repository: undefined })];
    nobody.begin(start());
    nowhere.begin(start());
    expect((await nobody.end(WELL))?.rows[0]?.[2]).toContain('there is no github-token');
    expect((await nowhere.end(WELL))?.rows[0]?.[2]).toContain('outside of a workflow');
    expect(github.asked).toEqual([]);
  });

  it('is given up after some seconds when GitHub never answers', { timeout: 30_000 }, async () => {
    github.faults.push({ method: 'POST', path: CREATE, with: 'dead', times: 9 });
    const began = performance.now();
    expect(await change()).toContain('not recorded');
    expect(performance.now() - began).toBeLessThan(20_000);
  });

  it('of a killed run is ended by whoever recovers it, and only while it has no end', async () => {
    github.put({ sha: NEW, environment: 'production', payload: PAYLOAD, states: ['in_progress'] });
    const one = record();
    one.endOf({ environment: 'production', run: 'r0' }, false, 'the run was killed');
    await one.settle();
    expect(states(0)).toEqual(['failure', 'in_progress']);
    one.endOf({ environment: 'production', run: 'r0' }, true, 'again');
    one.endOf({ environment: 'production', run: 'nobody' }, true, 'again');
    await one.settle();
    expect(states(0)).toEqual(['failure', 'in_progress']);
  });

  it('of a fenced run is left to whoever fenced it', async () => {
    const one = record();
    one.begin(start());
    const run = { deployment: one, recorder: new Recorder(createMemoryClock()) } as unknown as Run;
    const error = { code: 'E_FENCED', message: 'another run took over', next: '', excerpt: [] } as const;
    await endDeployment(run, { ...REPORT, error });
    expect(github.deployments.flatMap(({ statuses }) => statuses.map(({ state }) => state))).not.toContain('failure');
    await endDeployment(run, { ...REPORT, error: { ...error, code: 'E_CANCELLED' } });
    expect(states(0)[0]).toBe('failure');
  });

  it('is not begun by a run that changes nothing', async () => {
    expect(await record().end(WELL)).toBeUndefined();
    expect(github.asked).toEqual([]);
  });
});

describe('the state after a run', () => {
  it('is a success for each green outcome and for none that is red', () => {
    for (const outcome of GREEN_OUTCOMES) expect(stateAfter(outcome, false)).toBe('success');
    for (const outcome of RED_OUTCOMES) expect(stateAfter(outcome, false)).not.toBe('success');
  });

  it('is a success where the run was cancelled in its watch and what it wanted is live', () => {
    expect(stateAfter('cancelled', true)).toBe('success');
    expect(stateAfter('failed', true)).toBe('failure');
    expect(stateAfter('rollback-failed', false)).toBe('error');
  });

  it('is described in as many characters as GitHub takes', () => {
    expect(shortDescription(`one\ntwo ${'x'.repeat(200)}`)).toMatch(/^one two x+…$/);
    expect(shortDescription('x'.repeat(200))).toHaveLength(140);
    expect(shortDescription('x'.repeat(140))).toHaveLength(140);
  });
});
