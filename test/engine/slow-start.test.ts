import { describe, expect, it, type TestContext } from 'vitest';
import { RUNBOOK } from '../../src/model/policy.js';
import { deploy, ledgerOf, update } from '../support/live.js';
import { carryOut, type Carried } from '../support/procedure.js';
import { makeProject, type Project } from '../support/project.js';
import { served } from '../support/served.js';

/** A start that is slow takes more than a minute: both stories go on at the same time. */
const TIMEOUT_MS = 300_000;
const PATIENT = { watch: '0s', 'readiness-timeout': '100s' };
const SLOW = 'slow-boot:61s';

async function patientProject({ onTestFinished }: TestContext): Promise<Project> {
  // Docker itself calls nothing unhealthy before that.
  const compose = served().replace('start_period: 1s', 'start_period: 3m');
  const project = await makeProject({ fixture: 'plain', files: { 'compose.yaml': compose } });
  onTestFinished(() => project.cleanup());
  return project;
}

const slowStarts = ({ report }: Carried) => report.warnings.filter(({ sign }) => sign === 'slow-start');

describe.concurrent('a start of more than a minute', () => {
  it(
    'a start of more than a minute is a warning of low severity, and no reason to go back',
    { timeout: TIMEOUT_MS },
    async (context) => {
      const project = await patientProject(context);
      await deploy(project, 'app');
      await project.commitRelease({ version: '2.0.0', chaos: SLOW });
      const carried = await update(project, 'app', PATIENT);
      expect(carried.report.outcome, carried.log).toBe('deployed');
      expect(slowStarts(carried)).toMatchObject([
        {
          severity: 'low',
          service: 'app',
          message: expect.stringMatching(/^it took 1 min.* to start \(before: \d.*m?s\)$/) as string,
        },
      ]);
      expect(carried.report.services[0]?.readyMs).toBeGreaterThan(RUNBOOK.slowStartMs);
      expect(carried.report.nextSteps.join('\n')).not.toContain('slow at every start');
    },
  );

  it('a start of more than max-startup-time is one as well', { timeout: TIMEOUT_MS }, async (context) => {
    const project = await patientProject(context);
    await deploy(project, 'app');
    await project.commitRelease({ version: '2.0.0', chaos: 'slow-boot:4s' });
    const carried = await update(project, 'app', { ...PATIENT, 'max-startup-time': '3s' });
    expect(carried.report.outcome, carried.log).toBe('deployed');
    expect(slowStarts(carried), carried.log).toMatchObject([
      { severity: 'low', action: 'warn', message: expect.stringMatching(/^it took \d.* s to start/) as string },
    ]);
    await project.commitRelease({ version: '3.0.0', chaos: 'slow-boot:4s' });
    const failed = await update(project, 'app', { ...PATIENT, 'max-startup-time': '3s', 'on-warning': 'low: fail' });
    expect(failed.report, failed.log).toMatchObject({ outcome: 'failed', changed: true });
    expect(failed.report.error?.code).toBe('E_WARNING_SIGN');
  });

  it(
    'the first start of a service may be slow; one after slow ones is consistent, with their figures',
    { timeout: TIMEOUT_MS },
    async (context) => {
      const project = await patientProject(context);
      await project.commitRelease({ version: '1.1.0', chaos: SLOW });
      const first = await deploy(project, 'app', PATIENT);
      expect(slowStarts(first), first.log).toEqual([]);
      expect(first.report.timeline.map(({ text }) => text)).toContainEqual(
        expect.stringMatching(/^it took 1 min.* to start, which is normal for the first time$/),
      );

      // Two more starts as slow as the one that was measured: each would take its minute.
      const ledger = await ledgerOf(project);
      const [measured] = await ledger.sloRecords('app');
      if (measured?.healthyMs === undefined) throw new Error(`the start was not recorded: ${first.log}`);
      for (const more of [1_000, 2_000]) {
        const at = new Date(Date.parse(measured.at) + more).toISOString();
        await ledger.addSloRecord({ ...measured, at, healthyMs: measured.healthyMs + more });
      }

      const again = await carryOut(project, { procedure: 'health-restart', service: 'app', ...PATIENT });
      expect(again.report.outcome, again.log).toBe('deployed');
      expect(slowStarts(again)).toMatchObject([
        {
          severity: 'low',
          action: 'warn',
          message: expect.stringMatching(
            /^it took 1 min.*, and so did its last 3 starts \(1 min[^,]*, 1 min[^,]*, 1 min[^,]*\): that is consistent$/,
          ) as string,
        },
      ]);
      expect(again.report.nextSteps.join('\n')).toContain('app is slow at every start');
    },
  );
});
