import { describe, expect, it } from 'vitest';
import { definitionDiff, filesDiff } from '../../src/model/definition-diff.js';
import { environmentProblems, parseEnvironmentCheck } from '../../src/model/environment-check.js';
import { createRedactor } from '../../src/report/redact.js';

const redactor = createRedactor();
const shown = (raw: unknown): { raw: unknown; shown: unknown } => ({ raw, shown: redactor.json(raw) });
const diff = (before: unknown, after: unknown): readonly string[] => definitionDiff(shown(before), shown(after));

describe('definitionDiff', () => {
  it('names each key that differs by its path', () => {
    expect(
      diff(
        { image: 'app', environment: { PORT: '3000', NODE_ENV: 'production' }, healthcheck: { interval: '30s' } },
        { image: 'app', environment: { PORT: '3001', NODE_ENV: 'production' }, healthcheck: { interval: '1s' } },
      ),
    ).toEqual([
      '- environment.PORT: 3000',
      '+ environment.PORT: 3001',
      '- healthcheck.interval: 30s',
      '+ healthcheck.interval: 1s',
    ]);
  });

  it('shows that a secret differs, and never its value', () => {
    const lines = diff(
      { environment: { DB_PASSWORD: 'hunter2hunter2', GONE: 'aVeryPrivateValue' } },
      { environment: { DB_PASSWORD: 'correct horse', API_TOKEN: 'abc123abc123' } },
    );
    expect(lines).toEqual([
      '+ environment.API_TOKEN: ***',
      '- environment.DB_PASSWORD: ***',
      '+ environment.DB_PASSWORD: *** (another value, hidden)',
      '- environment.GONE: ***',
    ]);
  });

  it('takes a list for what is in it, and a command for the order of its words', () => {
    const ports = [
      { target: 3000, published: '3000' },
      { target: 9090, published: '9090' },
    ];
    expect(diff({ ports }, { ports: ports.toReversed() })).toEqual([]);
    expect(diff({ ports }, { ports: [ports[0], { target: 9090, published: '9191' }] })).toEqual([
      '- ports[] 9090: {"target":9090,"published":"9090"}',
      '+ ports[] 9090: {"target":9090,"published":"9191"}',
    ]);
    expect(diff({ command: ['node', 'a.js'] }, { command: ['a.js', 'node'] })).toEqual([
      '- command: ["node","a.js"]',
      '+ command: ["a.js","node"]',
    ]);
    expect(diff({ dns: ['1.1.1.1', '1.1.1.1'] }, { dns: ['1.1.1.1'] })).toHaveLength(1);
  });

  it('writes a dollar once and a value of several lines on one', () => {
    expect(diff({}, { labels: { cost: '5$$', note: 'a\nb' } })).toEqual(['+ labels.cost: 5$', '+ labels.note: a⏎b']);
  });

  it('is empty for the same', () => {
    const one = { environment: { A: null }, command: null, volumes: [{ target: '/data' }] };
    expect(diff(one, structuredClone(one))).toEqual([]);
  });
});

describe('filesDiff', () => {
  it('says which files differ, without their hashes', () => {
    const before = { '/srv/a': 'sha256:1', '/srv/b': 'sha256:2', '/srv/c': 'sha256:3' };
    const after = { '/srv/a': 'sha256:1', '/srv/b': 'sha256:9', '/srv/d': 'sha256:4' };
    expect(filesDiff(before, after, (path) => path.slice(5))).toEqual([
      '- file b: contents of before',
      '+ file b: other contents',
      '- file c',
      '+ file d',
    ]);
    expect(filesDiff(undefined, after, (path) => path)).toEqual([]);
  });
});

describe('verify-env', () => {
  it.each([
    ['NAME', { service: undefined, name: 'NAME', value: undefined }],
    ['NAME=', { service: undefined, name: 'NAME', value: '' }],
    ['NAME=a=b:c', { service: undefined, name: 'NAME', value: 'a=b:c' }],
    ['roma:NAME=x', { service: 'roma', name: 'NAME', value: 'x' }],
    ['=x', undefined],
    ['1NAME', undefined],
    ['a b', undefined],
  ])('reads %s', (line, check) => {
    expect(parseEnvironmentCheck(line)).toEqual(check);
  });

  it.each([
    ['A', { A: '1' }, {}, []],
    ['A', { A: '1' }, { A: '1' }, []],
    ['A', { A: '0' }, { A: '1' }, ['A is not what the compose file says']],
    ['A', {}, {}, ['A is not set']],
    ['A=1', { A: '1' }, { A: '0' }, []],
    ['A=1', { A: 'secret' }, {}, ['A has another value']],
    ['A=', { A: '' }, {}, []],
  ])('holds %s against what is inside', (line, inside, wanted, problems) => {
    const check = parseEnvironmentCheck(line);
    expect(environmentProblems(check === undefined ? [] : [check], inside as Record<string, string>, wanted)).toEqual(
      problems,
    );
  });
});
