import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createApi, type Api } from '../../.github/actions/github-api.mjs';
import { publishRelease } from '../../scripts/lib/release-publish.mjs';
import { startGitHub, type GitHub } from '../support/github.js';

/** Publishing a release of this project, as GitHub is asked for it. The whole workflow is in real-project-release.test.ts. */
const COMMIT = 'a'.repeat(40);
const OTHER = 'b'.repeat(40);
/** What no text is. */
const ARCHIVE = Buffer.from([0x1f, 0x8b, 0xff, 0xfe, 0x00, 0x0a]);
const sha256 = (content: Buffer): string => createHash('sha256').update(content).digest('hex');

let github: GitHub;
let said: string[];
beforeEach(async () => {
  github = await startGitHub();
  said = [];
});
afterEach(() => {
  github.close();
});

const api = (): Api => createApi({ apiUrl: github.apiUrl, repository: 'acme/roma', token: 'token' });
function publish(version: string, commit = COMMIT, asked = api()): Promise<void> {
  const name = `rolling-restart-${version}.tar.gz`;
  const files = [
    { name, content: ARCHIVE },
    { name: `${name}.sha256`, content: Buffer.from(`${sha256(ARCHIVE)}  ${name}\n`) },
  ];
  return publishRelease({ version, commit, notes: 'What is new', files }, asked, (line) => said.push(line));
}
const requests = (): string[] => github.asked.map((line) => line.replace('/repos/acme/roma', ''));
const tags = (): object => Object.fromEntries(github.tags.map(({ name, sha }) => [name, sha]));
const changes = (): string[] => requests().filter((line) => !line.startsWith('GET '));

describe('a release', () => {
  it('is drafted, filled, looked at and published, and the major tag is made', async () => {
    await publish('v1.2.3');
    expect(requests()).toEqual([
      'GET /releases',
      'GET /git/ref/tags/v1.2.3',
      'POST /releases',
      'POST /releases/1/assets',
      'GET /releases/assets/2',
      'POST /releases/1/assets',
      'GET /releases/assets/3',
      'PATCH /releases/1',
      'PATCH /git/refs/tags/v1',
      'POST /git/refs',
    ]);
    expect(github.releases).toMatchObject([{ tag: 'v1.2.3', draft: false, immutable: true, body: 'What is new' }]);
    expect(github.releases[0]?.assets[0]?.content).toEqual(ARCHIVE);
    expect(tags()).toEqual({ 'v1.2.3': COMMIT, v1: COMMIT });
    expect(github.problems).toEqual([]);
  });

  it('moves the tag of its own major version only', async () => {
    await publish('v1.2.3');
    await publish('v2.0.0', OTHER);
    await publish('v1.2.10', OTHER);
    expect(tags()).toEqual({ 'v1.2.3': COMMIT, v1: OTHER, 'v2.0.0': OTHER, v2: OTHER, 'v1.2.10': OTHER });
    expect(github.problems).toEqual([]);
  });

  it('that is not the newest of its major version takes nobody back', async () => {
    await publish('v1.2.10', OTHER);
    await publish('v1.2.9');
    expect(tags()).toMatchObject({ 'v1.2.9': COMMIT, v1: OTHER });
    expect(said.at(-1)).toBe('v1 stays at v1.2.10, which is newer');
  });

  it('is only looked at when it is published already from this commit', async () => {
    await publish('v1.2.3');
    github.tags.splice(1);
    github.asked.length = 0;
    await publish('v1.2.3');
    expect(changes()).toEqual(['PATCH /git/refs/tags/v1', 'POST /git/refs']);
    expect(tags()).toEqual({ 'v1.2.3': COMMIT, v1: COMMIT });
  });

  it('may have had an annotated tag on its commit', async () => {
    github.tags.push({ name: 'v1.2.3', sha: 'c'.repeat(40), commit: COMMIT });
    await publish('v1.2.3');
    expect(github.releases).toMatchObject([{ draft: false }]);
    expect(github.problems).toEqual([]);
  });

  it('takes the place of each draft of it that was left, however many releases there are', async () => {
    const draft = { tag: 'v1.2.3', target: OTHER, draft: true, body: '', assets: [] };
    github.releases.push({ ...draft, id: 1001 }, { ...draft, id: 1002, tag: 'v1.3.0' });
    for (let id = 2000; id < 2100; id++)
      github.releases.push({ id, tag: `v0.0.${id}`, draft: false, body: '', assets: [] });
    github.releases.push({ ...draft, id: 1003 });
    await publish('v1.2.3');
    expect(changes().slice(0, 3)).toEqual(['DELETE /releases/1003', 'DELETE /releases/1001', 'POST /releases']);
    const left = github.releases.filter(({ tag }) => !tag.startsWith('v0.'));
    expect(left).toMatchObject([
      { id: 1002, draft: true },
      { tag: 'v1.2.3', draft: false, target: COMMIT },
    ]);
    expect(github.problems).toEqual([]);
  });

  it('is published although an answer is lost', async () => {
    github.faults.push({ method: 'PATCH', path: /\/releases\/\d+$/, with: 'lost', times: 1 });
    await publish('v1.2.3');
    expect(tags()).toEqual({ 'v1.2.3': COMMIT, v1: COMMIT });
  });
});

