import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deploy, expectUntouched, liveOf, type Live } from '../support/live.js';
import { carryOut, type Carried } from '../support/procedure.js';
import { makeProject, type Project } from '../support/project.js';
import { served } from '../support/served.js';

const PROCEDURES = ['code-update', 'health-restart', 'rollback', 'config-change'] as const;

/** Each writes down what it was told, and fails when a file says so. */
const HOOKS = PROCEDURES.map(
  (name) => `    before-${name}: >-
      echo "before $$ROLLING_RESTART_PROJECT $$ROLLING_RESTART_PROCEDURE $$ROLLING_RESTART_SERVICES" >> \${HOOKS:-/dev/null};
      echo hook before ${name} speaks; test ! -e \${HOOKS:-}.fail-before
    after-${name}: >-
      echo "after $$ROLLING_RESTART_PROCEDURE $$ROLLING_RESTART_SERVICES $$ROLLING_RESTART_OUTCOME" >> \${HOOKS:-/dev/null};
      echo hook after ${name} speaks; test ! -e \${HOOKS:-}.fail-after
`,
).join('');

const compose = (level: string): string =>
  `${served({ environment: { LEVEL: level } })}x-rolling-restart:\n  hooks:\n${HOOKS}`;

/** One project; each test goes on from where the one before left it. */
describe('hooks of the compose file', () => {
  let project: Project;
  let hooks = '';

  beforeAll(async () => {
    project = await makeProject({ fixture: 'plain', files: { 'compose.yaml': compose('info') } });
    hooks = path.join(project.root, 'hooks');
    await project.setEnv({ HOOKS: hooks });
    await deploy(project, 'app');
  });
  afterAll(() => project.cleanup());

  const run = (procedure: string): Promise<Carried> => carryOut(project, { procedure, service: 'app' });
  /** What the hooks wrote since this was asked last. */
  const written = async (): Promise<readonly string[]> => {
    const text = await readFile(hooks, 'utf8').catch(() => '');
    await rm(hooks, { force: true });
    return text.split('\n').filter((line) => line !== '');
  };
  const failing = async (moment: 'before' | 'after', procedure: string): Promise<Carried> => {
    await writeFile(`${hooks}.fail-${moment}`, '');
    try {
      return await run(procedure);
    } finally {
      await rm(`${hooks}.fail-${moment}`);
    }
  };

  it('ran around the first deploy', async () => {
    expect(await written()).toEqual([`before ${project.name} code-update app`, 'after code-update app deployed']);
  });

  /** What a procedure is to do, and what shows that it did. */
  const CASES: Readonly<
    Record<(typeof PROCEDURES)[number], { prepare: () => Promise<unknown>; did: (before: Live) => Promise<void> }>
  > = {
    'code-update': {
      prepare: () => project.commitRelease({ version: '2.0.0' }),
      did: async () => expect((await project.get('/')).text).toMatch(/^2\.0\.0 /),
    },
    'health-restart': {
      prepare: async () => (startedAt = (await project.inspect('app')).State.StartedAt),
      did: async () => expect((await project.inspect('app')).State.StartedAt).not.toBe(startedAt),
    },
    rollback: {
      prepare: async () => undefined,
      did: async () => expect((await project.get('/')).text).toMatch(/^1\.0\.0 /),
    },
    'config-change': {
      prepare: () => writeFile(path.join(project.dir, 'compose.yaml'), compose('debug')),
      did: async () => expect((await liveOf(project, 'app')).environment).toContain('LEVEL=debug'),
    },
  };
  let startedAt = '';

  it.each(PROCEDURES)(
    '%s: one before that fails changes nothing; one after that fails leaves what is live, and the job is red',
    async (procedure) => {
      const { prepare, did } = CASES[procedure];
      await prepare();
      const before = await liveOf(project, 'app');

      const kept = await failing('before', procedure);
      expect(kept.report, kept.log).toMatchObject({ outcome: 'failed', changed: false, error: { code: 'E_COMMAND' } });
      expect(kept.report.error?.message).toContain(`before-${procedure} ended with exit code 1`);
      expect(kept.log).toContain(`│ hook before ${procedure} speaks`);
      await expectUntouched(project, 'app', before, kept.log);
      // Nothing was begun that the one after could end.
      expect(await written()).toEqual([`before ${project.name} ${procedure} app`]);

      const red = await failing('after', procedure);
      expect(red.report, red.log).toMatchObject({ outcome: 'failed', changed: true, error: { code: 'E_COMMAND' } });
      expect(red.report.headline).toMatch(
        new RegExp(`^app.*verified.*; after that: after-${procedure} ended with exit code 1`),
      );
      expect(red.report.services).toMatchObject([{ service: 'app', outcome: 'deployed' }]);
      expect(red.report.nextSteps.join('\n')).toContain(`after-${procedure} ended with exit code 1`);
      expect(red.log).toContain(`│ hook after ${procedure} speaks`);
      expect(await written()).toEqual([`before ${project.name} ${procedure} app`, `after ${procedure} app deployed`]);
      await did(before);
      // It is accepted: the next one has nothing to change, and nothing to repair.
      const { release } = await liveOf(project, 'app');
      expect(release).toBe(red.report.services[0]?.release);
      const status = await carryOut(project, { procedure: 'check', service: 'app' });
      expect(status.report.headline, status.log).toBe('check: everything that runs is healthy');
    },
  );

  it('the one after a procedure that fails is told so, and its own failure hides nothing', async () => {
    await project.git('checkout', '--', 'compose.yaml');
    await project.commitRelease({ version: '3.0.0', chaos: 'exit-at-once' });
    const { report, log } = await failing('after', 'code-update');
    expect(report, log).toMatchObject({ outcome: 'rolled-back', error: { code: 'E_NOT_READY' } });
    expect(report.nextSteps.join('\n')).toContain('after-code-update ended with exit code 1');
    expect(await written()).toEqual([`before ${project.name} code-update app`, 'after code-update app rolled-back']);
  });
});
