import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { carryOut, type Carried } from '../support/procedure.js';
import { makeProject, type Project } from '../support/project.js';

const PAGE = readFileSync(new URL('../../docs/getting-started.md', import.meta.url), 'utf8');

/** docs/getting-started.md, followed: its files, its smoke test, and what it says happens. One story. */
let project: Project;
beforeAll(async () => {
  project = await makeProject({
    fixture: 'plain',
    files: {
      // The two things of the page that depend on the machine: a base image from a registry, and a port that is free.
      Dockerfile: block('Dockerfile').replace('FROM node:22-alpine', 'ARG BASE_IMAGE\nFROM ${BASE_IMAGE}'),
      'server.mjs': block('server.mjs'),
      'compose.yaml': block('compose.yaml')
        .replace('build: .', 'build: { context: ., args: { BASE_IMAGE: "${BASE_IMAGE}" } }')
        .replace("'8080:8080'", "'${HOST_PORT}:8080'"),
    },
  });
});
afterAll(() => project.cleanup());

/** @returns the text of the block that follows a file's name */
function block(name: string): string {
  const found = new RegExp(`^\`${name.replaceAll('.', '\\.')}\`\\n\\n\`\`\`\\w+\\n([\\s\\S]*?)^\`\`\``, 'm').exec(PAGE);
  if (found?.[1] === undefined) throw new Error(`the page has no file ${name}`);
  return found[1];
}

function smokeTest(): string {
  return /smoke-test: (.*)/.exec(PAGE)?.[1]?.replace('8080', String(project.port)) ?? 'false';
}

function deploy(): Promise<Carried> {
  return carryOut(project, { procedure: 'code-update', 'smoke-test': smokeTest(), watch: '3s' });
}

const answer = async (): Promise<string> => (await project.get('/')).text;

it('its first deploy serves, and plain docker compose leaves it alone', async () => {
  const first = await deploy();
  expect(first.report.outcome, first.log).toBe('deployed');
  expect(await answer()).toBe('hello, version 1\n');
  const before = await project.containerId('shop');
  await project.compose(['up', '-d']);
  expect(await project.containerId('shop')).toBe(before);
});

it('what it breaks on purpose is rolled back with the reason, and refused when it comes again', async () => {
  await project.commitRelease({ files: { 'server.mjs': 'process.exit(1);\n' } });
  const broken = await deploy();
  expect(broken.report.outcome, broken.log).toBe('rolled-back');
  expect(broken.report.error?.message).toMatch(/exit(ed)? .*code 1/);
  expect(await answer()).toBe('hello, version 1\n');
  expect((await deploy()).report.outcome).toBe('refused');
});

it('goes back to the release before without a build', async () => {
  const next = block('server.mjs').replace('version 1', 'version 2');
  await project.commitRelease({ files: { 'server.mjs': next } });
  expect((await deploy()).report.outcome).toBe('deployed');
  expect(await answer()).toBe('hello, version 2\n');
  const back = await carryOut(project, { procedure: 'rollback', 'smoke-test': smokeTest() });
  expect(back.report.outcome, back.log).toBe('deployed');
  expect(await answer()).toBe('hello, version 1\n');
});