describe('what is in the way', () => {
  it.each([
    ['a release of another commit', true, /v1\.2\.3 is released from b{40} already.*under the next version/],
    ['a tag of another commit', false, /v1\.2\.3 is the tag of b{40} already.*under the next version/],
  ])('is %s', async (_, released, message) => {
    github.tags.push({ name: 'v1.2.3', sha: OTHER });
    if (released) github.releases.push({ id: 7, tag: 'v1.2.3', draft: false, body: '', assets: [] });
    await expect(publish('v1.2.3')).rejects.toThrow(message);
    expect(changes()).toEqual([]);
  });

  it('is a release whose tag is gone', async () => {
    github.releases.push({ id: 7, tag: 'v1.2.3', draft: false, body: '', assets: [] });
    await expect(publish('v1.2.3')).rejects.toThrow(/its tag is gone.*under the next version/);
    expect(changes()).toEqual([]);
  });

  it('is a repository that lets releases be changed', async () => {
    github.settings.immutableReleases = false;
    const remedy = /stays, but it is not immutable.*Settings > General > Releases > Enable release immutability/;
    await expect(publish('v1.2.3')).rejects.toThrow(remedy);
    expect(github.releases).toMatchObject([{ draft: false }]);
    expect(tags()).toEqual({ 'v1.2.3': COMMIT });
    await expect(publish('v1.2.3')).rejects.toThrow(remedy);
  });

  it('is a file that comes back as another one', async () => {
    const asked = api();
    const spoilt: Api = (method, path, body, options) =>
      asked(method, path, body instanceof Uint8Array ? Buffer.from('other') : body, options);
    await expect(publish('v1.2.3', COMMIT, spoilt)).rejects.toThrow(/another rolling-restart-v1\.2\.3\.tar\.gz than/);
    expect(github.releases).toMatchObject([{ draft: true }]);
    await publish('v1.2.3');
    expect(github.releases).toMatchObject([{ draft: false, assets: [{ content: ARCHIVE }, {}] }]);
  });

  it('is a published release that is not what it should be', async () => {
    await publish('v1.2.3');
    github.releases[0]?.assets.splice(1, 1);
    await expect(publish('v1.2.3')).rejects.toThrow(/published without .*\.sha256.*release the next version/);
    github.releases[0]?.assets.push({
      id: 90,
      name: 'rolling-restart-v1.2.3.tar.gz.sha256',
      content: Buffer.from('x'),
    });
    await expect(publish('v1.2.3')).rejects.toThrow(/not what its published checksum says.*release the next version/);
  });

  it.each([
    ['GET', /\/releases$/, /list the releases: 403 no.*contents: write.*Nothing was changed/],
    ['GET', /\/git\/ref\//, /say where v1\.2\.3 is: 403.*Nothing was changed/],
    ['POST', /\/releases$/, /draft v1\.2\.3: 403.*Run the job again/],
    ['POST', /\/assets$/, /take rolling-restart-v1\.2\.3\.tar\.gz: 403.*Run the job again/],
    ['GET', /\/assets\//, /give rolling-restart-v1\.2\.3\.tar\.gz back: 403.*Run the job again/],
    ['PATCH', /\/releases\//, /publish v1\.2\.3: 403.*Run the job again/],
    ['PATCH', /\/git\/refs\//, /move v1: 403.*rules for tags.*only moves the tag/],
    ['POST', /\/git\/refs$/, /move v1: 422 Reference does not exist.*rules for tags/],
    ['DELETE', /\/releases\//, /delete the draft of v1\.2\.3.*: 403.*by hand/],
  ])('is GitHub that refuses %s %s', async (method, path, message) => {
    if (method === 'DELETE') github.releases.push({ id: 7, tag: 'v1.2.3', draft: true, body: '', assets: [] });
    github.faults.push({ method, path, with: 403, times: 1 });
    await expect(publish('v1.2.3')).rejects.toThrow(message);
    await publish('v1.2.3');
    expect(tags()).toEqual({ 'v1.2.3': COMMIT, v1: COMMIT });
    expect(github.releases).toMatchObject([{ draft: false }]);
  });
});
