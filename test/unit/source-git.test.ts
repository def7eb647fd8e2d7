import { execFile } from 'node:child_process';
import { access, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSource } from '../../src/source/git.js';
import { git, gitEnvironment, makeGitFiles, serveGit, type GitFiles } from '../support/git-files.js';

const { signal } = new AbortController();
const source = createSource({ environment: gitEnvironment });

let files: GitFiles;
beforeEach(async () => {
  files = await makeGitFiles();
});
afterEach(() => files.cleanup());

const head = (directory: string): Promise<string> => git(directory, 'rev-parse', 'HEAD');
const fetched = (ref: string | undefined) => source.fetch(files.live, ref, undefined, signal);
const here = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );

describe('inspect', () => {
  it('finds the checkout from a folder in it, with what differs from the commit', async () => {
    await files.push({ 'deep/inside.txt': 'x', 'b.txt': 'b', 'c.txt': 'c' });
    await git(files.live, 'pull', '--quiet');
    await writeFile(join(files.live, 'b.txt'), 'changed');
    await writeFile(join(files.live, 'c.txt'), 'staged');
    await git(files.live, 'add', 'c.txt');
    await git(files.live, 'mv', 'app.txt', 'renamed file.txt');
    await writeFile(join(files.live, 'untracked.txt'), 'mine');
    expect(await source.inspect(join(files.live, 'deep'))).toEqual({
      topLevel: files.live,
      commit: await head(files.live),
      branch: 'main',
      modified: ['b.txt', 'c.txt', 'renamed file.txt'],
      origin: files.origin,
    });
  });

  it('knows an empty repository, a detached HEAD and a folder outside git', async () => {
    const empty = join(files.root, 'empty');
    await git(files.root, 'init', '--quiet', '--initial-branch=main', empty);
    expect(await source.inspect(empty)).toMatchObject({ commit: undefined, branch: 'main', origin: undefined });
    await git(files.live, 'checkout', '--quiet', '--detach');
    expect(await source.inspect(files.live)).toMatchObject({ branch: undefined, modified: [] });
    expect(await source.inspect(files.root)).toBeUndefined();
  });

  it('does not show the credentials of the origin', async () => {
    await git(files.live, 'remote', 'set-url', 'origin', 'https://me:pw@git.example.com/app.git');
    expect((await source.inspect(files.live))?.origin).toBe('https://git.example.com/app.git');
  });

  it('reads a checkout that somebody else owns', async () => {
    // git's own way to have its tests see another owner.
    const other = { ...gitEnvironment, GIT_TEST_ASSUME_DIFFERENT_OWNER: '1' };
    await expect(promisify(execFile)('git', ['status'], { cwd: files.live, env: other })).rejects.toThrow(
      'dubious ownership',
    );
    expect(await createSource({ environment: other }).inspect(files.live)).toMatchObject({ branch: 'main' });
  });

  it('says so when there is no git', async () => {
    const environment = { ...gitEnvironment, PATH: join(files.root, 'nothing') };
    const path = process.env['PATH'];
    process.env['PATH'] = environment.PATH;
    try {
      await expect(createSource({ environment }).inspect(files.live)).rejects.toMatchObject({
        code: 'E_SOURCE',
        message: expect.stringContaining('no git on this host') as string,
      });
    } finally {
      process.env['PATH'] = path;
    }
  });
});

