import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { renderSummary } from '../../src/report/summary.js';
import { startGitHub } from '../support/github.js';
import { carryOut, type Carried } from '../support/procedure.js';
import { makeProject, type Project } from '../support/project.js';
import { served } from '../support/served.js';

describe('the record of what runs cost, and its report', () => {
  let project: Project;

  beforeAll(async () => {
    project = await makeProject({ fixture: 'plain', files: { 'compose.yaml': served() } });
  });

  afterAll(async () => {
    await project.cleanup();
  });

  it('has nothing to say before the first run, and changes nothing', async () => {
    const { report, log } = await carryOut(project, { procedure: 'slo-report' });
    expect(report.outcome, log).toBe('completed');
    expect(report.findings).toEqual([]);
    expect(report.headline).toMatch(/no run changed anything in the last 30 days/);
  });

  it('gets a row of each run that changed something, and of no other', async () => {
    const inputs = { procedure: 'code-update', service: 'app' };
    const first = await carryOut(project, inputs);
    expect(first.report.outcome, first.log).toBe('deployed');
    await project.commitRelease({ version: '2.0.0' });
    const second = await carryOut(project, inputs);
    expect(second.report.outcome, second.log).toBe('deployed');
    expect((await carryOut(project, inputs)).report.outcome).toBe('unchanged');
    await project.commitRelease({ version: '3.0.0', chaos: 'crash-on-boot' });
    const bad = await carryOut(project, inputs);
    expect(bad.report.outcome, bad.log).toBe('rolled-back');
    const again = await carryOut(project, { procedure: 'health-restart', service: 'app' });
    expect(again.report.outcome, again.log).toBe('deployed');

    const { report, log } = await carryOut(project, { procedure: 'slo-report', service: 'app' });
    const runs = report.findings.find(({ title }) => title === 'Runs of app');
    expect(
      runs?.rows.map(([, procedure, outcome]) => [procedure, outcome]),
      log,
    ).toEqual([
      ['code-update', 'deployed'],
      ['code-update', 'deployed'],
      ['code-update', 'rolled-back'],
      ['health-restart', 'deployed'],
    ]);
    // What the report of the run said is what the record says.
    expect(second.report.slo.find(({ metric }) => metric === 'Downtime (code-update)')?.actual).toBe(
      runs?.rows[1]?.[3],
    );

    const table = report.findings.find(({ title }) => title.startsWith('Restart Performance Targets of app'));
    const rows = new Map(table?.rows.map(([metric = '', ...cells]) => [metric, cells]));
    for (const metric of [
      'Restart time',
      'Memory after restart',
      'Error rate post-restart',
      'Health check pass time',
    ]) {
      expect(rows.get(metric)?.[1], metric).toMatch(/^\d/);
      expect(rows.get(metric)?.[2], metric).toMatch(/^\d{4}-\d\d-\d\d /);
    }
    expect(rows.get('Downtime (code-update)')?.[0]).toBe('<30 s');
    expect(rows.get('Downtime (health-restart)')).toMatchObject(['none', /^\d/, /^\d{4}/, '0 of 1'].map(matching));

    expect(report.charts.map(({ title }) => title)).toContain('Restart time of app');
    expect(renderSummary(report)).toMatch(/```mermaid\nxychart-beta\n {2}title "Downtime of app"/);
  });

  it('keeps its tables in one issue, when it has a token for it', async () => {
    const tracker = await startGitHub();
    const environment = { ...process.env, GITHUB_REPOSITORY: 'acme/roma', GITHUB_API_URL: tracker.apiUrl };
    const review = (more: Readonly<Record<string, string>> = {}): Promise<Carried> =>
      carryOut(project, { procedure: 'slo-report', 'github-token': 't0ken', ...more }, { environment });
    try {
      const dry = await review({ 'dry-run': 'true' });
      expect(dry.report.outcome, dry.log).toBe('completed');
      expect(tracker.asked).toEqual([]);
      const first = await review();
      expect(first.report.outcome, first.log).toBe('completed');
      expect(first.log).toContain('opened: issue #2 (https://github.test/acme/roma/issues/2)');
      const second = await review({ period: '2h' });
      expect(second.log).toContain('brought up to date: issue #2');
      expect(tracker.issues.size).toBe(1);
      const body = tracker.issues.get(2)?.body ?? '';
      expect(body).toContain('4 changes of app in the last 2 h, 3 of them green');
      expect(body).toMatch(/^\| Restart time \| `<30 s` \| \d/m);
      expect(body).toMatch(/^\| [^|]+ \| code-update \| rolled-back \|/m);
      expect(tracker.problems).toEqual([]);
    } finally {
      tracker.close();
    }
    const down = await review();
    expect(down.report.outcome, down.log).toBe('completed');
    expect(down.log).toMatch(/GitHub took no issue for the review/);
  });

  it('writes metrics for a node exporter in one step, readable by it', async () => {
    const folder = `${project.root}/textfile`;
    const file = `${folder}/rolling_restart.prom`;
    await mkdir(folder);
    await writeFile(file, 'old\n');
    const { report, log } = await carryOut(project, { procedure: 'slo-report', 'metrics-file': file });
    expect(report.outcome, log).toBe('completed');
    const text = await readFile(file, 'utf8');
    expect(text).toContain(
      `rolling_restart_runs{project="${project.name}",service="app",procedure="code-update",outcome="rolled-back"} 1\n`,
    );
    expect(text).toMatch(/^rolling_restart_downtime_seconds\{.*procedure="health-restart"\} \d+(\.\d+)?$/m);
    expect(text.endsWith('# EOF\n')).toBe(true);
    expect(await readdir(folder)).toEqual(['rolling_restart.prom']);
    expect((await stat(file)).mode & 0o444).toBe(0o444);
  });

  it('says where it cannot write, and refuses a name that no exporter reads', async () => {
    const lost = await carryOut(project, { procedure: 'slo-report', 'metrics-file': `${project.root}/none/x.prom` });
    expect(lost.report.outcome).toBe('failed');
    expect(lost.report.error?.code).toBe('E_EVIDENCE');
    await expect(
      carryOut(project, { procedure: 'slo-report', 'metrics-file': `${project.root}/x.txt` }),
    ).rejects.toThrow(/does not end in \.prom/);
  });

  it('looks no further back than asked', async () => {
    await expect(carryOut(project, { procedure: 'slo-report', period: '10s' })).rejects.toThrow(/shorter than 60s/);
    const { report } = await carryOut(project, { procedure: 'slo-report', period: '2h' });
    expect(report.findings[0]?.title).toBe('Restart Performance Targets of app (last 2 h)');
  });
});

function matching(value: string | RegExp): unknown {
  return typeof value === 'string' ? value : expect.stringMatching(value);
}
