import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createApi } from '../../.github/actions/github-api.mjs';
import { RECORD_NAME as WRITTEN_NAME, checksums, recordRelease } from '../../.github/actions/record-release/record.mjs';
import { repositoryProblem } from '../../src/action/shapes.js';
import { createCodeHost } from '../support/code-host.js';
import { RECORD_NAME } from '../../src/github/recorded-images.js';
import { isPinned, pushedAs, repositoryFor } from '../../src/model/recorded-image.js';
import type { CodeHost } from '../../src/model/ports/code-host.js';
import { startGitHub, type GitHub } from '../support/github.js';

/** What of "build once" needs no engine: names, the record that is written, and the record that is read. */
const COMMIT = 'a'.repeat(40);
const REPOSITORY = 'ghcr.io/acme/roma';
const DIGEST = `sha256:${'1'.repeat(64)}`;
const IMAGES = { roma: `${REPOSITORY}@${DIGEST}` };
const RUN = 'https://github.test/acme/roma/actions/runs/1/attempts/1';

let github: GitHub;
let lost: string[];
let codeHost: CodeHost;
beforeEach(async () => {
  github = await startGitHub();
  lost = [];
  codeHost = createCodeHost({
    token: 'token',
    repository: 'acme/roma',
    apiUrl: github.apiUrl,
    onProblem: () => undefined,
    onIssueLost: (line) => lost.push(line),
  });
});
afterEach(() => {
  github.close();
});

const api = () => createApi({ apiUrl: github.apiUrl, repository: 'acme/roma', token: 'token' });
const write = (more: Partial<Parameters<typeof recordRelease>[0]> = {}) =>
  recordRelease({ tag: 'v1.0.0', commit: COMMIT, images: IMAGES, run: RUN, ...more }, api());

describe('a repository', () => {
  it.each(['ghcr.io/acme/roma', 'localhost/roma', '127.0.0.1:5000/a/b-c_d', 'registry.example.com/{service}'])(
    '%s can be pushed to',
    (text) => {
      expect(repositoryProblem(text)).toBeUndefined();
    },
  );

  it.each(['roma', 'acme/roma', 'ghcr.io/acme/roma:1', `ghcr.io/acme/roma@${DIGEST}`, 'ghcr.io/Acme/roma', '-x/y', ''])(
    '%s cannot',
    (text) => {
      expect(repositoryProblem(text)).toContain('is not a repository in a registry');
    },
  );

  it('is one for each service where its name is in it', () => {
    expect(repositoryFor('ghcr.io/acme/{service}', 'web')).toBe('ghcr.io/acme/web');
    expect(repositoryFor(REPOSITORY, 'web')).toBe(REPOSITORY);
    expect(pushedAs(REPOSITORY, COMMIT)).toBe(`${REPOSITORY}:git-${COMMIT}`);
  });

  it.each([
    [IMAGES.roma, true],
    [undefined, false],
    [`${REPOSITORY}:latest`, false],
    [`${REPOSITORY}@sha256:12`, false],
    [`ghcr.io/acme/other@${DIGEST}`, false],
    [`${REPOSITORY}-x@${DIGEST}`, false],
  ])('has %s for good: %s', (reference, pinned) => {
    expect(isPinned(REPOSITORY, reference)).toBe(pinned);
  });
});

