import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { carryOut } from '../support/procedure.js';
import { makeProject, type Project } from '../support/project.js';

const SECRETS = ['correct-horse-battery', 'pg-p4ssword'];
let project: Project | undefined;

afterEach(async () => {
  await project?.cleanup();
  project = undefined;
});

it('evidence of before and after is there, and holds none of the secrets of the environment', async () => {
  project = await makeProject({ fixture: 'roma' });
  await project.setEnv({
    APP_PASSWORD: SECRETS[0] ?? '',
    STORE: `postgres://roma:${SECRETS[1] ?? ''}@db.test/roma`,
  });
  const first = await carryOut(project, { procedure: 'code-update', service: 'roma' });
  expect(first.report.outcome, first.log).toBe('deployed');
  await project.commitRelease({ version: '2.0.0' });
  const { report, log } = await carryOut(project, { procedure: 'code-update', service: 'roma', watch: '1s' });
  expect(report.outcome, log).toBe('deployed');
  const container = await project.inspect('roma');
  for (const secret of SECRETS) expect(container.Config.Env.join('\n')).toContain(secret);

  const folder = report.evidencePath ?? '';
  const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  const names = files.map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name))).sort();
  for (const moment of ['before', 'after']) {
    for (const name of ['inspect.json', 'log.txt', 'stats.json']) {
      expect(names).toContain(`roma-${moment}-${project.name}-roma-builder-${name}`);
    }
  }
  const contents = await Promise.all(names.map((name) => readFile(path.join(folder, name), 'utf8')));
  expect(contents.join('\n')).toContain('listens on port');
  for (const text of [...contents, log, first.log, JSON.stringify(report)]) {
    for (const secret of SECRETS) expect(text).not.toContain(secret);
  }
});