describe('fetch', () => {
  it('takes the default branch of the origin, also after it was renamed', async () => {
    const first = await files.push({ 'app.txt': 'two' });
    expect(await fetched(undefined)).toEqual({ commit: first, label: 'origin/main' });
    const second = await files.push({ 'app.txt': 'three' }, 'trunk');
    await git(files.origin, 'symbolic-ref', 'HEAD', 'refs/heads/trunk');
    expect(await fetched(undefined)).toEqual({ commit: second, label: 'origin/trunk' });
  });

  it('takes branches, tags, full refs, commits and what is before them, and moves no branch', async () => {
    const one = await head(files.work);
    const two = await files.push({ 'app.txt': 'two' });
    await git(files.work, 'tag', '--annotate', '--message', 'release', 'v1.2.3');
    await git(files.work, 'push', '--quiet', 'origin', 'v1.2.3');
    const three = await files.push({ 'app.txt': 'three' }, 'feature/login');
    await git(files.origin, 'update-ref', 'refs/pull/7/merge', two);

    for (const ref of ['main', 'origin/main', 'refs/heads/main']) {
      expect(await fetched(ref)).toEqual({ commit: two, label: 'origin/main' });
    }
    expect(await fetched('v1.2.3')).toEqual({ commit: two, label: 'v1.2.3' });
    expect(await fetched('refs/tags/v1.2.3')).toEqual({ commit: two, label: 'v1.2.3' });
    expect(await fetched('refs/pull/7/merge')).toEqual({ commit: two, label: 'pull/7/merge' });
    expect(await fetched('main~1')).toEqual({ commit: one, label: 'origin/main~1' });
    expect(await fetched(three)).toEqual({ commit: three, label: three.slice(0, 12) });
    expect(await fetched(three.slice(0, 8))).toEqual({ commit: three, label: three.slice(0, 12) });
    expect(await head(files.live)).toBe(one);
    expect(await git(files.live, 'rev-parse', 'main')).toBe(one);
  });

  it('sees a tag and a branch that were moved by force', async () => {
    await git(files.work, 'tag', 'v1');
    await git(files.work, 'push', '--quiet', 'origin', 'v1');
    const first = await fetched('v1');
    const second = await files.push({ 'app.txt': 'two' });
    await fetched('main');
    await git(files.work, 'tag', '--force', 'v1');
    await git(files.work, 'push', '--quiet', '--force', 'origin', 'v1');
    expect((await fetched('v1')).commit).toBe(second);
    await git(files.work, 'push', '--quiet', '--force', 'origin', `${first.commit}:refs/heads/main`);
    expect((await fetched('main')).commit).toBe(first.commit);
  });

  it('needs no network for a commit that is there', async () => {
    const commit = await head(files.live);
    await rm(files.origin, { recursive: true });
    expect(await fetched(commit)).toEqual({ commit, label: commit.slice(0, 12) });
    await expect(fetched('main')).rejects.toMatchObject({ code: 'E_SOURCE' });
  });

  it('names what is near when there is no such ref, and refuses what git would take for an option', async () => {
    await expect(fetched('mian')).rejects.toMatchObject({
      code: 'E_SOURCE',
      message: 'The origin has no branch, tag or commit "mian"',
      next: expect.stringContaining('Did you mean main?') as string,
    });
    await expect(fetched('f'.repeat(40))).rejects.toMatchObject({ code: 'E_SOURCE' });
    const trap = join(files.root, 'trap');
    await expect(fetched(`--upload-pack=touch ${trap}`)).rejects.toMatchObject({ code: 'E_SOURCE' });
    expect(await here(trap)).toBe(false);
  });

  it('stops when it is cancelled', async () => {
    await expect(source.fetch(files.live, 'main', undefined, AbortSignal.abort())).rejects.toMatchObject({
      code: 'E_CANCELLED',
    });
  });

  it('resolves what is there without an origin', async () => {
    await git(files.live, 'remote', 'remove', 'origin');
    expect(await fetched('main')).toEqual({ commit: await head(files.live), label: 'main' });
    await expect(fetched('nowhere')).rejects.toMatchObject({ code: 'E_SOURCE' });
  });
});

describe('a private origin over HTTP', () => {
  const token = 'ghs_very-secret-token-0123456789';
  const basic = Buffer.from(`x-access-token:${token}`).toString('base64');

  it('is fetched with the token, which is in no argument of any process and in no file of the checkout', async () => {
    const server = await serveGit(files.root, token);
    try {
      const commit = await files.push({ 'app.txt': 'two' });
      await git(files.live, 'remote', 'set-url', 'origin', `${server.url}/origin.git`);
      // What an earlier actions/checkout leaves: sent along, it would make the server refuse.
      await git(files.live, 'config', `http.${server.url}/.extraheader`, 'AUTHORIZATION: basic expired');
      expect(await source.fetch(files.live, 'main', token, signal)).toEqual({ commit, label: 'origin/main' });

      const seen = [...server.processes].join('\n');
      expect(seen).toMatch(/git fetch .*origin/);
      expect(seen).toMatch(/git.remote-http origin/);
      for (const secret of [token, basic]) expect(seen).not.toContain(secret);
      const found = promisify(execFile)('grep', ['-rE', `${token}|${basic}`, join(files.live, '.git')]);
      await expect(found).rejects.toMatchObject({ code: 1 });
      expect(server.seen.at(-1)?.toLowerCase()).toBe(`basic ${basic}`.toLowerCase());
    } finally {
      await server.close();
    }
  });

  it('is fetched with the password of its address, which is in no argument of any process', async () => {
    const server = await serveGit(files.root, token);
    try {
      const commit = await files.push({ 'app.txt': 'two' });
      const address = `${server.url}/origin.git`.replace('://', `://x-access-token:${token}@`);
      await git(files.live, 'remote', 'set-url', 'origin', address);
      expect(await source.fetch(files.live, 'main', undefined, signal)).toEqual({ commit, label: 'origin/main' });
      const seen = [...server.processes].join('\n');
      expect(seen).toMatch(/git.remote-http origin/);
      for (const secret of [token, basic]) expect(seen).not.toContain(secret);
    } finally {
      await server.close();
    }
  });

  it('is refused without or with a wrong token, without asking anybody and without showing it', async () => {
    const server = await serveGit(files.root, token);
    try {
      await git(files.live, 'remote', 'set-url', 'origin', `${server.url}/origin.git`);
      for (const wrong of [undefined, 'ghs_another-token-9876543210']) {
        const error: unknown = await source.fetch(files.live, 'main', wrong, signal).catch((thrown: unknown) => thrown);
        expect(error).toMatchObject({ code: 'E_SOURCE', next: expect.stringContaining('github-token') as string });
        const shown = JSON.stringify(error, Object.getOwnPropertyNames(error));
        expect(shown).toContain('origin');
        expect(shown).not.toContain('9876543210');
        expect(shown).not.toContain(Buffer.from('x-access-token:ghs_another').toString('base64').slice(0, 30));
      }
    } finally {
      await server.close();
    }
  });
});

