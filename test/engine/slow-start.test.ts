import { afterAll, beforeAll, expect, it } from 'vitest';
import { RUNBOOK } from '../../src/model/policy.js';
import { deploy, update } from '../support/live.js';
import { makeProject, type Project } from '../support/project.js';
import { served } from '../support/served.js';

let project: Project;

beforeAll(async () => {
  // Docker itself calls nothing unhealthy before that.
  const patient = served().replace('start_period: 1s', 'start_period: 3m');
  project = await makeProject({ fixture: 'plain', files: { 'compose.yaml': patient } });
  await deploy(project, 'app');
});
afterAll(async () => project.cleanup());

it('a start of more than a minute is a warning of low severity, and no reason to go back', async () => {
  await project.commitRelease({ version: '2.0.0', chaos: 'slow-boot:61s' });
  const { report, log } = await update(project, 'app', { watch: '0s', 'readiness-timeout': '100s' });
  expect(report.outcome, log).toBe('deployed');
  const [sign, ...others] = report.warnings.filter(({ sign: name }) => name === 'slow-start');
  expect(others).toEqual([]);
  expect(sign).toMatchObject({
    severity: 'low',
    service: 'app',
    message: expect.stringMatching(/^it took 1 min/) as string,
  });
  expect(report.services[0]?.readyMs).toBeGreaterThan(RUNBOOK.slowStartMs);
});
