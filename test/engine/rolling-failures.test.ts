import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { deploy, update } from '../support/live.js';
import { makeProject, type Project } from '../support/project.js';

/** Each start takes the next number; the start that the file names ends with 3. */
const START = [
  'i=1; while ! mkdir /starts/$$i 2>/dev/null; do i=$$((i+1)); done;',
  'if grep -qx $$i /starts/failing 2>/dev/null; then echo "start $$i fails on purpose"; exit 3; fi;',
  'exec node server.mjs',
].join(' ');

const compose = (update: string): string => `services:
  app:
    build:
      context: .
      args:
        BASE_IMAGE: \${BASE_IMAGE:-node:22-alpine}
    command: ['sh', '-c', ${JSON.stringify(START)}]
    volumes: ['./starts:/starts']
    deploy:
      replicas: 5
      update_config:
        parallelism: 2
${update}
    healthcheck:
      test: ['CMD', 'wget', '-q', '-O', '/dev/null', 'http://127.0.0.1:8080/health']
      interval: 1s
      start_period: 1s
    stop_grace_period: 1s
x-rolling-restart:
  services:
    app:
      strategy: rolling
      shared-volumes: [/starts]
`;

let project: Project;
afterEach(() => project.cleanup());

async function five(update: string): Promise<void> {
  project = await makeProject({
    fixture: 'replicas',
    files: { 'compose.yaml': compose(update), '.gitignore': '/starts\n/.env\n' },
  });
  await mkdir(join(project.dir, 'starts'));
  await deploy(project, 'app');
}

/** The third container of the update is the eighth start: five of the first deploy came before. */
async function failThird(): Promise<void> {
  const { writeFile } = await import('node:fs/promises');
  await writeFile(join(project.dir, 'starts/failing'), '8\n');
  await project.commitRelease({ version: '2.0.0' });
}

describe('five replicas, two at a time, the third new one fails', () => {
  describe('with max_failure_ratio: 0.2', () => {
    beforeEach(() => five('        max_failure_ratio: 0.2\n        delay: 500ms'));

    it('makes it once more and goes on', async () => {
      await failThird();
      const carried = await update(project, 'app');
      expect(carried.report.outcome, carried.log).toBe('deployed');
      expect(carried.report.plan?.services[0]?.strategy).toBe('rolling');
      const ids = await project.containerIds('app');
      expect(ids).toHaveLength(5);
      for (const id of ids) expect((await project.get(await project.containerUrl(id))).text).toMatch(/^2\.0\.0 /);
      expect(carried.report.warnings.map(({ message }) => message).join('\n')).toContain('max_failure_ratio');
    });
  });

  describe('without', () => {
    beforeEach(() => five('        failure_action: rollback'));

    it('brings all five of before back', async () => {
      const before = await project.containerIds('app');
      await failThird();
      const carried = await update(project, 'app');
      expect(carried.report.outcome, carried.log).toBe('rolled-back');
      const ids = await project.containerIds('app');
      expect(ids).toHaveLength(5);
      for (const id of ids) expect((await project.get(await project.containerUrl(id))).text).toMatch(/^1\.0\.0 /);
      // Three were never touched.
      expect(ids.filter((id) => before.includes(id))).toHaveLength(3);
      expect(carried.report.error?.message).toContain('exited with code 3');
    });
  });

  describe('with failure_action: pause', () => {
    beforeEach(() => five('        failure_action: pause'));

    it('stays as it is, red, with the way back', async () => {
      await failThird();
      const carried = await update(project, 'app');
      expect(carried.report.outcome, carried.log).toBe('failed');
      expect(carried.report.changed).toBe(true);
      expect(carried.report.nextSteps.join('\n')).toContain('procedure rollback');
    });
  });
});
