import { EventEmitter } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { cancellation, type SignalSource } from '../../src/action/cancellation.js';
import { fitSummary } from '../../src/action/fit-summary.js';
import { createRunner } from '../../src/action/runner.js';
import { createTerminal, type Terminal } from '../../src/action/terminal.js';
import { readInvocation } from '../../src/github/invocation.js';

/** What the runner would read from the process's output. */
let output = '';
let folder = '';

beforeEach(() => {
  output = '';
  folder = mkdtempSync(join(tmpdir(), 'rr-runner-'));
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    output += String(text);
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  process.exitCode = undefined;
  rmSync(folder, { recursive: true, force: true });
});

const hide = (text: string): string => text.replaceAll('hunter22', '***');

describe('createRunner', () => {
  it('groups, moves inner groups in, and says how long each took', async () => {
    const runner = createRunner(hide);
    await runner.group('deploy roma', async () => {
      runner.info('one');
      await runner.group('inner', async () => runner.info('two'));
    });
    expect(output.match(/^::group::/gm)).toHaveLength(1);
    expect(output).toMatch(
      /^::group::deploy roma\none\ninner\n {2}two\n✔ inner: \d+ ms\n::endgroup::\n✔ deploy roma: \d+ ms\n$/,
    );
  });

  it('closes the group of a body that fails, and passes the failure on', async () => {
    const runner = createRunner(hide);
    await expect(runner.group('x', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(output).toMatch(/::endgroup::\n✖ x: /);
  });

  it('lets no text of others act as a command to the runner', () => {
    const runner = createRunner(hide);
    runner.info('  ::set-output name=outcome::deployed');
    runner.info('fine\n::error::injected\r::stop-commands::x');
    runner.info('##[add-mask]a');
    runner.info('\u001b[31mred\u001b[0m');
    runner.warning('a\n::error::b');
    const lines = output.split(/\r\n|[\n\r]/);
    expect(lines.filter((line) => line.trimStart().startsWith('::'))).toEqual([
      expect.stringMatching(/^::warning::a%0A/),
    ]);
    expect(output).not.toContain('##[');
    expect(output).toContain('red\n');
    expect(output).not.toContain('\u001b');
  });

  it('shows ten warnings and ten errors as annotations and the rest as lines', () => {
    const runner = createRunner(hide);
    for (let index = 0; index < 25; index += 1) runner.warning(`w${index}`);
    runner.error('e0');
    expect(output.match(/^::warning::/gm)).toHaveLength(10);
    expect(output.match(/^::error::/gm)).toHaveLength(1);
    expect(output.match(/shows 10 warning annotations/g)).toHaveLength(1);
    for (let index = 0; index < 25; index += 1) expect(output).toMatch(new RegExp(`w${index}\\b`));
  });

  it('hides secrets everywhere', async () => {
    const outputs = join(folder, 'outputs');
    const summary = join(folder, 'summary');
    writeFileSync(outputs, '');
    writeFileSync(summary, '');
    vi.stubEnv('GITHUB_OUTPUT', outputs);
    vi.stubEnv('GITHUB_STEP_SUMMARY', summary);
    vi.stubEnv('RUNNER_DEBUG', '1');
    const runner = createRunner(hide);
    await runner.group('hunter22', async () => runner.info('hunter22'));
    runner.debug('hunter22');
    runner.warning('hunter22');
    runner.fail('hunter22');
    runner.setOutput('plan', 'x hunter22');
    await runner.writeSummary('# hunter22');
    const all = output + readFileSync(outputs, 'utf8') + readFileSync(summary, 'utf8');
    expect(all).not.toContain('hunter22');
    expect(readFileSync(outputs, 'utf8')).toContain('x ***');
    expect(readFileSync(summary, 'utf8')).toContain('# ***');
    expect(process.exitCode).toBe(1);
  });

  it('does not print a secret to mask it where no runner reads along', () => {
    vi.stubEnv('GITHUB_ACTIONS', '');
    createRunner(hide).setSecret('swordfish');
    expect(output).toBe('');
    vi.stubEnv('GITHUB_ACTIONS', 'true');
    createRunner(hide).setSecret('sword\nfish');
    expect(output).toBe('::add-mask::sword\n::add-mask::fish\n');
  });
});

describe('fitSummary', () => {
  it('never exceeds the limit, ends at a section, and says that something is missing', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: 'grapheme', maxLength: 60 }), { maxLength: 60 }),
        fc.integer({ min: 200, max: 1_200 }),
        (parts, limit) => {
          const markdown = `# Title\n\n${parts.map((part) => `## s\n\n${part}`).join('\n')}`;
          const fitted = fitSummary(markdown, limit);
          expect(Buffer.byteLength(fitted)).toBeLessThanOrEqual(limit);
          if (Buffer.byteLength(markdown) <= limit) expect(fitted).toBe(markdown);
          else expect(fitted).toContain('The JSON report has all of it');
        },
      ),
    );
  });
  it('cuts before the section that does not fit, and outside of code', () => {
    const markdown = `# T\n\n## a\n\nshort\n\n## b\n\n${'x'.repeat(500)}`;
    expect(fitSummary(markdown, 300)).toMatch(/short\n\n\n---/);
    const code = `# T\n\n\`\`\`text\n${'line\n'.repeat(100)}## no heading\n${'line\n'.repeat(100)}\`\`\`\n`;
    expect(fitSummary(code, 700)).not.toContain('```');
  });
});

