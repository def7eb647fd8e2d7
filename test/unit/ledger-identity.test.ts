import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import {
  judgePresence,
  lookAtProcess,
  parseStat,
  readIdentity,
  type ProcessIdentity,
  type ProcessLook,
} from '../../src/host/identity.js';

const owner: ProcessIdentity = { pid: 42, bootId: 'boot-1', namespace: 'pid:[1]', startTime: '1000' };

describe('the presence of an owner', () => {
  const rows: [string, Partial<ProcessIdentity>, Partial<ProcessIdentity>, ProcessLook, string][] = [
    ['same process', {}, {}, { kind: 'running', startTime: '1000' }, 'alive'],
    ['its PID was given to another process', {}, {}, { kind: 'running', startTime: '2000' }, 'dead'],
    ['gone', {}, {}, { kind: 'ended' }, 'dead'],
    ['another user may not look', {}, {}, { kind: 'hidden' }, 'unseen'],
    ['another boot or machine', {}, { bootId: 'boot-2' }, { kind: 'ended' }, 'unseen'],
    ['another PID namespace', {}, { namespace: 'pid:[2]' }, { kind: 'ended' }, 'unseen'],
    ['an owner without /proc', { bootId: undefined }, { bootId: undefined }, { kind: 'ended' }, 'unseen'],
    ['an observer without /proc', {}, { bootId: undefined, namespace: undefined }, { kind: 'ended' }, 'unseen'],
  ];
  it.each(rows)('%s', (_name, ownerParts, mineParts, seen, expected) => {
    const mine: ProcessIdentity = { ...owner, pid: 7, startTime: '5', ...mineParts };
    expect(judgePresence({ ...owner, ...ownerParts }, mine, () => seen)).toBe(expected);
  });
});

describe('reading /proc', () => {
  it('counts the fields after the last parenthesis of the name', () => {
    const fields = Array.from({ length: 50 }, (_, index) => String(index + 4));
    expect(parseStat(`7 (a) S 1 (b) R ${fields.join(' ')}\n`)).toEqual({ state: 'R', startTime: '22' });
    expect(parseStat('')).toBeUndefined();
  });

  it('finds this process alive, and knows it by its start time', () => {
    const mine = readIdentity();
    expect(mine.pid).toBe(process.pid);
    expect(mine.bootId).toMatch(/^[0-9a-f-]{36}$/);
    expect(judgePresence(mine, mine, lookAtProcess)).toBe('alive');
    expect(judgePresence({ ...mine, startTime: '1' }, mine, lookAtProcess)).toBe('dead');
  });

  it('sees a process until it ends', async () => {
    const child = spawn('sleep', ['60']);
    const pid = child.pid ?? 0;
    expect(lookAtProcess(pid).kind).toBe('running');
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(lookAtProcess(pid)).toEqual({ kind: 'ended' });
  });

  it('takes a process that ended and was not reaped for dead', async () => {
    // `exec sleep` replaces the shell, and sleep reaps nobody: its child stays a zombie.
    const parent = spawn('sh', ['-c', 'sleep 0.2 & echo $!; exec sleep 60']);
    try {
      const [output] = (await once(parent.stdout, 'data')) as [Buffer];
      const zombie = Number(output.toString().trim());
      await expect.poll(() => lookAtProcess(zombie).kind).toBe('ended');
      expect(() => process.kill(zombie, 0)).not.toThrow();
    } finally {
      parent.kill('SIGKILL');
    }
  });
});