describe('log, resolve, treeId and untracked', () => {
  it('lists what is new, newest first and bounded', async () => {
    const from = await head(files.live);
    await files.push({ 'a.txt': 'a' });
    await files.push({ 'b.txt': 'b' });
    const { commit } = await fetched('main');
    const lines = await source.log(files.live, from, commit, 50);
    expect(lines.map((line) => line.replace(/^[0-9a-f]+ /, ''))).toEqual(['change b.txt', 'change a.txt']);
    expect(await source.log(files.live, from, commit, 1)).toHaveLength(1);
    expect(await source.log(files.live, commit, from, 50)).toEqual([]);
  });

  it('resolves local names, names of the origin and nothing else', async () => {
    const commit = await head(files.live);
    const other = await files.push({ 'a.txt': 'a' }, 'other');
    await git(files.live, 'fetch', '--quiet');
    expect(await source.resolve(files.live, 'main')).toBe(commit);
    expect(await source.resolve(files.live, commit.slice(0, 7))).toBe(commit);
    expect(await source.resolve(files.live, 'other')).toBe(other);
    expect(await source.resolve(files.live, 'nowhere')).toBeUndefined();
    expect(await source.resolve(files.live, '--all')).toBeUndefined();
  });

  it('gives the id of a file or folder as a commit has it', async () => {
    const commit = await files.push({ 'cfg/a.conf': 'a', 'cfg/b.conf': 'b' });
    const next = await files.push({ 'cfg/b.conf': 'changed' });
    await fetched('main');
    const idOf = (at: string, path: string) => source.treeId(files.live, at, path);
    expect(await idOf(commit, 'cfg/a.conf')).toMatch(/^[0-9a-f]{40}$/);
    expect(await idOf(commit, './cfg/a.conf')).toBe(await idOf(next, 'cfg/a.conf'));
    expect(await idOf(commit, 'cfg/')).not.toBe(await idOf(next, 'cfg'));
    expect(await idOf(commit, '.')).toBe(await git(files.live, 'rev-parse', `${commit}^{tree}`));
    expect(await idOf(commit, 'none')).toBeUndefined();
    expect(await idOf(commit, '../other')).toBeUndefined();
  });

  it('lists untracked and ignored entries from the top, whole folders as one', async () => {
    await files.push({ '.gitignore': '.env\n', 'deep/kept.txt': 'x' });
    await git(files.live, 'pull', '--quiet');
    for (const name of ['.env', 'deep/mine.txt', 'data/a', 'data/b', 'with blank ä']) {
      await mkdir(join(files.live, name, '..'), { recursive: true });
      await writeFile(join(files.live, name), 'mine');
    }
    const found = await source.untracked(join(files.live, 'deep'));
    expect([...found].sort()).toEqual(['.env', 'data/', 'deep/mine.txt', 'with blank ä']);
  });
});

