import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkoutState, engineState } from '../support/engine-state.js';
import { carryOut } from '../support/procedure.js';
import { makeProject, type Project } from '../support/project.js';

/** Every procedure, with the inputs that make it have something to do. */
const PROCEDURES: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
  ['code-update', {}],
  ['config-change', {}],
  ['health-restart', {}],
  ['maintenance', {}],
  ['emergency', { service: 'roma' }],
  ['check', {}],
];

describe('a dry run on a project that was never touched by us', () => {
  let project: Project;

  beforeAll(async () => {
    project = await makeProject({ fixture: 'roma' });
    await project.compose(['up', '-d', '--build']);
    await project.commitRelease({ version: '2.0.0' });
  });

  afterAll(async () => {
    await project.cleanup();
  });

  it.each(PROCEDURES)('%s changes nothing, and makes no records either', async (procedure, inputs) => {
    const [engine, checkout] = [await engineState(project), await checkoutState(project)];
    expect(engine.join('\n')).not.toContain('rolling-restart.');
    const { report, log } = await carryOut(project, { procedure, 'dry-run': 'true', ...inputs });
    expect(report.outcome, log).toBe('completed');
    expect(report.dryRun).toBe(true);
    expect(report.changed).toBe(false);
    expect(
      report.plan?.services.map(({ service }) => service),
      log,
    ).toEqual(['roma']);
    expect(await engineState(project)).toEqual(engine);
    expect(await checkoutState(project)).toBe(checkout);
  });

  it('rollback is refused, since there is nothing to go back to', async () => {
    const [engine, checkout] = [await engineState(project), await checkoutState(project)];
    const { report, log } = await carryOut(project, { procedure: 'rollback', service: 'roma', 'dry-run': 'true' });
    expect(report.outcome, log).toBe('refused');
    expect(report.error?.code).toBe('E_ROLLBACK_TARGET');
    expect(await engineState(project)).toEqual(engine);
    expect(await checkoutState(project)).toBe(checkout);
  });
});

describe('a dry run on a project with releases', () => {
  let project: Project;
  let first = '';

  beforeAll(async () => {
    project = await makeProject({ fixture: 'roma' });
    for (const version of ['1.0.0', '2.0.0']) {
      if (version !== '1.0.0') await project.commitRelease({ version });
      const { report, log } = await carryOut(project, { procedure: 'code-update', service: 'roma' });
      expect(report.outcome, log).toBe('deployed');
      if (first === '') first = report.services[0]?.release ?? '';
    }
    await project.commitRelease({ version: '3.0.0' });
    await project.setEnv({ ROMA_GREETING: 'salve' });
  });

  afterAll(async () => {
    await project.cleanup();
  });

  it.each([
    ...PROCEDURES,
    ['rollback', { service: 'roma' }],
    ['rollback', { service: 'roma', 'rollback-to': 'git:HEAD~1' }],
  ] as const)('%s changes nothing, and shows the plan', async (procedure, inputs) => {
    const [engine, checkout] = [await engineState(project), await checkoutState(project)];
    const { report, log } = await carryOut(project, { procedure, 'dry-run': 'true', ...inputs });
    expect(report.outcome, log).toBe('completed');
    expect(report.changed).toBe(false);
    const [plan] = report.plan?.services ?? [];
    expect(plan?.decision.kind, log).toBe('change');
    const kinds = plan?.operations.map(({ kind }) => kind) ?? [];
    expect(kinds).toContain(procedure === 'health-restart' ? 'restart-containers' : 'replace-containers');
    if (procedure !== 'check') expect(log).toContain(`Plan of ${procedure}:`);
    if (procedure === 'rollback') {
      const change = plan?.operations.find((operation) => operation.kind === 'replace-containers');
      expect(change).toMatchObject({ to: first });
    }
    expect(await engineState(project)).toEqual(engine);
    expect(await checkoutState(project)).toBe(checkout);
  });
});
