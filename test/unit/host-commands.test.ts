import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { createCommands } from '../../src/host/commands.js';
import { createDisks } from '../../src/host/disks.js';

const commands = createCommands({ PATH: process.env['PATH'], KEPT: 'yes', 'INPUT_GITHUB-TOKEN': 'hidden' });

function options(command: string, more: { timeoutMs?: number; signal?: AbortSignal; directory?: string } = {}) {
  const lines: string[] = [];
  return {
    lines,
    name: 'test-command',
    command,
    directory: tmpdir(),
    environment: { ROLLING_RESTART_SERVICE: 'web' },
    timeoutMs: 10_000,
    signal: new AbortController().signal,
    onLine: (line: string) => lines.push(line),
    ...more,
  };
}

describe('createCommands', () => {
  it('runs in the directory with the environment, and hands on both outputs', async () => {
    const asked = options('pwd; echo "$ROLLING_RESTART_SERVICE $KEPT [${!INPUT_*}]" >&2');
    const result = await commands.run(asked);
    expect(asked.lines.sort()).toEqual([tmpdir(), 'web yes []'].sort());
    expect(result.output.split('\n').sort()).toEqual(['', tmpdir(), 'web yes []'].sort());
    expect(result.durationMs).toBeGreaterThanOrEqual(0);
  });

  it('ends at the first command that fails, in a pipe too, and shows the last 20 lines', async () => {
    const script = 'for i in $(seq 1 30); do echo line $i; done\nfalse | cat\necho not reached';
    await expect(commands.run(options(script))).rejects.toMatchObject({
      code: 'E_COMMAND',
      message: 'test-command ended with exit code 1',
      next: expect.stringContaining('shown with this error') as string,
      excerpt: [{ lines: Array.from({ length: 20 }, (_, index) => `line ${index + 11}`) }],
    });
  });

  it('tells a deadline and a cancelled run apart', async () => {
    await expect(commands.run(options('echo begun; sleep 30', { timeoutMs: 200 }))).rejects.toMatchObject({
      code: 'E_DEADLINE',
      excerpt: [{ lines: ['begun'] }],
    });
    await expect(commands.run(options('sleep 30', { signal: AbortSignal.timeout(200) }))).rejects.toMatchObject({
      code: 'E_CANCELLED',
    });
  });

  it('says so when the directory is not there', async () => {
    await expect(commands.run(options('true', { directory: '/rr/nowhere' }))).rejects.toMatchObject({
      code: 'E_COMMAND',
      message: expect.stringContaining('no directory /rr/nowhere') as string,
    });
  });
});

describe('createDisks', () => {
  const disks = createDisks();

  it('takes the nearest existing parent', async () => {
    const here = await disks.freeBytes(tmpdir());
    const below = await disks.freeBytes(`${tmpdir()}/rr-none/of/these/exists`);
    expect(here).toBeGreaterThan(0);
    expect(Math.abs((here ?? 0) - (below ?? 0))).toBeLessThan(1e9);
  });

  it('knows nothing of a path of another host', async () => {
    expect(await disks.freeBytes('C:\\ProgramData\\Docker')).toBeUndefined();
  });
});