describe('checkout', () => {
  it('moves files and HEAD, no branch, and leaves what is not tracked', async () => {
    const before = await head(files.live);
    const commit = await files.push({ 'app.txt': 'two\n' });
    await fetched('main');
    await writeFile(join(files.live, '.env'), 'SECRET=1');
    await source.checkout(files.live, commit);
    expect(await readFile(join(files.live, 'app.txt'), 'utf8')).toBe('two\n');
    expect(await readFile(join(files.live, '.env'), 'utf8')).toBe('SECRET=1');
    expect(await source.inspect(files.live)).toMatchObject({ commit, branch: undefined, modified: [] });
    expect(await git(files.live, 'rev-parse', 'main')).toBe(before);
    await source.checkout(files.live, before);
    expect(await head(files.live)).toBe(before);
  });

  it('stays on its branch when it is there already', async () => {
    await source.checkout(files.live, await head(files.live));
    expect(await source.inspect(files.live)).toMatchObject({ branch: 'main' });
  });

  it.each([
    ['untracked', {}],
    ['ignored', { '.gitignore': '.env\n' }],
  ])('refuses to overwrite an %s file, names it and changes nothing', async (_kind, ignore) => {
    await files.push({ ...ignore, 'a.txt': 'a' });
    await git(files.live, 'pull', '--quiet');
    const before = await head(files.live);
    await writeFile(join(files.live, '.env'), 'SECRET=1');
    await writeFile(join(files.work, '.env'), 'theirs');
    await git(files.work, 'add', '--force', '.env');
    const commit = await files.push({ 'a.txt': 'changed' });
    await fetched('main');
    await expect(source.checkout(files.live, commit)).rejects.toMatchObject({
      code: 'E_SOURCE',
      message: expect.stringMatching(/would overwrite files that git does not track: \.env$/) as string,
    });
    expect(await readFile(join(files.live, '.env'), 'utf8')).toBe('SECRET=1');
    expect(await readFile(join(files.live, 'a.txt'), 'utf8')).toBe('a');
    expect(await head(files.live)).toBe(before);
  });

  it('refuses to overwrite a modified file', async () => {
    const commit = await files.push({ 'app.txt': 'two\n' });
    await fetched('main');
    await writeFile(join(files.live, 'app.txt'), 'mine');
    await expect(source.checkout(files.live, commit)).rejects.toMatchObject({
      code: 'E_SOURCE',
      message: expect.stringMatching(/modified here: app\.txt$/) as string,
    });
    expect(await readFile(join(files.live, 'app.txt'), 'utf8')).toBe('mine');
  });
});

describe('worktrees', () => {
  const place = (): string => join(files.root, 'state', 'worktrees', 'one');

  it('has the files of the commit, and goes without a trace', async () => {
    const commit = await files.push({ 'app.txt': 'two\n' });
    await fetched('main');
    await source.addWorktree(files.live, place(), commit);
    expect(await readFile(join(place(), 'app.txt'), 'utf8')).toBe('two\n');
    expect(await readFile(join(files.live, 'app.txt'), 'utf8')).toBe('one\n');
    await writeFile(join(place(), 'built.txt'), 'left by a build');
    await source.removeWorktree(files.live, place());
    expect(await here(place())).toBe(false);
    expect(await git(files.live, 'worktree', 'list')).not.toContain('one');
    await source.removeWorktree(files.live, place());
  });

  it('makes again what is half there: folder without entry, entry without folder', async () => {
    const commit = await head(files.live);
    await mkdir(place(), { recursive: true });
    await writeFile(join(place(), 'rest.txt'), 'x');
    await source.addWorktree(files.live, place(), commit);
    expect(await here(join(place(), 'rest.txt'))).toBe(false);
    await rm(place(), { recursive: true });
    await source.addWorktree(files.live, place(), commit);
    expect(await here(join(place(), 'app.txt'))).toBe(true);
  });

  it('forgets no worktree of a person whose folder is not there just now', async () => {
    const theirs = join(files.root, 'on-another-disk');
    await git(files.live, 'worktree', 'add', '--quiet', '--detach', theirs);
    await rm(theirs, { recursive: true });
    await source.addWorktree(files.live, place(), await head(files.live));
    await source.removeWorktree(files.live, place());
    expect(await git(files.live, 'worktree', 'list')).toContain('on-another-disk');
  });

  it('fills in submodules', async () => {
    const library = await makeGitFiles();
    try {
      const environment = {
        ...gitEnvironment,
        GIT_CONFIG_COUNT: '1',
        GIT_CONFIG_KEY_0: 'protocol.file.allow',
        GIT_CONFIG_VALUE_0: 'always',
      };
      const add = ['submodule', '--quiet', 'add', library.origin, 'library'];
      await promisify(execFile)('git', add, { cwd: files.work, env: environment });
      const commit = await files.push({ 'app.txt': 'two\n' });
      await fetched('main');
      await createSource({ environment }).addWorktree(files.live, place(), commit);
      expect(await readFile(join(place(), 'library', 'app.txt'), 'utf8')).toBe('one\n');
      await source.removeWorktree(files.live, place());
      expect(await here(place())).toBe(false);
    } finally {
      await library.cleanup();
    }
  });
});
