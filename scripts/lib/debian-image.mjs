/**
 * Images of Debian's packages where no registry has the official ones: HAProxy, Caddy, nginx, Redis for the tests. The
 * packages are unpacked, not installed, into a root folder of their own with all they depend on, so that a newer suite's
 * program runs with that suite's libraries.
 */
import { createHash } from 'node:crypto';
import { chmodSync, copyFileSync, existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { unpackClosureFrom } from './apt.mjs';
import { run } from './command.mjs';
import { cacheFolder, withLock } from './files.mjs';
import { archive, FILES, KEY_LABEL, keyOf, layBusybox } from './images.mjs';

/** Raised when what is laid into every image changes. */
const RECIPE = 1;

/**
 * Makes sure that the engine has an image of Debian packages, with busybox for whatever they lack. About 15 s the first
 * time, 2 s on another engine, nothing afterwards.
 *
 * @param {object} options
 * @param {string} options.name of the image, with its tag
 * @param {string[]} options.packages
 * @param {string} [options.suite] `bookworm`, `trixie`, …; `own` (default) is the machine's own
 * @param {Record<string, string>} [options.files] further programs or files: path in the image → path on this machine
 * @param {string[]} [options.changes] Dockerfile instructions, such as `CMD ["haproxy", "-f", "/etc/haproxy.cfg"]`
 * @param {Record<string, string>} [options.env] chooses the engine
 * @param {(line: string) => void} [options.log]
 * @returns {Promise<string>} the name
 * @throws {Error} when the packages cannot be had here
 */
export async function assembleImage({
  name,
  packages,
  suite = 'own',
  files = {},
  changes = [],
  env = {},
  log = () => {},
}) {
  const stamps = Object.entries(files).map(([path, source]) => [path, statSync(source).size, statSync(source).mtimeMs]);
  const root = JSON.stringify([RECIPE, process.arch, suite, packages, stamps]);
  const tar = join(cacheFolder('images'), `debian-${hash(root)}.tar`);
  const key = hash(JSON.stringify([root, changes]));
  if ((await keyOf(name, env)) === key) return name;
  return withLock(`image-${hash(root)}`, async () => {
    if ((await keyOf(name, env)) === key) return name;
    if (!existsSync(tar)) {
      log(`assembling ${name} from Debian's ${packages.join(', ')} (${suite})`);
      await assemble(tar, suite, packages, files);
    }
    const all = [
      'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      `LABEL ${KEY_LABEL}=${key}`,
      ...changes,
    ];
    await run('docker', ['import', ...all.flatMap((change) => ['--change', change]), tar, name], { env });
    return name;
  });
}

/**
 * Debian 12's HAProxy: 2.6, the oldest that is worked with. 3.0 is what the image of the edge has.
 *
 * @param {Pick<Parameters<typeof assembleImage>[0], 'env' | 'log'>} [options]
 */
export function ensureHaproxy26Image(options = {}) {
  const changes = ['CMD ["haproxy", "-f", "/usr/local/etc/haproxy/haproxy.cfg"]'];
  return assembleImage({
    name: 'rolling-restart-haproxy:2.6',
    suite: 'bookworm',
    packages: ['haproxy'],
    changes,
    ...options,
  });
}

/**
 * Caddy as Debian has it: 2.6.2 in bookworm and trixie alike.
 *
 * @param {Pick<Parameters<typeof assembleImage>[0], 'env' | 'log'>} [options]
 */
export function ensureCaddyImage(options = {}) {
  const changes = ['CMD ["caddy", "run", "--config", "/etc/caddy/caddy.json"]'];
  return assembleImage({
    name: 'rolling-restart-caddy:bookworm',
    suite: 'bookworm',
    packages: ['caddy'],
    changes,
    ...options,
  });
}

/**
 * A service that speaks its own protocol over TCP: Debian's Redis, which keeps nothing.
 *
 * @param {Pick<Parameters<typeof assembleImage>[0], 'env' | 'log'>} [options]
 */
export function ensureRedisImage(options = {}) {
  const changes = ['EXPOSE 6379', 'CMD ["redis-server", "--save", "", "--protected-mode", "no"]'];
  return assembleImage({
    name: 'rolling-restart-redis:bookworm',
    suite: 'bookworm',
    packages: ['redis-server'],
    changes,
    ...options,
  });
}

const hash = (text) => createHash('sha256').update(text).digest('hex').slice(0, 12);

async function assemble(tar, suite, packages, files) {
  const root = `${tar}.root`;
  rmSync(root, { recursive: true, force: true });
  for (const folder of ['etc', 'proc', 'root', 'run', 'sys', 'tmp', 'var/tmp']) {
    mkdirSync(join(root, folder), { recursive: true });
  }
  await unpackClosureFrom(suite, packages, root);
  // No package's script runs, so what those make is made here.
  chmodSync(join(root, 'tmp'), 0o1777);
  chmodSync(join(root, 'var/tmp'), 0o1777);
  for (const [path, text] of Object.entries(FILES)) writeFileSync(join(root, path), text);
  await layBusybox(root);
  for (const [path, source] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    copyFileSync(source, join(root, path));
  }
  // Read by people only: half of the size.
  for (const folder of ['doc', 'man', 'locale', 'info']) {
    rmSync(join(root, 'usr/share', folder), { recursive: true, force: true });
  }
  await archive(root, tar);
}
