/**
 * The base image of the sample service and of the tests: `node:22-alpine` where a registry has it, and otherwise
 * one assembled from what this machine has: busybox and the node that runs this script, with its libraries.
 */
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { readDistribution, unpackFrom } from './apt.mjs';
import { run, tryRun } from './command.mjs';
import { cacheFolder, withLock } from './files.mjs';

/** The image that is preferred, and the name of the one that stands in for it. */
export const PUBLIC_BASE_IMAGE = 'node:22-alpine';
export const LOCAL_BASE_IMAGE = 'rolling-restart-base:node';

/** Label of an assembled image: says what went into it. */
export const KEY_LABEL = 'rolling-restart.base';
/** A registry that has not begun to send by then counts as out of reach. */
const PULL_PATIENCE_MS = 8_000;

/**
 * The name of a base image that the engine has: with `node`, `sh` and the usual small tools.
 *
 * @param {{ env?: Record<string, string>, log?: (line: string) => void }} [options] `env` chooses the engine
 * @returns {Promise<string>}
 * @throws {Error} when none can be pulled or assembled
 */
export async function ensureBaseImage({ env = {}, log = () => {} } = {}) {
  const wanted = process.env.ROLLING_RESTART_BASE_IMAGE;
  if (wanted) {
    if ((await hasImage(wanted, env)) || (await pull(wanted, env))) return wanted;
    throw new Error(`ROLLING_RESTART_BASE_IMAGE names ${wanted}, which is not on the engine and cannot be pulled.`);
  }
  if (await hasImage(PUBLIC_BASE_IMAGE, env)) return PUBLIC_BASE_IMAGE;
  const { tar, key } = describeArchive();
  if ((await keyOf(LOCAL_BASE_IMAGE, env)) === key) return LOCAL_BASE_IMAGE;
  if (await pull(PUBLIC_BASE_IMAGE, env)) return PUBLIC_BASE_IMAGE;
  return withLock('base-image', async () => {
    if ((await keyOf(LOCAL_BASE_IMAGE, env)) === key) return LOCAL_BASE_IMAGE;
    log(`no registry has ${PUBLIC_BASE_IMAGE} for us: assembling ${LOCAL_BASE_IMAGE} from this machine's node`);
    if (!existsSync(tar)) await assemble(tar);
    const changes = [
      'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      `ENV NODE_VERSION=${process.versions.node}`,
      `LABEL ${KEY_LABEL}=${key}`,
      'CMD ["node"]',
    ];
    const args = ['import', ...changes.flatMap((change) => ['--change', change]), tar, LOCAL_BASE_IMAGE];
    await run('docker', args, { env });
    return LOCAL_BASE_IMAGE;
  });
}

/** Whether the engine has an image of this name. */
export async function hasImage(name, env) {
  const { code } = await tryRun('docker', ['image', 'inspect', '--format', '{{.Id}}', name], { env });
  return code === 0;
}

/** The key that an assembled image carries, or undefined when it is not there. */
export async function keyOf(name, env) {
  const format = `{{index .Config.Labels "${KEY_LABEL}"}}`;
  const { code, stdout } = await tryRun('docker', ['image', 'inspect', '--format', format, name], { env });
  return code === 0 ? stdout.trim() : undefined;
}

/**
 * Pulls an image, giving up soon when no registry answers and patiently waiting once one does.
 *
 * @returns {Promise<boolean>} whether the engine has it now
 */
export function pull(name, env) {
  return new Promise((resolve) => {
    const child = spawn('docker', ['pull', name], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let timer = setTimeout(() => child.kill('SIGKILL'), PULL_PATIENCE_MS);
    child.stdout.once('data', () => {
      clearTimeout(timer);
      timer = setTimeout(() => child.kill('SIGKILL'), 300_000);
    });
    child.on('error', () => resolve(false));
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve(code === 0);
    });
  });
}

