import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ChildStartError, runChild } from '../../src/host/child.js';
import { childEnvironment } from '../../src/host/environment.js';
import { lastLines, Tail } from '../../src/host/tail.js';

const env = process.env;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rr-child-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const bash = (script: string) => ({ command: 'bash', args: ['-c', script], env, timeoutMs: 10_000 });

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function gone(pid: number, withinMs: number): Promise<boolean> {
  const deadline = Date.now() + withinMs;
  while (Date.now() < deadline) {
    if (!isAlive(pid)) return true;
    await sleep(20);
  }
  return false;
}

async function pidIn(name: string): Promise<number> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const text = await readFile(join(folder, name), 'utf8').catch(() => '');
    if (text.endsWith('\n')) return Number(text);
    await sleep(20);
  }
  throw new Error(`${name} was never written`);
}

describe('runChild', () => {
  it('gives exit code and both outputs, and takes a failure as a result', async () => {
    const result = await runChild(bash('echo out; echo err >&2; exit 3'));
    expect(result).toMatchObject({ exitCode: 3, endedBy: undefined, stdout: 'out\n', stderr: 'err\n' });
    expect(result.shown.toSorted()).toEqual(['err', 'out']);
  });

  it('says which signal ended it', async () => {
    expect(await runChild(bash('kill -9 $$'))).toMatchObject({ exitCode: undefined, endedBy: 'SIGKILL' });
  });

  it('hands on lines as they come, with CRLF, split characters and a missing last line end', async () => {
    const seen: { line: string; at: number }[] = [];
    await runChild({
      ...bash(String.raw`printf 'one\r\n'; sleep 0.4; printf '\xc3'; sleep 0.1; printf '\xa4\nthree'`),
      onLine: (line) => seen.push({ line, at: Date.now() }),
    });
    expect(seen.map(({ line }) => line)).toEqual(['one', 'ä', 'three']);
    expect((seen[1]?.at ?? 0) - (seen[0]?.at ?? 0)).toBeGreaterThan(300);
  });

  it('writes input, and survives a program that does not read it', async () => {
    expect((await runChild({ command: 'cat', args: [], env, timeoutMs: 5_000, input: 'a $b' })).stdout).toBe('a $b');
    expect((await runChild({ ...bash('exit 4'), input: 'x'.repeat(1_000_000) })).exitCode).toBe(4);
  });

  it('keeps the end of endless output, and all of it when asked', async () => {
    const many = bash('for i in $(seq 1 40000); do echo line-$i; done');
    const bounded = await runChild(many);
    expect(bounded.stdout.length).toBeLessThanOrEqual(64 * 1024);
    expect(bounded.stdout.length).toBeGreaterThan(63 * 1024);
    expect(bounded.stdout).toMatch(/^line-\d+\n/);
    expect(bounded.stdout.endsWith('line-40000\n')).toBe(true);
    const whole = await runChild({ ...many, outputLimit: Infinity });
    expect(whole.stdout.startsWith('line-1\n')).toBe(true);
  });

  it('ends the whole group on abort, also a grandchild', async () => {
    const controller = new AbortController();
    const running = runChild({
      ...bash(`sleep 60 & echo $! > ${join(folder, 'grandchild')}; wait`),
      signal: controller.signal,
    });
    const caught = running.catch((error: unknown) => error);
    const grandchild = await pidIn('grandchild');
    expect(isAlive(grandchild)).toBe(true);
    controller.abort();
    expect(await caught).toMatchObject({ code: 'E_CANCELLED' });
    expect(await gone(grandchild, 5_000)).toBe(true);
  });

  it('kills what ignores SIGTERM after 2 s, with the deadline as the reason', async () => {
    const begin = Date.now();
    const error = await runChild({
      ...bash(`trap '' TERM; echo $$ > ${join(folder, 'stubborn')}; echo waiting; while :; do sleep 0.1; done`),
      timeoutMs: 300,
    }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'E_DEADLINE', excerpt: [{ lines: ['waiting'] }] });
    expect(Date.now() - begin).toBeGreaterThan(2_000);
    expect(await gone(await pidIn('stubborn'), 5_000)).toBe(true);
  });

  it('does not start when it is cancelled already', async () => {
    const error = await runChild({
      ...bash(`echo 1 > ${join(folder, 'never')}`),
      signal: AbortSignal.abort(),
    }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'E_CANCELLED' });
    await expect(readFile(join(folder, 'never'))).rejects.toThrow('ENOENT');
  });

  it('does not wait for a process that was left behind with the output open', async () => {
    const begin = Date.now();
    const result = await runChild(bash(`sleep 30 & echo $! > ${join(folder, 'left')}; echo done`));
    expect(result).toMatchObject({ exitCode: 0, stdout: 'done\n' });
    expect(Date.now() - begin).toBeLessThan(8_000);
    process.kill(await pidIn('left'));
  });

  it('tells a missing program from a missing directory', async () => {
    const missing = { args: [], env, timeoutMs: 1_000 };
    await expect(runChild({ ...missing, command: 'rr-no-such-program' })).rejects.toMatchObject({ code: 'ENOENT' });
    const elsewhere = runChild({ ...missing, command: 'true', cwd: join(folder, 'nowhere') });
    await expect(elsewhere).rejects.toThrow(ChildStartError);
    await expect(elsewhere).rejects.toThrow('there is no directory');
  });
});

describe('childEnvironment', () => {
  it("leaves out what is the action's own", () => {
    const own = {
      PATH: '/bin',
      'INPUT_GITHUB-TOKEN': 's',
      STATE_run: 'x',
      ACTIONS_RUNTIME_TOKEN: 's',
      GITHUB_SHA: 'a',
    };
    expect(childEnvironment(own, { MORE: '1' })).toEqual({ PATH: '/bin', GITHUB_SHA: 'a', MORE: '1' });
  });
});

describe('Tail', () => {
  it('keeps exactly the last characters', () => {
    const tail = new Tail(5);
    for (const text of ['abc', 'def', 'g']) tail.add(text);
    expect(tail.text()).toBe('cdefg');
    const none = new Tail(0);
    none.add('abc');
    expect(none.text()).toBe('');
  });

  it('finds the last lines that say something', () => {
    expect(lastLines('a\n\nb  \nc\n\n', 2)).toEqual(['b', 'c']);
  });
});
