import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ActResult } from '../support/act.js';
import { startGitHub, type GitHub } from '../support/github.js';
import { copyOwnRepository, type OwnRepository } from '../support/own-repository.js';

/** The workflow that releases this project, carried out from a copy of it. */
const REPOSITORY = 'acme/rolling-restart';
const GATE_RAN = 'the gate was here';

let repository: OwnRepository;
let github: GitHub;
beforeAll(async () => {
  github = await startGitHub(REPOSITORY);
  repository = copyOwnRepository();
  // The gate runs this test, so it cannot be run by it.
  repository.commit({ '.ci/run': () => `echo ${GATE_RAN}\n` });
});
afterAll(() => {
  github.close();
  repository.cleanup();
});
beforeEach(() => {
  github.asked.length = 0;
});

const run = (version: string): ReturnType<OwnRepository['run']> =>
  repository.run('release-project.yml', { version }, { GITHUB_API_URL: github.apiUrl, GITHUB_REPOSITORY: REPOSITORY });

/** What CONTRIBUTING.md has a person do before. @returns the commit */
function prepare(version: string): string {
  const number = version.slice(1);
  return repository.commit({
    'package.json': (text) => text.replace(/"version": "[^"]+"/, `"version": "${number}"`),
    'CHANGELOG.md': (text) =>
      text.replace(
        '## [Unreleased]\n',
        `## [Unreleased]\n\n## [${number}] - 2026-12-01\n\n- Something for ${version}.\n`,
      ),
  });
}

const requests = (): string[] => github.asked.map((line) => line.replace(`/repos/${REPOSITORY}`, ''));
const tag = (name: string): string | undefined => github.tags.find((one) => one.name === name)?.sha;
const ofVersion = (version: string): GitHub['releases'] => github.releases.filter((one) => one.tag === version);
const errors = (result: ActResult): string[] => result.log.match(/::error .*$/gm) ?? [];

const sha256 = (content: Buffer): string => createHash('sha256').update(content).digest('hex');
const digestsOf = (version: string): readonly string[] => [...filesOf(version).values()].map(sha256);

/** Files of the only release of a version, by name. */
function filesOf(version: string): Map<string, Buffer> {
  const [release, ...more] = ofVersion(version);
  expect(more).toEqual([]);
  return new Map(release?.assets.map(({ name, content }) => [name, content as Buffer]));
}

