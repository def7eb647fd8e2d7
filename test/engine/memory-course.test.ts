import { afterAll, beforeAll, expect, it } from 'vitest';
import { deploy, update } from '../support/live.js';
import { makeProject, type Project } from '../support/project.js';
import { served } from '../support/served.js';

/** A trend takes a minute to be one: both releases are watched for that long, on real memory. */
const WATCH = { watch: '64s' };
let project: Project;

beforeAll(async () => {
  project = await makeProject({ fixture: 'plain', files: { 'compose.yaml': served() } });
  await deploy(project, 'app');
});

afterAll(async () => {
  await project.cleanup();
});

it(
  'a leak is memory that goes on rising; the release after it falls, and is stable',
  { timeout: 240_000 },
  async () => {
    await project.commitRelease({ version: '2.0.0', chaos: 'leak:5MB/s' });
    const leaking = await update(project, 'app', WATCH);
    expect(leaking.report.outcome, leaking.log).toBe('deployed');
    expect(leaking.report.warnings, leaking.log).toMatchObject([
      {
        sign: 'memory-rises',
        severity: 'medium',
        action: 'warn',
        message: expect.stringMatching(
          /app-1: memory goes on rising: \d+ MB on average in the second quarter of the watch, \d+ MB in the last$/,
        ) as string,
      },
    ]);
    const texts = (report: typeof leaking.report): string => report.timeline.map(({ text }) => text).join('\n');
    expect(texts(leaking.report)).toMatch(/^memory rose from [\d.]+ MB before to \d+ MB, and goes on rising$/m);

    await project.commitRelease({ version: '3.0.0' });
    const well = await update(project, 'app', WATCH);
    expect(well.report.outcome, well.log).toBe('deployed');
    expect(well.report.warnings, well.log).toEqual([]);
    const course = /^memory fell from (\d+) MB before to ([\d.]+) MB, and is stable$/m.exec(texts(well.report));
    expect(course, texts(well.report)).not.toBeNull();
    expect(Number(course?.[1])).toBeGreaterThan(200);
    expect(Number(course?.[2])).toBeLessThan(150);
  },
);