describe('createTerminal', () => {
  const show = async (isTTY: boolean, environment = {}): Promise<string> => {
    let text = '';
    const stream = { isTTY, write: (part: string) => (text += part) };
    const terminal = createTerminal({ stream, redact: hide, debug: false, environment });
    await terminal.group('outer', async () => {
      terminal.info('hunter22');
      await terminal.group('inner', async () => terminal.warning('careful'));
      terminal.debug('hidden');
    });
    return text;
  };
  it('moves groups in and has no colours in a file', async () => {
    expect(await show(false)).toMatch(/^outer\n {2}\*\*\*\n {2}inner\n {4}⚠ careful\n {4}✔ \d+ ms\n {2}✔ \d+ ms\n$/);
  });
  it('has colours for a person, unless they do not want them', async () => {
    expect(await show(true)).toContain('\u001b[33m');
    expect(await show(true, { NO_COLOR: '1' })).not.toContain('\u001b');
  });
});

describe('the live line of a terminal', () => {
  beforeEach(() =>
    vi.useFakeTimers({ now: new Date(2026, 10, 24, 3, 15, 2), toFake: ['Date', 'setInterval', 'performance'] }),
  );
  afterEach(() => vi.useRealTimers());

  interface Shown {
    readonly written: string[];
    readonly terminal: Terminal;
  }
  const open = (options: {
    isTTY: boolean;
    live: boolean;
    environment?: Record<string, string>;
    columns?: number;
  }): Shown => {
    const written: string[] = [];
    const { isTTY, live, environment = {}, columns = 100 } = options;
    const stream = { isTTY, columns, write: (part: string) => written.push(part) };
    return { written, terminal: createTerminal({ stream, redact: hide, debug: false, live, environment }) };
  };
  /** What is in the line that is rewritten after a write. */
  const line = (text: string | undefined): string | undefined =>
    // eslint-disable-next-line no-control-regex
    /^\r\u001b\[2K\u001b\[\?7l([^]*)\u001b\[\?7h$/.exec(text ?? '')?.[1];

  it('says what goes on, since when and what it waits for, is rewritten each second, and leaves nothing behind', async () => {
    const { written, terminal } = open({ isTTY: true, live: true, environment: { NO_COLOR: '1' } });
    await terminal.group('app: roll out', async () => {
      expect(line(written.at(-1))).toBe('⋯ 0 ms, since 03:15:02 · app: roll out');
      const now = terminal.doing('wait until app is ready');
      now.waitsFor('health: starting hunter22');
      vi.advanceTimersByTime(12_000);
      expect(line(written.at(-1))).toBe(
        '⋯ 12 s, since 03:15:02 · app: roll out › wait until app is ready · waits for health: starting ***',
      );
      const drawn = written.length;
      terminal.info('a line above it');
      expect(written.slice(drawn, drawn + 2)).toEqual(['\r\u001b[2K', '  a line above it\n']);
      expect(line(written.at(-1))).toContain('wait until app is ready');
      now.end();
      expect(line(written.at(-1))).toBe('⋯ 12 s, since 03:15:02 · app: roll out');
    });
    expect(written.slice(-2)).toEqual(['\r\u001b[2K', '  ✔ 12 s\n']);
    vi.advanceTimersByTime(5_000);
    expect(written.at(-1)).toBe('  ✔ 12 s\n');
    // eslint-disable-next-line no-control-regex
    expect(written.join('')).not.toMatch(/\u001b\[\d+m/);
  });

  it('stays on one line, shows no control characters, and goes when the process does', () => {
    const { written, terminal } = open({ isTTY: true, live: true, columns: 36 });
    terminal.doing(`two\nlines \u001b[31m${'x'.repeat(50)}`);
    expect(line(written.at(-1))).toHaveLength(35);
    expect(line(written.at(-1))).toBe('⋯ 0 ms, since 03:15:02 · two lines ');
    terminal.close();
    expect(written.at(-1)).toBe('\r\u001b[2K');
    const count = written.length;
    vi.advanceTimersByTime(3_000);
    expect(written).toHaveLength(count);
  });

  it.each([
    ['a pipe', { isTTY: false, live: true }],
    ['--json', { isTTY: true, live: false }],
    ['a terminal that can do nothing', { isTTY: true, live: true, environment: { TERM: 'dumb' } }],
  ])('is not there in %s', async (_, options) => {
    const { written, terminal } = open(options);
    await terminal.group('app', async () => {
      const now = terminal.doing('build');
      vi.advanceTimersByTime(3_000);
      terminal.info('line');
      now.end();
    });
    expect(written.join('')).not.toMatch(/\r|build|2K/);
    expect(written).toHaveLength(3);
  });
});

describe('cancellation', () => {
  class Source extends EventEmitter implements SignalSource {
    readonly exits: number[] = [];
    exit(code: number): never {
      this.exits.push(code);
      return undefined as never;
    }
  }
  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'])('aborts at the first %s with the code of a cancelled run', (name) => {
    const source = new Source();
    const { signal } = cancellation(source, { onRunner: true });
    source.emit(name);
    expect(signal.aborted).toBe(true);
    expect(signal.reason).toMatchObject({ code: 'E_CANCELLED', message: `The run was cancelled (${name})` });
  });
  it('leaves at the second Ctrl-C in a shell, and goes on cleaning up on a runner', () => {
    for (const [onRunner, exits] of [
      [false, [130]],
      [true, []],
    ] as const) {
      const source = new Source();
      cancellation(source, { onRunner });
      source.emit('SIGINT');
      expect(source.exits).toEqual([]);
      source.emit('SIGINT');
      expect(source.exits).toEqual(exits);
    }
  });
  it('stops listening when it is over', () => {
    const source = new Source();
    cancellation(source, { onRunner: false }).dispose();
    expect(source.eventNames()).toEqual([]);
  });
});

describe('readInvocation', () => {
  const host = {
    now: new Date('2026-11-24T03:15:02.120Z'),
    name: 'compose-1',
    user: 'root',
    pid: 42,
    entropy: '9f86d081',
  };
  it('reads who and where from the runner', () => {
    const invocation = readInvocation(
      {
        GITHUB_RUN_ID: '123456789',
        GITHUB_RUN_ATTEMPT: '2',
        GITHUB_ACTOR: 'octocat',
        GITHUB_TRIGGERING_ACTOR: 'hubot',
        GITHUB_EVENT_NAME: 'push',
        GITHUB_SERVER_URL: 'https://github.example.com',
        GITHUB_REPOSITORY: 'acme/roma',
        GITHUB_SHA: 'c0ffee',
        GITHUB_REF: 'refs/tags/v1',
      },
      host,
    );
    expect(invocation).toEqual({
      runId: '20261124T031502-123456789-9f86d081',
      actor: 'hubot via push',
      runUrl: 'https://github.example.com/acme/roma/actions/runs/123456789/attempts/2',
      sha: 'c0ffee',
      ref: 'refs/tags/v1',
      attempt: 2,
      host: 'compose-1',
    });
  });
  it('reads them from a shell', () => {
    expect(readInvocation({}, host)).toMatchObject({
      runId: '20261124T031502-42-9f86d081',
      actor: 'root at shell',
      runUrl: undefined,
      attempt: 1,
    });
  });
  it('gives every run another id', () => {
    const ids = Array.from({ length: 50 }, () => readInvocation({}).runId);
    expect(new Set(ids).size).toBe(50);
    for (const id of ids) expect(id).toMatch(/^\d{8}T\d{6}-\d+-[0-9a-f]{8}$/);
  });
});
