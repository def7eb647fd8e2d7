/**
 * The image of the managed edge for tests and the demo: the official one where a registry has it, and otherwise one
 * assembled from Debian 13's packages: HAProxy 3.0 with its libraries, and a busybox with `sh` and `nc`.
 */
import { createHash } from 'node:crypto';
import { cpSync, existsSync, lstatSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { unpackFrom } from './apt.mjs';
import { run } from './command.mjs';
import { cacheFolder, withLock } from './files.mjs';
import { ensureBusybox, hasImage, KEY_LABEL, keyOf, pull } from './images.mjs';

export const PUBLIC_EDGE_IMAGE = 'haproxy:3.0-alpine';
export const LOCAL_EDGE_IMAGE = 'rolling-restart-edge:haproxy';

/** Raised when what `assemble` puts into the image changes. */
const RECIPE = 1;

/** HAProxy's package and those of the libraries it loads; Debian 12's own libraries are too old for it. */
const PACKAGES = [
  'haproxy',
  'libc6',
  'libcrypt1',
  'libgcc-s1',
  'libjemalloc2',
  'liblua5.4-0',
  'libopentracing-c-wrapper0t64',
  'libopentracing1',
  'libpcre2-8-0',
  'libssl3t64',
  'libstdc++6',
  'libzstd1',
  'zlib1g',
];

/** Folders of the packages that the image gets; documents, time zones and character sets are left out. */
const TAKEN = ['usr/sbin', 'usr/lib', 'usr/lib64', 'etc/ld.so.conf.d'];
const LEFT_OUT = /\/(gconv|engines-3|python3|lsb|systemd)(\/|$)/;

const APPLETS = ['sh', 'nc', 'mv', 'cat', 'cp', 'ls', 'rm', 'sleep', 'chroot'];

/**
 * The name of an image with HAProxy 3.0 or newer that the engine has.
 *
 * @param {{ env?: Record<string, string>, log?: (line: string) => void }} [options] `env` chooses the engine
 * @returns {Promise<string>}
 * @throws {Error} when none can be pulled or assembled
 */
export async function ensureEdgeImage({ env = {}, log = () => {} } = {}) {
  if (await hasImage(PUBLIC_EDGE_IMAGE, env)) return PUBLIC_EDGE_IMAGE;
  const key = createHash('sha256')
    .update([RECIPE, process.arch, ...PACKAGES].join(' '))
    .digest('hex')
    .slice(0, 12);
  if ((await keyOf(LOCAL_EDGE_IMAGE, env)) === key) return LOCAL_EDGE_IMAGE;
  if (await pull(PUBLIC_EDGE_IMAGE, env)) return PUBLIC_EDGE_IMAGE;
  return withLock('edge-image', async () => {
    if ((await keyOf(LOCAL_EDGE_IMAGE, env)) === key) return LOCAL_EDGE_IMAGE;
    log(`no registry has ${PUBLIC_EDGE_IMAGE} for us: assembling ${LOCAL_EDGE_IMAGE} from Debian's packages`);
    const tar = join(cacheFolder('images'), `edge-${key}.tar`);
    if (!existsSync(tar)) await assemble(tar);
    const changes = [
      'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      `LABEL ${KEY_LABEL}=${key}`,
      'USER haproxy',
      'CMD ["haproxy", "-f", "/usr/local/etc/haproxy/haproxy.cfg"]',
    ];
    const args = ['import', ...changes.flatMap((change) => ['--change', change]), tar, LOCAL_EDGE_IMAGE];
    await run('docker', args, { env });
    return LOCAL_EDGE_IMAGE;
  });
}

/** Builds the root folder and archives it at `tar`. About 5 s, 30 MB. */
async function assemble(tar) {
  const packages = `${tar}.packages`;
  const root = `${tar}.root`;
  for (const folder of [packages, root]) rmSync(folder, { recursive: true, force: true });
  await unpackFrom('trixie', PACKAGES, packages);
  for (const folder of ['bin', 'dev', 'etc', 'proc', 'sys', 'tmp', 'var/lib/haproxy', 'usr/lib64']) {
    mkdirSync(join(root, folder), { recursive: true });
  }
  for (const folder of TAKEN.map((name) => join(packages, name)).filter((folder) => existsSync(folder))) {
    const filter = (source) => !LEFT_OUT.test(source.slice(packages.length));
    cpSync(folder, join(root, folder.slice(packages.length)), { recursive: true, verbatimSymlinks: true, filter });
  }
  // Debian's root folder has these as links; libraries of either place are found.
  for (const name of ['lib', 'lib64', 'sbin']) {
    if (lstatSync(join(root, name), { throwIfNoEntry: false }) === undefined)
      symlinkSync(`usr/${name}`, join(root, name));
  }
  cpSync(await ensureBusybox(), join(root, 'bin/busybox'));
  for (const applet of APPLETS) symlinkSync('busybox', join(root, 'bin', applet));
  // The official image's own user and number.
  writeFile(root, 'etc/passwd', 'root:x:0:0:root:/:/bin/sh\nhaproxy:x:99:99::/var/lib/haproxy:/bin/false\n');
  writeFile(root, 'etc/group', 'root:x:0:\nhaproxy:x:99:\n');
  writeFile(root, 'etc/nsswitch.conf', 'passwd: files\ngroup: files\nhosts: files dns\n');
  const fixed = ['--sort=name', '--owner=0', '--group=0', '--numeric-owner', '--mtime=@0'];
  const half = `${tar}.part`;
  await run('tar', ['-C', root, ...fixed, '-cf', half, '.']);
  renameSync(half, tar);
  for (const folder of [packages, root]) rmSync(folder, { recursive: true });
}

function writeFile(root, name, text) {
  mkdirSync(dirname(join(root, name)), { recursive: true });
  writeFileSync(join(root, name), text);
}
