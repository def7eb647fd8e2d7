import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { doorFile } from '../support/doors.js';
import { makeProject, type Project } from '../support/project.js';
import { served } from '../support/served.js';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));
const RESTART = ['health-restart', '--watch', '0s'];
const UPDATE = ['code-update', '--watch', '0s', '--min-free-disk', '10MB'];
const LIVE = /⋯ [12] s, since \d\d:\d\d:\d\d · .* › smoke-test/;

/** The shell program as a person has it: on a pseudo terminal of the kernel, and in a pipe. */
describe('the shell program on a terminal', () => {
  let project: Project;
  beforeAll(async () => {
    project = await makeProject({ fixture: 'plain', files: { 'compose.yaml': served() } });
    await project.commitRelease({ chaos: 'slow-boot:3s' });
    await project.pull();
  });
  afterAll(() => project.cleanup());

  /** @param on `script` gives what it runs a terminal of its own, and passes on what that shows */
  async function shell(
    on: 'terminal' | 'pipe',
    words: readonly string[],
    environment: Readonly<Record<string, string>> = {},
  ): Promise<{ readonly exitCode: number | null; readonly shown: string }> {
    const where = ['--working-directory', project.dir, '--project-name', project.name, '--service', 'app'];
    const state = ['--state-dir', join(project.root, 'state')];
    const command = [process.execPath, doorFile('cli'), ...words, ...where, ...state];
    const quoted = command.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
    const [program = '', ...rest] =
      on === 'pipe' ? command : ['script', '-qec', `stty cols 160; ${quoted}`, '/dev/null'];
    const child = spawn(program, rest, {
      cwd: REPOSITORY,
      env: { ...process.env, TERM: 'xterm', ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let shown = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => (shown += text));
    }
    const exitCode = await new Promise<number | null>((resolve) => child.once('close', resolve));
    return { exitCode, shown };
  }

  it('has a line that says what goes on, and since when; in the end the terminal shows the log alone', async () => {
    const { exitCode, shown } = await shell('terminal', [...UPDATE, '--smoke-test', 'sleep 2'], { NO_COLOR: '1' });
    expect(exitCode, shown).toBe(0);
    expect(shown).toMatch(LIVE);
    expect(shown).toMatch(
      /⋯ [123] s, since .* · wait until app is ready .* › .*-app-1 · waits for readiness \(running, health/,
    );
    // eslint-disable-next-line no-control-regex
    expect(shown).not.toMatch(/\u001b\[[\d;]*m/);
    const left = screenOf(shown);
    expect(left.filter((line) => line.includes('⋯'))).toEqual([]);
    expect(
      left.some((line) => /✓ .*smoke-test/.test(line)),
      left.join('\n'),
    ).toBe(true);
    // Nothing else of what was written is hidden by it.
    expect(left.some((line) => line.includes('Gates'))).toBe(true);
    expect(left.join('\n')).toMatch(/deployed/);
  });

  it('has colours for a person who does not say otherwise', async () => {
    const { exitCode, shown } = await shell('terminal', [...RESTART, '--smoke-test', 'sleep 2'], { NO_COLOR: '' });
    expect(exitCode, shown).toBe(0);
    expect(shown).toContain('\u001b[1m');
    expect(shown).toMatch(LIVE);
  });

  it.each([
    ['in a pipe', 'pipe', []],
    ['with --json, also on a terminal', 'terminal', ['--json']],
  ] as const)('has none %s', async (_, on, more) => {
    const { exitCode, shown } = await shell(on, [...RESTART, '--smoke-test', 'sleep 1', ...more]);
    expect(exitCode, shown).toBe(0);
    expect(shown).not.toMatch(/⋯|\[2K|\[\?7l/);
    expect(shown).toMatch(/smoke-test/);
  });
});

/** What a terminal shows after it was sent this: line feeds, returns to the beginning, and lines that are emptied. */
function screenOf(text: string): readonly string[] {
  const lines: string[] = [''];
  let column = 0;
  // eslint-disable-next-line no-control-regex
  for (const [part] of text.matchAll(/\u001b\[[?\d;]*[A-Za-z]|[^]/gu)) {
    const last = lines.length - 1;
    const line = lines[last] ?? '';
    if (part === '\n') {
      lines.push('');
      column = 0;
    } else if (part === '\r') column = 0;
    else if (part === '\u001b[2K') lines[last] = '';
    else if (!part.startsWith('\u001b')) {
      lines[last] = line.padEnd(column).slice(0, column) + part + line.slice(column + part.length);
      column += part.length;
    }
  }
  return lines;
}
