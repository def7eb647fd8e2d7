import assert from 'node:assert/strict';
import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const stateDir = mkdtempSync(join(tmpdir(), 'roma-'));

before(() => {
  const build = spawnSync(process.execPath, ['scripts/build.js'], { cwd: root, encoding: 'utf8' });
  assert.equal(build.status, 0, build.stderr);
});
after(() => rmSync(stateDir, { recursive: true }));

/** Runs the service on a free port, up to the line that names it. */
async function start(environment = {}) {
  const child = spawn(process.execPath, ['bin/roma.js', 'serve'], {
    cwd: root,
    env: { ...process.env, PORT: '0', ROMA_STATE_DIR: stateDir, ROMA_CHAOS: '', ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = [];
  const exit = once(child, 'exit').then(([code]) => code);
  const url = await new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      lines.push(line);
      const port = /listens on port (\d+)/.exec(line)?.[1];
      if (port) resolve(`http://127.0.0.1:${port}`);
    });
    void exit.then((code) => reject(new Error(`ended with code ${code}: ${lines.join('\n')}`)));
  });
  return { child, url, lines, exit };
}

test('answers, counts its boots, keeps entries, and finishes its work when told to stop', async () => {
  const first = await start({ GIT_COMMIT: 'abc123' });
  assert.match(await (await fetch(first.url)).text(), new RegExp(`^ROMA ${version}: `));
  assert.equal((await fetch(`${first.url}/health`)).status, 200);
  const posted = await fetch(`${first.url}/entries`, { method: 'POST', body: 'it was sunny' });
  assert.equal(posted.status, 201);

  const slow = fetch(`${first.url}/slow?ms=500`);
  await sleep(100);
  first.child.kill('SIGTERM');
  first.child.kill('SIGTERM');
  assert.equal((await slow).status, 200);
  assert.equal(await first.exit, 0);
  assert.doesNotMatch(first.lines.join('\n'), /error/i);

  const second = await start();
  const about = await (await fetch(`${second.url}/version`)).json();
  assert.equal(about.version, version);
  assert.equal(about.boots, 2);
  const { entries } = await (await fetch(`${second.url}/entries`)).json();
  assert.deepEqual(
    entries.map((entry) => entry.text),
    ['it was sunny'],
  );
  second.child.kill('SIGTERM');
  assert.equal(await second.exit, 0);
});

test('the smoke test passes against a good release and fails against a broken one', async () => {
  const smoke = (url) =>
    promisify(execFile)(process.execPath, ['bin/onthisday.js'], {
      cwd: root,
      env: { ...process.env, ROLLING_RESTART_URL: url },
    });

  const good = await start();
  assert.match((await smoke(good.url)).stdout, /answered in \d+ ms/);
  good.child.kill('SIGTERM');
  await good.exit;

  const broken = await start({ ROMA_CHAOS: 'fail-requests:100%' });
  await assert.rejects(smoke(broken.url), /status 500/);
  broken.child.kill('SIGTERM');
  await broken.exit;
});

test('crashes and never starts when asked to', async () => {
  await assert.rejects(start({ ROMA_CHAOS: 'exit-at-once' }), /ended with code 1/);
  const crashing = await start({ ROMA_CHAOS: 'crash-after:200ms' });
  assert.equal(await crashing.exit, 1);
});

test('roma --version', () => {
  const result = spawnSync(process.execPath, ['bin/roma.js', '--version'], {
    cwd: root,
    encoding: 'utf8',
  });
  assert.equal(result.stdout, `${version}\n`);
});