describe('a release of this project', () => {
  let first: string;

  it('is red before anything when the repository says another version', async () => {
    first = prepare('v7.0.0');
    const result = await run('v7.0.1');
    expect(result.conclusion, result.log).toBe('failure');
    expect(result.jobs).toEqual({ gate: 'failure' });
    expect(errors(result).join('\n')).toContain('set it to 7.0.1');
    expect(result.log).not.toContain(GATE_RAN);
    expect(github.asked).toEqual([]);
  });

  it('is red before anything on another branch', async () => {
    repository.git('checkout', '--quiet', '-b', 'other');
    try {
      const result = await run('v7.0.0');
      expect(result.conclusion, result.log).toBe('failure');
      expect(result.jobs).toEqual({ gate: 'failure' });
      expect(errors(result).join('\n')).toContain('this run is one of refs/heads/other: choose main');
      expect(result.log).not.toContain(GATE_RAN);
      expect(github.asked).toEqual([]);
    } finally {
      repository.git('checkout', '--quiet', 'main');
    }
  });

  it('is drafted, filled, published, and what the major tag names', async () => {
    const result = await run('v7.0.0');
    expect(result.conclusion, result.log).toBe('success');
    expect(result.jobs).toEqual({ gate: 'success', publish: 'success' });
    expect(result.log).toContain(GATE_RAN);
    expect(requests().filter((line) => !line.startsWith('GET '))).toEqual([
      'POST /releases',
      'POST /releases/1/assets',
      'POST /releases/1/assets',
      'PATCH /releases/1',
      'PATCH /git/refs/tags/v7',
      'POST /git/refs',
    ]);
    expect(ofVersion('v7.0.0')).toMatchObject([{ target: first, draft: false, immutable: true }]);
    expect(ofVersion('v7.0.0')[0]?.body).toMatch(/- Something for v7\.0\.0\.[^]*Pin it by commit/);
    expect([tag('v7.0.0'), tag('v7')]).toEqual([first, first]);
    expect(github.problems).toEqual([]);

    const name = 'rolling-restart-v7.0.0.tar.gz';
    const files = filesOf('v7.0.0');
    const archive = files.get(name) ?? Buffer.alloc(0);
    const sum = sha256(archive);
    expect([...files.keys()]).toEqual([name, `${name}.sha256`]);
    expect(files.get(`${name}.sha256`)?.toString()).toBe(`${sum}  ${name}\n`);
    expect(result.attested).toContain(sum);
    expect(helpOf(archive, 'v7.0.0')).toContain('rolling-restart');
  });

  it('may be run again: nothing is changed, and the tag is put right', async () => {
    github.tags.splice(
      github.tags.findIndex(({ name }) => name === 'v7'),
      1,
    );
    const result = await run('v7.0.0');
    expect(result.conclusion, result.log).toBe('success');
    expect(requests().filter((line) => !line.startsWith('GET '))).toEqual([
      'PATCH /git/refs/tags/v7',
      'POST /git/refs',
    ]);
    expect(tag('v7')).toBe(first);
  });

  it('is refused when the version is released from another commit', async () => {
    repository.commit({ 'README.md': (text) => `${text}\nMore.\n` });
    const before = digestsOf('v7.0.0');
    const result = await run('v7.0.0');
    expect(result.conclusion, result.log).toBe('failure');
    expect(errors(result)).toEqual([expect.stringContaining(`v7.0.0 is released from ${first} already`)]);
    expect(requests().filter((line) => !line.startsWith('GET '))).toEqual([]);
    expect(digestsOf('v7.0.0')).toEqual(before);
    expect([tag('v7.0.0'), tag('v7')]).toEqual([first, first]);
  });

  it('that failed in the middle is made anew by the next attempt, and moves the major tag', async () => {
    const second = prepare('v7.1.0');
    // As often as it is asked.
    github.faults.push({ method: 'PATCH', path: /\/releases\/\d+$/, with: 500, times: 3 });
    const failed = await run('v7.1.0');
    expect(failed.conclusion, failed.log).toBe('failure');
    expect(errors(failed)).toEqual([expect.stringMatching(/did not publish v7\.1\.0: 500.*Run the job again/)]);
    expect(ofVersion('v7.1.0')).toMatchObject([{ draft: true }]);
    expect([tag('v7.1.0'), tag('v7')]).toEqual([undefined, first]);

    const result = await run('v7.1.0');
    expect(result.conclusion, result.log).toBe('success');
    expect(ofVersion('v7.1.0')).toMatchObject([{ target: second, draft: false, immutable: true }]);
    expect(filesOf('v7.1.0').size).toBe(2);
    expect([tag('v7.0.0'), tag('v7.1.0'), tag('v7')]).toEqual([first, second, second]);
    expect(github.problems).toEqual([]);
  });

  it('is red, with the remedy, where releases can be changed', async () => {
    github.settings.immutableReleases = false;
    const before = tag('v7');
    prepare('v7.2.0');
    const result = await run('v7.2.0');
    expect(result.conclusion, result.log).toBe('failure');
    expect(errors(result)).toEqual([
      expect.stringMatching(/stays, but it is not immutable.*Settings > General > Releases/),
    ]);
    expect(ofVersion('v7.2.0')).toMatchObject([{ draft: false, immutable: false }]);
    expect(tag('v7')).toBe(before);
    expect(github.problems).toEqual([]);
  });
});

/** @returns what the program of an archive says of itself, once it is unpacked */
function helpOf(archive: Buffer, version: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'rr-unpacked-'));
  try {
    execFileSync('tar', ['xzf', '-', '-C', folder], { input: archive });
    const dist = join(folder, `rolling-restart-${version}`, 'dist');
    expect(existsSync(join(dist, 'main.js'))).toBe(true);
    return execFileSync(process.execPath, [join(dist, 'cli.js'), '--help'], { encoding: 'utf8', timeout: 30_000 });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
