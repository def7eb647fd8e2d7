import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { carryOut } from '../support/procedure.js';
import { makeProject, type Project } from '../support/project.js';
import { served } from '../support/served.js';
import type { RunReport } from '../../src/model/report.js';

/** What the diagnosis found, `looked at: found` a line. */
function diagnosis(report: RunReport): string {
  const finding = report.findings.find(({ title }) => title === 'Diagnosis of app');
  return (finding?.rows ?? []).map((row) => row.join(': ')).join('\n');
}

/** One project; a first release runs, and each test deploys one that fails in another way. */
describe('the diagnosis of a failure', () => {
  let project: Project;
  const deploy = { procedure: 'code-update', service: 'app' };

  beforeAll(async () => {
    project = await makeProject({ fixture: 'plain', files: { 'compose.yaml': served() } });
    const { report, log } = await carryOut(project, deploy);
    expect(report.outcome, log).toBe('deployed');
  });

  afterAll(async () => {
    await project.cleanup();
  });

  it('a health check that gives up too early: proven by hand, with the setting that would have been enough', async () => {
    // It needs 12 s, and its check counts after 5 s, five times.
    const compose = served().replace('start_period: 1s', 'start_period: 5s').replace('retries: 3', 'retries: 5');
    await project.commitRelease({ version: '2.0.0', chaos: 'slow-boot:12s', files: { 'compose.yaml': compose } });
    const { report, log } = await carryOut(project, deploy);
    expect(report.outcome, log).toBe('rolled-back');
    expect(diagnosis(report)).toMatch(/health check: Its health check passes now, .* start_period: [12]\ds \(is 5s\)/);
    expect((await project.get('/')).text).toMatch(/^1\.0\.0 /);
  });

  it('a start that ends: exit code and what its log says, a missing dependency', async () => {
    await project.commitRelease({ files: { 'app/server.mjs': "import 'nowhere';\n" } });
    const { report, log } = await carryOut(project, deploy);
    expect(report.outcome, log).toBe('rolled-back');
    expect(diagnosis(report)).toContain('exit code: It ended with exit code 1: the program itself gave up');
    expect(diagnosis(report)).toMatch(/log: A dependency is missing in the image.*Cannot find package 'nowhere'/);
    expect(log).toContain('? app: log: A dependency is missing');
  });

  it('a port that is taken: who has it', async () => {
    const holder = createServer();
    await project.compose(['stop', 'app']);
    await new Promise<void>((resolve) => holder.listen(project.port, resolve));
    try {
      const { report, log } = await carryOut(project, { procedure: 'emergency', service: 'app' });
      expect(report.outcome, log).toBe('failed');
      expect(diagnosis(report)).toMatch(
        new RegExp(`port: Port ${project.port} of the host is taken by process .+ \\(pid \\d+\\)`),
      );
    } finally {
      await new Promise((resolve) => holder.close(resolve));
    }
    const again = await carryOut(project, { procedure: 'emergency', service: 'app' });
    expect(again.report.outcome, again.log).toBe('deployed');
  });
});

/** `app` needs `db`, and says so. */
const WITH_DB = `${served({ more: '    depends_on: [db]\n' })}
  db:
    image: \${COMPOSE_PROJECT_NAME}-app
    stop_grace_period: 1s
`;

describe('the diagnosis of a service that depends on another', () => {
  let project: Project;

  beforeAll(async () => {
    project = await makeProject({ fixture: 'plain', files: { 'compose.yaml': WITH_DB } });
    await project.compose(['build']);
    const { report, log } = await carryOut(project, { procedure: 'code-update', service: 'db,app' });
    expect(report.outcome, log).toBe('deployed');
  });

  afterAll(async () => {
    await project.cleanup();
  });

  it('names the one that does not run, or is not there, and none that is well', async () => {
    const failing = async (): Promise<string> => {
      const { report, log } = await carryOut(project, { procedure: 'code-update', service: 'app' });
      expect(report.outcome, log).toBe('rolled-back');
      return diagnosis(report);
    };
    await project.commitRelease({ version: '2.0.0', chaos: 'exit-at-once' });
    await project.compose(['stop', 'db']);
    expect(await failing()).toContain('dependency: db, which it depends on, is exited: make that one right first.');
    await project.commitRelease({ version: '3.0.0', chaos: 'exit-at-once' });
    await project.compose(['rm', '--force', 'db']);
    expect(await failing()).toContain(
      'dependency: db, which it depends on, has no container: start or deploy it first.',
    );
    await project.commitRelease({ version: '4.0.0', chaos: 'exit-at-once' });
    await project.compose(['up', '--detach', '--no-build', '--no-deps', 'db']);
    expect(await failing()).not.toContain('dependency');
  });
});
