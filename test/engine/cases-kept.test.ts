import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { makeCase, type Case, type CaseRun } from '../support/cases.js';
import { docker } from '../support/engine-containers.js';

/** What the file says and the engine does not have: each part is named, and nothing of it is called deployed in silence. */
let project: Case;

afterEach(async () => {
  await project.cleanup();
});

const warningsOf = ({ report }: CaseRun): readonly string[] => report.warnings.map(({ message }) => message);
const notesOf = ({ report }: CaseRun): readonly string[] => report.plan?.services.flatMap(({ notes }) => notes) ?? [];

/** In the plan and the warnings of the dry run and of the real one, and in those of `check`. */
async function expectNamed(sentence: string, outcome: 'deployed' | 'unchanged', inputs = {}): Promise<void> {
  const run = await project.predict('code-update', inputs);
  expect(run.report.outcome, run.log).toBe(outcome);
  for (const one of [run, run.predicted]) {
    expect(notesOf(one), one.log).toContain(sentence);
    expect(warningsOf(one)).toEqual(expect.arrayContaining([sentence]));
  }
  const check = await project.run('check');
  expect(check.report.headline, check.log).toMatch(/1 thing to look at/);
  expect(check.report.nextSteps).toContain(sentence);
}

describe('a network or volume whose definition changed', () => {
  it('an option of a network', async () => {
    project = await makeCase('19b-network-option');
    const name = `${project.name}_default`;
    await project.edit('compose.yml', /networks: [^]*$/, '');
    expect((await project.predict('code-update')).report.outcome).toBe('deployed');
    await project.sh(
      `printf 'networks: { default: { driver_opts: { com.docker.network.driver.mtu: "1400" } } }' >> compose.yml`,
    );
    const option = 'driver_opts.com.docker.network.driver.mtu';
    await expectNamed(`network ${name} keeps its old definition until it is created again: ${option}`, 'deployed');
    expect(await docker('network', 'inspect', '--format', '{{json .Options}}', name)).toBe('{}');
  });

  it('a volume that was made with options, and a label that was added', async () => {
    project = await makeCase('24-volume-definition-drift');
    const data = join(project.root, 'data');
    await mkdir(data);
    await project.sh(`DATA=${data} docker compose -f compose.yml -f ov.yml up -d --wait`);
    await project.edit('compose.yml', 'x: y', 'x: z');
    const others = 'driver_opts.device, driver_opts.o, driver_opts.type, labels.x';
    const sentence = `volume ${project.name}_pg keeps its old definition until it is created again: ${others}`;
    await expectNamed(sentence, 'unchanged', { service: 'db' });
  });
});

describe('a service that asks to be restarted with another one', () => {
  it('is named with the command, before and after, until it was restarted', async () => {
    project = await makeCase('02-proxy-keeps-old-address', { git: true });
    await project.sh('docker compose up -d --wait');
    const text = await readFile(join(project.dir, 'compose.yml'), 'utf8');
    await project.commitRelease({ files: { 'compose.yml': text.replace('case-app:2', 'case-app:3') } });
    const planned = await project.run('plan');
    const run = await project.predict('code-update', { service: 'api', strategy: 'rolling' });
    expect(run.report.outcome, run.log).toBe('deployed');
    const command = 'docker compose restart web';
    for (const one of [run, run.predicted, planned]) {
      expect(notesOf(one).join('\n')).toContain(
        `web asks to be restarted with api, and is not. Afterwards run: ${command}`,
      );
    }
    const sentence = `web was not restarted with api, as depends_on asks. Run: ${command}`;
    expect(warningsOf(run)).toContain(sentence);
    expect(run.report.nextSteps).toContain(sentence);
    expect((await project.run('check')).report.nextSteps).toContain(sentence);

    await project.sh(command);
    await expect.poll(async () => (await project.get('/health').catch(() => ({ text: '' }))).text).toBe('3');
    expect((await project.run('check')).report.nextSteps).not.toContain(sentence);
  });
});