describe('the record beside a release', () => {
  it('has the name that is looked for', () => {
    expect(WRITTEN_NAME).toBe(RECORD_NAME);
  });

  it('is drafted, filled and published where the tag has no release, and read again', async () => {
    expect(await write()).toEqual({ url: 'https://github.test/releases/tag/v1.0.0', how: 'made' });
    expect(github.asked.map((line) => line.replace('/repos/acme/roma', ''))).toEqual([
      'GET /releases/tags/v1.0.0',
      'GET /releases',
      'POST /releases',
      'POST /releases/1/assets',
      'PATCH /releases/1',
    ]);
    expect(github.releases[0]).toMatchObject({ draft: false, tag: 'v1.0.0' });
    expect((await codeHost.recordedImages(COMMIT, ['refs/tags/v1.0.0'], ['roma'])).images).toEqual(IMAGES);
    expect((await codeHost.recordedImages(COMMIT, [COMMIT, 'refs/heads/main', 'v1.0.0'], ['roma'])).images).toEqual(
      IMAGES,
    );
    expect(github.problems).toEqual([]);
  });

  it('goes to the release that a person made', async () => {
    github.releases.push({ id: 7, tag: 'v1.0.0', draft: false, body: 'notes', assets: [] });
    expect(await write({ attestation: 'https://github.test/attestations/1' })).toHaveProperty('url');
    expect(github.releases).toHaveLength(1);
    expect(github.releases[0]).toMatchObject({
      body: 'notes',
      assets: [{ name: RECORD_NAME, content: { commit: COMMIT, attestation: 'https://github.test/attestations/1' } }],
    });
  });

  it('is never written over', async () => {
    await write();
    const result = await write({ images: { roma: `${REPOSITORY}@sha256:${'2'.repeat(64)}` } });
    expect(result).toEqual({ problem: expect.stringContaining('another image of roma') as string });
    const moved = await write({ commit: 'b'.repeat(40) });
    expect(moved).toEqual({ problem: expect.stringContaining('a record of another commit') as string });
    expect((await codeHost.recordedImages(COMMIT, ['v1.0.0'], ['roma'])).images).toEqual(IMAGES);
  });

  it('is made by the next attempt where the first one left a draft', async () => {
    github.faults.push({ method: 'PATCH', path: /\/releases\/1$/, with: 503, times: 3 });
    expect(await write()).toEqual({ problem: expect.stringContaining('the next attempt publishes it') as string });
    expect(github.releases[0]).toMatchObject({ draft: true });
    expect(await write({ pushed: false })).toMatchObject({ how: 'made' });
    expect(github.releases).toHaveLength(1);
    expect(github.releases[0]).toMatchObject({ draft: false, assets: [{ name: RECORD_NAME }] });
    expect(github.problems).toEqual([]);
  });

  it('takes the place of an upload that broke off', async () => {
    const assets = [{ id: 70, name: RECORD_NAME, content: {}, state: 'open' as const }];
    github.releases.push({ id: 7, tag: 'v1.0.0', draft: false, body: 'notes', assets });
    expect(await write()).toMatchObject({ how: 'made' });
    expect((await codeHost.recordedImages(COMMIT, ['v1.0.0'], ['roma'])).images).toEqual(IMAGES);
    expect(github.problems).toEqual([]);
  });

  it('is completed by a later attempt that has built the rest, and is known to the next one', async () => {
    const other = { worker: `ghcr.io/acme/worker@${DIGEST}` };
    // Where releases are immutable it stays as it is, and the deployment has the rest.
    github.settings.immutableReleases = false;
    await write({ attestation: 'https://github.test/attestations/1' });
    // Until then, what the record lacks is found in the deployment of the commit.
    const payload = { 'rolling-restart': { run: 'r', project: 'p', host: 'h', images: { ...IMAGES, ...other } } };
    github.put({ sha: COMMIT, environment: 'production', payload, states: ['failure'] });
    const services = ['roma', 'worker'];
    expect((await codeHost.recordedImages(COMMIT, ['v1.0.0'], services)).images).toEqual({ ...IMAGES, ...other });
    expect(await write({ images: { ...IMAGES, ...other } })).toMatchObject({ how: 'made' });
    expect(github.releases[0]?.assets).toMatchObject([
      { content: { images: { ...IMAGES, ...other }, attestation: 'https://github.test/attestations/1' } },
    ]);
    github.asked.splice(0);
    expect(await write({ images: other, pushed: false })).toMatchObject({ how: 'known' });
    expect(github.asked.every((line) => line.startsWith('GET '))).toBe(true);
    expect(github.problems).toEqual([]);
  });

  it('waits in the draft that a person has made, which stays theirs to publish', async () => {
    github.releases.push({ id: 7, tag: 'v1.0.0', draft: true, body: 'my notes', assets: [] });
    expect(await write()).toMatchObject({ how: 'draft' });
    expect(github.releases).toMatchObject([{ draft: true, body: 'my notes', assets: [{ name: RECORD_NAME }] }]);
  });

  it('counts for nothing when the tag was moved to another commit', async () => {
    await write();
    expect((await codeHost.recordedImages('b'.repeat(40), ['v1.0.0'], ['roma'])).images).toEqual({});
  });

  it.each([
    ['no permission', { method: 'POST', path: /\/releases$/, with: 403 }, /403.*contents: write/],
    ['an immutable release', { method: 'POST', path: /\/assets$/, with: 422 }, /422/],
    ['GitHub that is down', { method: 'GET', path: /\/tags\//, with: 503 }, /503/],
  ] as const)('is missing and said to be with %s', async (_, fault, problem) => {
    github.faults.push({ ...fault, times: 9 });
    expect(await write()).toEqual({ problem: expect.stringMatching(problem) as string });
  });

  it('is asked for again after a moment of 502', async () => {
    github.faults.push({ method: 'GET', path: /\/tags\//, with: 502, times: 1 });
    expect(await write()).toHaveProperty('url');
  });
});

describe('the image of a commit', () => {
  it('is known from a deployment of it where the release has no record', async () => {
    const payload = (images: object) => ({ 'rolling-restart': { run: 'r', project: 'p', host: 'h', images } });
    github.put({ sha: COMMIT, environment: 'production', payload: payload(IMAGES), states: ['success'] });
    github.put({ sha: COMMIT, environment: 'production', payload: payload({}), states: ['failure'] });
    github.put({ sha: COMMIT, environment: 'production', payload: '"somebody else\'s"', states: [] });
    github.put({ sha: 'b'.repeat(40), environment: 'production', payload: payload({ roma: 'x' }), states: [] });
    expect((await codeHost.recordedImages(COMMIT, ['v1.0.0'], ['roma'])).images).toEqual(IMAGES);
    expect(github.problems).toEqual([]);
  });

  it('is known from a deployment also where GitHub does not give the release', async () => {
    const payload = { 'rolling-restart': { run: 'r', project: 'p', host: 'h', images: IMAGES } };
    github.put({ sha: COMMIT, environment: 'production', payload, states: ['success'] });
    github.faults.push({ method: 'GET', path: /\/releases\/tags\//, with: 503, times: 3 });
    const found = await codeHost.recordedImages(COMMIT, ['v1.0.0'], ['roma']);
    expect(found).toEqual({ images: IMAGES, told: true });
    github.faults.push({ method: 'GET', path: /\/releases\/tags\//, with: 503, times: 3 });
    const partly = await codeHost.recordedImages(COMMIT, ['v1.0.0'], ['roma', 'worker']);
    expect(partly).toEqual({ images: IMAGES, told: false });
  });

  it('is not known, and that is said, when GitHub does not tell', async () => {
    github.faults.push({ method: 'GET', path: /\/deployments$/, with: 403, times: 9 });
    expect((await codeHost.recordedImages(COMMIT, [], ['roma'])).images).toEqual({});
    expect(lost).toEqual([
      expect.stringMatching(/did not tell which image was built for aaaaaaaaaaaa \(the token needs contents: read/),
    ]);
  });

  it('is attested under its name', () => {
    expect(checksums({ ...IMAGES, worker: `ghcr.io/acme/worker@sha256:${'2'.repeat(64)}` })).toBe(
      `${'1'.repeat(64)}  ${REPOSITORY}\n${'2'.repeat(64)}  ghcr.io/acme/worker\n`,
    );
  });
});
