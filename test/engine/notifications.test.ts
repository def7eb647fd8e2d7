import { afterAll, beforeAll, expect, it } from 'vitest';
import { update } from '../support/live.js';
import { makeProject, type Project } from '../support/project.js';
import { makeReceiver, type Receiver } from '../support/receiver.js';
import { served } from '../support/served.js';

let project: Project;
let hook: Receiver;
beforeAll(async () => {
  hook = await makeReceiver();
  project = await makeProject({ fixture: 'plain', files: { 'compose.yaml': served() } });
});
afterAll(async () => {
  hook.close();
  await project.cleanup();
});

it('a webhook is told of the beginning and of the end of each run, and one that is down fails nothing', async () => {
  const told = (): readonly unknown[] =>
    hook.received.splice(0).map(({ json }) => {
      const { moment, outcome } = json as { readonly moment: string; readonly outcome?: string | null };
      return [moment, outcome ?? null];
    });
  const inputs = { 'webhook-url': `${hook.url}/runs`, 'notify-on': 'start, success, failure, rollback' };
  const good = await update(project, 'app', inputs);
  expect(good.report.outcome, good.log).toBe('deployed');
  expect(told()).toEqual([
    ['start', null],
    ['success', 'deployed'],
  ]);

  await project.commitRelease({ version: '2.0.0', chaos: 'exit-at-once' });
  const bad = await update(project, 'app', inputs);
  expect(bad.report.outcome, bad.log).toBe('rolled-back');
  expect(told()).toEqual([
    ['start', null],
    ['rollback', 'rolled-back'],
  ]);

  await project.commitRelease({ version: '3.0.0' });
  const alone = await update(project, 'app', { ...inputs, 'webhook-url': 'http://127.0.0.1:9/runs' });
  expect(alone.report.outcome, alone.log).toBe('deployed');
  expect(alone.log).toMatch(/webhook could not be told/);
  expect((await project.get('/')).text).toMatch(/^3\.0\.0 /);
});
