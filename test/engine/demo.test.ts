import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';

const exec = promisify(execFile);
const DEMO = fileURLToPath(new URL('../../scripts/demo.mjs', import.meta.url));

/** A demo under way, and all that it has printed. */
interface Demo {
  readonly child: ChildProcess;
  text(): string;
  /** Resolves once a line of its output matches. */
  line(pattern: RegExp): Promise<void>;
  /** Exit code. */
  end(): Promise<number>;
  /** Name of its compose project, as it says first. */
  name(): string;
}

const running: ChildProcess[] = [];
afterEach(() => {
  for (const child of running.splice(0)) if (child.exitCode === null) child.kill('SIGTERM');
});

function startDemo(): Demo {
  // A colour would be seen: NO_COLOR is not set, and there is no terminal.
  const child = spawn(process.execPath, [DEMO], { stdio: ['ignore', 'pipe', 'pipe'] });
  running.push(child);
  let text = '';
  const onText: (() => void)[] = [];
  const read = (part: string): void => {
    text += part;
    for (const listener of onText) listener();
  };
  child.stdout.setEncoding('utf8').on('data', read);
  child.stderr.setEncoding('utf8').on('data', read);
  const closed = once(child, 'close') as Promise<[number | null]>;
  return {
    child,
    text: () => text,
    line: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (text.split('\n').some((line) => pattern.test(line))) resolve();
        };
        onText.push(look);
        look();
        void closed.then(() => reject(new Error(`the demo ended without ${String(pattern)}:\n${text}`)));
      }),
    end: async () => (await closed)[0] ?? -1,
    name: () => /rr-demo-[0-9a-f]{8}/.exec(text)?.[0] ?? '',
  };
}

async function list(...args: string[]): Promise<string[]> {
  const { stdout } = await exec('docker', args);
  return stdout.split('\n').filter((line) => line !== '');
}

/** Everything on the engine and among the temporary files that says the demo's name, in whatever way. */
async function leftOf(name: string): Promise<string[]> {
  expect(name).toMatch(/^rr-demo-/);
  const found = [
    ...(await list('ps', '-a', '--format', '{{.Names}} {{.Labels}}')),
    ...(await list('volume', 'ls', '--format', '{{.Name}} {{.Labels}}')),
    ...(await list('network', 'ls', '--format', '{{.Name}} {{.Labels}}')),
    ...(await list('images', '-a', '--format', '{{.Repository}}:{{.Tag}}')),
    ...(await list('images', '-aq', '--filter', `label=com.docker.compose.project=${name}`)).map(
      (id) => `${name} ${id}`,
    ),
    ...readdirSync(tmpdir()),
  ];
  return found.filter((line) => line.includes(name));
}

describe('npm run demo', () => {
  it('deploys, updates, shows a broken release roll back, goes back by hand, ends an emergency, restores data, and leaves nothing', async () => {
    const demo = startDemo();
    await demo.line(/^── 3 · /);
    // It is as real as it says: while it runs, the engine has its things.
    expect(await leftOf(demo.name())).toEqual(
      expect.arrayContaining([
        expect.stringContaining(`${demo.name()}-roma-builder `),
        `rolling-restart/${demo.name()}-roma-builder:latest`,
      ]),
    );
    expect(await demo.end(), demo.text()).toBe(0);
    const answers = [...demo.text().matchAll(/GET http:\S+\/version: (\S+)/g)].map(([, version]) => version);
    expect(answers).toEqual(['1.0.0', '2.0.0', '2.0.0', '2.0.0', '2.0.0', '1.0.0', '1.0.0', '1.0.0']);
    expect(demo.text()).toContain('it holds "spoilt" now');
    expect(demo.text()).toContain('the file in the volume holds "precious" again');
    expect(demo.text()).toMatch(/a user meanwhile: 1\.0\.0 \(\d+ answers\) → .* → 2\.0\.0 \(\d+ answers\)$/m);
    expect(demo.text()).toMatch(/a user meanwhile: 2\.0\.0 .* → 3\.0\.0 .* → 2\.0\.0 \(\d+ answers\)$/m);
    expect(demo.text()).toContain('↩ rolled-back: ');
    expect(demo.text()).toContain('⊘ refused: ');
    expect(demo.text()).toContain('every step ended as it should');
    expect(demo.text()).not.toContain('\x1b');
    expect(await leftOf(demo.name())).toEqual([]);
  });

  it('cleans up after Ctrl-C in the middle of a deploy', async () => {
    const demo = startDemo();
    await demo.line(/is live and verified; it is watched/);
    expect(await leftOf(demo.name())).not.toEqual([]);
    demo.child.kill('SIGINT');
    expect(await demo.end(), demo.text()).toBe(130);
    expect(demo.text()).toContain('SIGINT: ending the run that is under way, then cleaning up.');
    expect(demo.text()).not.toContain('── 2 · ');
    expect(await leftOf(demo.name())).toEqual([]);
  });

  it('fails, and cleans up, when a step does not end as it should', async () => {
    const demo = startDemo();
    await demo.line(/is live and verified; it is watched/);
    // A container that was killed by hand is not restarted: version 1 is gone while it is watched.
    await exec('docker', ['kill', `${demo.name()}-roma-builder`]);
    expect(await demo.end(), demo.text()).toBe(1);
    expect(demo.text()).toContain('the demo failed: code-update ended with exit code 1, and 0 was expected');
    expect(await leftOf(demo.name())).toEqual([]);
  });
});
