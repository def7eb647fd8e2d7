import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Run } from '../../src/run/run.js';
import { createSource } from '../../src/source/git.js';
import { isBefore } from '../../src/steps/commit-order.js';
import type { OpenProject } from '../../src/steps/session.js';

const dir = mkdtempSync(join(tmpdir(), 'rr-order-'));
const git = (...args: string[]): string =>
  execFileSync('git', ['-C', dir, '-c', 'user.name=Test', '-c', 'user.email=test@example.invalid', ...args], {
    encoding: 'utf8',
  }).trim();
const commit = (): string => {
  git('commit', '--quiet', '--allow-empty', '--message', 'A commit');
  return git('rev-parse', 'HEAD');
};
let [first, second, beside] = ['', '', ''];
beforeAll(() => {
  git('init', '--quiet', '--initial-branch', 'main');
  first = commit();
  second = commit();
  git('checkout', '--quiet', '-b', 'beside', first);
  beside = commit();
});
afterAll(() => {
  rmSync(dir, { recursive: true, force: true });
});

const run = { source: createSource({ environment: process.env, debug: () => undefined }) } as unknown as Run;
const opened = { checkout: { topLevel: dir } } as unknown as OpenProject;
const order = (one: string | undefined, than: string | undefined): Promise<boolean> => isBefore(run, opened, one, than);

it('is before what has all of it and more, and before nothing else', async () => {
  expect(await order(first, second)).toBe(true);
  expect(await order(second, first)).toBe(false);
  expect(await order(first, first)).toBe(false);
  expect(await order(beside, second)).toBe(false);
});

it('is before nothing where one of them is not known, or is in the checkout no more', async () => {
  const gone = 'd'.repeat(40);
  expect(await order(gone, second)).toBe(false);
  expect(await order(first, gone)).toBe(false);
  expect(await order(undefined, second)).toBe(false);
  expect(await order(first, undefined)).toBe(false);
  expect(await isBefore(run, { checkout: undefined } as unknown as OpenProject, first, second)).toBe(false);
});