/** Where the archive of the assembled root folder is kept; its key changes with what goes into it. */
function describeArchive() {
  const node = realpathSync(process.execPath);
  const { size, mtimeMs } = statSync(node);
  const content = [RECIPE, process.versions.node, process.arch, node, size, mtimeMs].join(' ');
  const key = createHash('sha256').update(content).digest('hex').slice(0, 12);
  return { key, tar: join(cacheFolder('images'), `base-${key}.tar`) };
}

/** Raised when what `assemble` puts into the image changes. */
const RECIPE = 3;

/** Small text files that programs expect in any root folder. */
export const FILES = {
  'etc/passwd':
    'root:x:0:0:root:/root:/bin/sh\nnode:x:1000:1000:node:/home/node:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n',
  'etc/group': 'root:x:0:\nnode:x:1000:\nnogroup:x:65534:\n',
  // Without it the C library asks DNS before /etc/hosts.
  'etc/nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\n',
};

/** Builds the root folder and archives it at `tar`. Takes about 3 s, 107 MB. */
async function assemble(tar) {
  const root = `${tar}.root`;
  rmSync(root, { recursive: true, force: true });
  for (const folder of ['bin', 'etc', 'home/node', 'proc', 'root', 'sys', 'tmp', 'usr/local/bin', 'var/tmp']) {
    mkdirSync(join(root, folder), { recursive: true });
  }
  chmodSync(join(root, 'tmp'), 0o1777);
  chmodSync(join(root, 'var/tmp'), 0o1777);
  for (const [name, text] of Object.entries(FILES)) writeFileSync(join(root, name), text);

  await layBusybox(root);

  copyFileSync(realpathSync(process.execPath), join(root, 'usr/local/bin/node'));
  for (const library of await librariesOf(process.execPath)) {
    mkdirSync(dirname(join(root, library)), { recursive: true });
    cpSync(library, join(root, library), { dereference: true });
  }

  await archive(root, tar);
}

/** Lays the static busybox and a link for each of its tools that is not there yet. */
export async function layBusybox(root) {
  const busybox = await ensureBusybox();
  mkdirSync(join(root, 'bin'), { recursive: true });
  copyFileSync(busybox, join(root, 'bin/busybox'));
  for (const applet of (await run(busybox, ['--list-full'])).split('\n')) {
    const path = join(root, applet);
    if (existsSync(path)) continue;
    mkdirSync(dirname(path), { recursive: true });
    symlinkSync('/bin/busybox', path);
  }
}

/** Makes an archive of a root folder, and the folder go. */
export async function archive(root, tar) {
  // Owners and times are fixed so that the archive depends on its content alone.
  const fixed = ['--sort=name', '--owner=0', '--group=0', '--numeric-owner', '--mtime=@0'];
  const half = `${tar}.part`;
  await run('tar', ['-C', root, ...fixed, '-cf', half, '.']);
  renameSync(half, tar);
  rmSync(root, { recursive: true });
}

/** The shared libraries a program loads, its loader included, as the absolute paths it looks them up by. */
async function librariesOf(program) {
  const { code, stdout } = await tryRun('ldd', [program]);
  // A statically linked program has none, and ldd says so with an exit code.
  if (code !== 0) return [];
  return [...stdout.matchAll(/(?:=>\s*)?(\/\S+)\s+\(0x/g)].map((match) => match[1]);
}

/** A statically linked busybox. Debian 12's own crashes in `wget -T`, which health checks use; Debian 13's does not. */
export async function ensureBusybox() {
  const folder = cacheFolder('busybox');
  const names = ['bin/busybox', 'usr/bin/busybox'];
  const program = () => names.map((name) => join(folder, name)).find((file) => existsSync(file));
  const suite = readDistribution().codename === 'bookworm' ? 'trixie' : 'own';
  if (!program()) await unpackFrom(suite, ['busybox-static'], folder);
  const found = program();
  if (!found) throw new Error('the package busybox-static has no bin/busybox');
  return found;
}
