import { describe, expect, it } from 'vitest';
import { configuration, hideCredentials, loginConfiguration, withoutCredentials } from '../../src/source/git-config.js';
import { parseStatus } from '../../src/source/git.js';
import { choose, labelOf, localName, noSuchRef, parseRemoteRefs, readRef } from '../../src/source/refs.js';

const remote = parseRemoteRefs(
  [
    'ref: refs/heads/main\tHEAD',
    'aaa\tHEAD',
    'aaa\trefs/heads/main',
    'bbb\trefs/heads/feature/login',
    'ccc\trefs/tags/v1.2.3',
    'ddd\trefs/tags/v1.2.3^{}',
    'eee\trefs/heads/both',
    'fff\trefs/tags/both',
    'ggg\trefs/pull/7/merge',
  ].join('\n'),
);

describe('readRef', () => {
  it.each([
    ['main', 'main', ''],
    ['origin/main~2', 'origin/main', '~2'],
    ['v1.2.3^{}', 'v1.2.3', '^{}'],
    ['HEAD^', 'HEAD', '^'],
    ['refs/pull/7/merge', 'refs/pull/7/merge', ''],
  ])('takes %s apart', (written, name, suffix) => {
    expect(readRef(written)).toEqual({ name, suffix });
  });

  it.each([
    ...['--upload-pack=touch /tmp/x', '-main', '+main', 'main:other', 'a b', 'main\nother', 'a..b', 'main@{1}', ''],
    ...['refs/heads/*', '~1', 'main^{/fix}', 'main\u0000', '/main', 'a\\b', 'x?', '[a]'],
  ])('refuses %j', (written) => {
    expect(() => readRef(written)).toThrow(expect.objectContaining({ code: 'E_SOURCE' }) as Error);
  });
});

describe('refs of the origin', () => {
  it('has the commit of an annotated tag, not the tag object', () => {
    expect(remote.get('refs/tags/v1.2.3')).toBe('ddd');
  });

  it.each([
    ['main', 'refs/heads/main', 'refs/remotes/origin/main', 'origin/main'],
    ['origin/main', 'refs/heads/main', 'refs/remotes/origin/main', 'origin/main'],
    ['refs/heads/main', 'refs/heads/main', 'refs/remotes/origin/main', 'origin/main'],
    ['feature/login', 'refs/heads/feature/login', 'refs/remotes/origin/feature/login', 'origin/feature/login'],
    ['v1.2.3', 'refs/tags/v1.2.3', 'refs/tags/v1.2.3', 'v1.2.3'],
    ['tags/v1.2.3', 'refs/tags/v1.2.3', 'refs/tags/v1.2.3', 'v1.2.3'],
    ['refs/pull/7/merge', 'refs/pull/7/merge', 'refs/remotes/origin/pull/7/merge', 'pull/7/merge'],
  ])('reads %s', (name, full, local, label) => {
    expect(choose(name, remote)).toBe(full);
    expect(localName(full)).toBe(local);
    expect(labelOf(full)).toBe(label);
  });

  it('refuses a name that is a branch and a tag, and names both', () => {
    expect(() => choose('both', remote)).toThrow(
      expect.objectContaining({ code: 'E_SOURCE', next: 'Write refs/heads/both or refs/tags/both.' }) as Error,
    );
    expect(choose('refs/tags/both', remote)).toBe('refs/tags/both');
  });

  it('names what is written much the same, else what there is', () => {
    expect(choose('mian', remote)).toBeUndefined();
    expect(noSuchRef('mian', remote).next).toMatch(/^Did you mean main\?/);
    expect(noSuchRef('v1.2.4', remote).next).toMatch(/^Did you mean v1\.2\.3\?/);
    expect(noSuchRef('login', remote).next).toMatch(/^Did you mean feature\/login\?/);
    expect(noSuchRef('something-else', remote).next).toMatch(/among others: main, feature\/login/);
    expect(noSuchRef('main', new Map()).next).toMatch(/no branches and no tags/);
  });
});

describe('the token', () => {
  const basic = Buffer.from('x-access-token:s3cret-token').toString('base64');

  it('goes to the server of the origin alone, after taking away older headers', () => {
    expect(loginConfiguration('https://git.example.com:8443/team/app.git', 's3cret-token')).toEqual([
      { key: 'http.https://git.example.com:8443/.extraheader', value: '' },
      { key: 'http.https://git.example.com:8443/.extraheader', value: `AUTHORIZATION: basic ${basic}` },
    ]);
  });

  it.each([
    ['git@git.example.com:team/app.git', 's3cret-token'],
    ['/srv/git/app.git', 's3cret-token'],
    ['https://git.example.com/app.git', undefined],
    ['https://git.example.com/app.git', ''],
    [undefined, 's3cret-token'],
  ])('is not sent to %s', (origin, token) => {
    expect(loginConfiguration(origin, token)).toEqual([]);
  });

  it('is not sent where the address carries a password, which goes as a header and not as an argument', () => {
    const origin = 'https://user:p%40ss@git.example.com/app.git';
    const login = Buffer.from('user:p@ss').toString('base64');
    for (const token of [undefined, 's3cret-token']) {
      expect(loginConfiguration(origin, token)).toEqual([
        { key: 'http.https://git.example.com/.extraheader', value: '' },
        { key: 'http.https://git.example.com/.extraheader', value: `AUTHORIZATION: basic ${login}` },
        { key: 'url.https://git.example.com/app.git.insteadOf', value: origin },
      ]);
    }
  });

  it('is added behind configuration that the environment has already', () => {
    const pairs = [{ key: 'a.b', value: 'c' }];
    expect(configuration({ GIT_CONFIG_COUNT: '2' }, pairs)).toEqual({
      GIT_CONFIG_KEY_2: 'a.b',
      GIT_CONFIG_VALUE_2: 'c',
      GIT_CONFIG_COUNT: '3',
    });
    expect(configuration({ GIT_CONFIG_COUNT: '2' }, [])).toEqual({});
  });

  it('does not show in messages, nor do credentials in URLs', () => {
    const pairs = loginConfiguration('https://git.example.com/app.git', 's3cret-token');
    const said = `fatal: ${basic} s3cret-token https://me:pw@git.example.com/app.git`;
    expect(hideCredentials(said, pairs)).toBe('fatal: *** *** https://***@git.example.com/app.git');
    expect(withoutCredentials('https://me:pw@git.example.com/app.git')).toBe('https://git.example.com/app.git');
    expect(withoutCredentials('git@git.example.com:app.git')).toBe('git@git.example.com:app.git');
  });
});

describe('parseStatus', () => {
  it('reads staged, changed, deleted and renamed files, with blanks in names', () => {
    expect(parseStatus(' M b.txt\0M  a file.txt\0R  new.txt\0old.txt\0 D gone\0')).toEqual([
      'a file.txt',
      'b.txt',
      'gone',
      'new.txt',
    ]);
    expect(parseStatus('')).toEqual([]);
  });
});
