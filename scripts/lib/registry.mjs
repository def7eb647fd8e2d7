/** A real image registry on localhost, for tests of pulling and of rollback to a registry image. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unpackFrom } from './apt.mjs';
import { findProgram, run } from './command.mjs';
import { cacheFolder, waitFor, withLock } from './files.mjs';

/**
 * Starts a registry that forgets everything when it stops. Docker trusts registries on 127.0.0.0/8 without TLS.
 *
 * @param {{ port?: number, auth?: { username: string, password: string } }} [options]
 *   `port` default: a free one; `auth`: basic authentication, asked for reading and writing alike
 * @returns {Promise<{ address: string, stop: () => Promise<void> }>} address: `127.0.0.1:PORT`
 * @throws {Error} when the program cannot be had or does not answer within 15 s
 */
export async function startRegistry({ port, auth } = {}) {
  const program = await ensureRegistry();
  const address = `127.0.0.1:${port ?? (await freePort())}`;
  const folder = mkdtempSync(join(tmpdir(), 'rolling-restart-registry-'));
  const settings = {
    version: '0.1',
    log: { level: 'warn', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: join(folder, 'data') }, delete: { enabled: true } },
    http: { addr: address, secret: randomBytes(16).toString('hex') },
  };
  if (auth) {
    const path = join(folder, 'htpasswd');
    writeFileSync(path, `${auth.username}:${await bcrypt(auth.password)}\n`);
    settings.auth = { htpasswd: { realm: 'rolling-restart', path } };
  }
  // JSON is YAML.
  writeFileSync(join(folder, 'config.yml'), JSON.stringify(settings));

  let said = '';
  const child = spawn(program, ['serve', join(folder, 'config.yml')], { stdio: ['ignore', 'pipe', 'pipe'] });
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (text) => (said = `${said}${text}`.slice(-4000)));
  const ended = new Promise((resolve) => child.on('close', resolve).on('error', resolve));
  const kill = () => child.kill('SIGKILL');
  // A test that throws must not leave it behind.
  process.once('exit', kill);
  const stop = async () => {
    process.removeListener('exit', kill);
    kill();
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };

  const answers = await waitFor(
    async () => {
      if (child.exitCode !== null) return false;
      const status = await fetch(`http://${address}/v2/`).then(
        (answer) => answer.status,
        () => undefined,
      );
      return status === (auth ? 401 : 200) || undefined;
    },
    { timeoutMs: 15_000, everyMs: 50 },
  );
  if (answers) return { address, stop };
  await stop();
  throw new Error(`the registry did not come up at ${address}:\n${said}`);
}

/** Debian's `docker-registry`, unpacked and not installed: the package would start one as a service. */
async function ensureRegistry() {
  const installed = findProgram('docker-registry');
  if (installed) return installed;
  const folder = cacheFolder('registry');
  const program = join(folder, 'usr/bin/docker-registry');
  await withLock('registry', async () => {
    if (!existsSync(program)) await unpackFrom('own', ['docker-registry'], folder);
  });
  return program;
}

/** A port that nobody listens on at this moment. */
function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** The registry takes bcrypt only. Every Debian has a perl whose `crypt` knows it; the password goes by environment. */
function bcrypt(password) {
  const alphabet = './ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
  const salt = [...randomBytes(21)].map((byte) => alphabet[byte & 63]).join('');
  // The last character carries two bits only; a dot is always right.
  const env = { RR_PASSWORD: password, RR_SALT: `$2b$05$${salt}.` };
  return run('perl', ['-e', 'print crypt($ENV{RR_PASSWORD}, $ENV{RR_SALT})'], { env });
}
