/**
 * Debian packages of other suites, without leaving a trace in the machine's own apt configuration: each suite has
 * a private set of sources, lists and pins in the cache folder, given to apt on the command line.
 *
 * The mirror is never written down here. It is the one that the machine's own sources name.
 */
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run, tryRun } from './command.mjs';
import { cacheFolder, withLock } from './files.mjs';

/** @typedef {{ types: string[], uris: string[], suites: string[], components: string[], signedBy?: string }} Source */

/** What the machine calls itself: `{ id: 'debian', codename: 'bookworm', version: '12' }`. */
export function readDistribution(file = '/etc/os-release') {
  const fields = {};
  if (existsSync(file)) {
    for (const line of readFileSync(file, 'utf8').split('\n')) {
      const match = /^([A-Z_]+)="?([^"]*)"?$/.exec(line);
      if (match) fields[match[1]] = match[2];
    }
  }
  return { id: fields.ID ?? 'unknown', codename: fields.VERSION_CODENAME ?? '', version: fields.VERSION_ID ?? '' };
}

/** Parses the one-line format: `deb [signed-by=…] URI suite component…`. */
function parseList(text) {
  const sources = [];
  for (const line of text.split('\n')) {
    const match = /^\s*(deb|deb-src)\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s*(.*)$/.exec(line.replace(/#.*/, ''));
    if (!match) continue;
    const signedBy = /signed-by=(\S+)/i.exec(match[2] ?? '')?.[1];
    sources.push({
      types: [match[1]],
      uris: [match[3]],
      suites: [match[4]],
      components: match[5].split(/\s+/).filter(Boolean),
      signedBy,
    });
  }
  return sources;
}

/** Parses the deb822 format; a multi-line `Signed-By` (an inlined key) is kept as it stands. */
function parseDeb822(text) {
  const sources = [];
  const withoutComments = text
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .join('\n');
  for (const stanza of withoutComments.split(/\n\s*\n/)) {
    const fields = {};
    for (const match of stanza.matchAll(/^([A-Za-z-]+):[ \t]*(.*(?:\n[ \t].*)*)/gm)) {
      fields[match[1].toLowerCase()] = match[2].trimEnd();
    }
    if (!fields.uris || fields.enabled?.trim() === 'no') continue;
    const words = (name) => (fields[name] ?? '').split(/\s+/).filter(Boolean);
    sources.push({
      types: words('types'),
      uris: words('uris'),
      suites: words('suites'),
      components: words('components'),
      signedBy: fields['signed-by'],
    });
  }
  return sources;
}

/**
 * The package sources this machine is configured with.
 *
 * @param {string} [folder]
 * @returns {Source[]}
 */
export function readSources(folder = '/etc/apt') {
  const sources = [];
  const main = join(folder, 'sources.list');
  if (existsSync(main)) sources.push(...parseList(readFileSync(main, 'utf8')));
  const parts = join(folder, 'sources.list.d');
  if (existsSync(parts)) {
    for (const name of readdirSync(parts).sort()) {
      const text = () => readFileSync(join(parts, name), 'utf8');
      if (name.endsWith('.list')) sources.push(...parseList(text()));
      if (name.endsWith('.sources')) sources.push(...parseDeb822(text()));
    }
  }
  return sources;
}

/** One source in deb822 format. */
function formatSource({ types, uris, suites, components, signedBy }) {
  const lines = [
    `Types: ${types.join(' ')}`,
    `URIs: ${uris.join(' ')}`,
    `Suites: ${suites.join(' ')}`,
    `Components: ${components.join(' ')}`,
  ];
  if (signedBy) lines.push(`Signed-By: ${signedBy}`);
  return `${lines.join('\n')}\n`;
}

/**
 * The source of another suite of the same distribution, on the mirror and with the key of the machine's own.
 *
 * @param {string} suite
 * @param {{ id: string, codename: string }} distribution
 * @param {Source[]} sources
 * @returns {Source}
 * @throws {Error} when the machine names no mirror to derive it from
 */
export function deriveSource(suite, distribution, sources) {
  if (suite !== distribution.codename && distribution.id !== 'debian') {
    throw new Error(`Debian's ${suite} packages can only be had on Debian, and this is ${distribution.id}.`);
  }
  const own = sources.find((source) => source.types.includes('deb') && source.suites.includes(distribution.codename));
  if (!own) {
    throw new Error(
      `cannot find the packages of ${suite}: no source in /etc/apt names the suite "${distribution.codename}", so ` +
        'there is no mirror to derive theirs from. Add the distribution to /etc/apt/sources.list, or install ' +
        'Docker Engine 24 or newer with its Compose plugin yourself.',
    );
  }
  const components = suite === distribution.codename ? own.components : ['main'];
  return { types: ['deb'], uris: own.uris, suites: [suite], components, signedBy: own.signedBy };
}

/**
 * apt options that make one more suite visible, pinned at 100 so that nothing moves to it unless it is asked for.
 *
 * @param {string} suite
 * @param {{ alone?: boolean }} [options] `alone`: see only that suite, not the machine's own as well
 */
function optionsFor(suite, { alone = false } = {}) {
  const distribution = readDistribution();
  const sources = readSources();
  const folder = cacheFolder('apt', alone ? `${suite}-alone` : suite);
  const list = [deriveSource(suite, distribution, sources), ...(alone ? [] : sources)];
  for (const name of ['lists/partial', 'archives/partial', 'parts', 'preferences.d']) {
    mkdirSync(join(folder, name), { recursive: true });
  }
  writeFileSync(join(folder, 'parts', 'all.sources'), list.map(formatSource).join('\n'));
  writeFileSync(join(folder, 'preferences'), `Package: *\nPin: release n=${suite}\nPin-Priority: 100\n`);
  return {
    folder,
    args: Object.entries({
      'Dir::Etc::SourceList': '/dev/null',
      'Dir::Etc::SourceParts': join(folder, 'parts'),
      'Dir::Etc::Preferences': join(folder, 'preferences'),
      'Dir::Etc::PreferencesParts': join(folder, 'preferences.d'),
      'Dir::State::Lists': join(folder, 'lists'),
      'Dir::Cache::Archives': join(folder, 'archives'),
      // Used once or twice: not worth a copy of 150 MB a suite.
      'Dir::Cache::pkgcache': '',
      'Dir::Cache::srcpkgcache': '',
      'Acquire::GzipIndexes': 'true',
      'Acquire::Languages': 'none',
      // apt's own user cannot write into the cache folder of whoever runs this.
      'APT::Sandbox::User': 'root',
      'DPkg::Lock::Timeout': '120',
    }).flatMap(([name, value]) => ['-o', `${name}=${value}`]),
  };
}

const QUIET = { DEBIAN_FRONTEND: 'noninteractive' };

/** Whether packages can be installed here: apt exists and we are root. */
export function canInstall() {
  return existsSync('/usr/bin/apt-get') && process.getuid?.() === 0;
}

/**
 * Installs packages from the machine's own suites.
 *
 * @param {string[]} packages
 */
export async function install(packages) {
  await run('apt-get', ['-q', 'update'], { env: QUIET, timeoutMs: 180_000 });
  await run(
    'apt-get',
    ['-q', '-y', '-o', 'DPkg::Lock::Timeout=120', 'install', '--no-install-recommends', ...packages],
    { env: QUIET, timeoutMs: 600_000 },
  );
}

/**
 * Installs packages of another suite beside the machine's own; what they depend on comes from the machine's own
 * suites wherever that is new enough.
 *
 * @param {string} suite
 * @param {string[]} packages
 */
export async function installFrom(suite, packages) {
  const { args } = optionsFor(suite);
  await run('apt-get', ['-q', ...args, 'update'], { env: QUIET, timeoutMs: 180_000 });
  await run(
    'apt-get',
    ['-q', '-y', ...args, 'install', '--no-install-recommends', ...packages.map((name) => `${name}/${suite}`)],
    { env: QUIET, timeoutMs: 600_000 },
  );
  await run('apt-get', [...args, 'clean']);
}

/**
 * Downloads packages of a suite and unpacks them into a folder. Nothing is installed, and root is not needed.
 *
 * @param {string} suite `own` stands for the machine's own
 * @param {string[]} packages
 * @param {string} target
 */
export function unpackFrom(suite, packages, target) {
  return withLock(`apt-${suite}`, () => unpack(suite, packages, target));
}

async function unpack(suite, packages, target) {
  requireApt(packages);
  const { args, archives, suite: named } = await openSuite(suite);
  // Named with their suite, or an installed version would win over the suite's lower pin.
  const wanted = packages.map((name) => `${name}/${named}`);
  const printed = await run('apt-get', ['-q', ...args, 'download', '--print-uris', ...wanted], { env: QUIET });
  await run('apt-get', ['-q', ...args, 'download', ...wanted], { cwd: archives, env: QUIET, timeoutMs: 600_000 });
  mkdirSync(target, { recursive: true });
  for (const match of printed.matchAll(/^'[^']+' (\S+\.deb) /gm)) {
    await run('dpkg', ['-x', join(archives, match[1]), target]);
    rmSync(join(archives, match[1]));
  }
}

/**
 * The same with everything the packages depend on, as if the machine had nothing installed: what is unpacked runs in
 * a root folder of its own.
 *
 * @param {string} suite `own` stands for the machine's own
 * @param {string[]} packages
 * @param {string} target
 */
export function unpackClosureFrom(suite, packages, target) {
  return withLock(`apt-${suite}`, () => unpackClosure(suite, packages, target));
}

async function unpackClosure(suite, packages, target) {
  requireApt(packages);
  const { args, archives } = await openSuite(suite);
  const empty = ['-o', 'Dir::State::status=/dev/null', '-o', 'APT::Install-Recommends=false'];
  const install = ['-q', '-y', ...args, ...empty, 'install', ...packages];
  const printed = await run('apt-get', [...install, '--print-uris'], { env: QUIET });
  await run('apt-get', [...install, '--download-only'], { env: QUIET, timeoutMs: 600_000 });
  // Debian's folders of programs and libraries are one since bookworm; packages of then still name both.
  for (const folder of ['bin', 'lib', 'lib64', 'sbin']) {
    mkdirSync(join(target, 'usr', folder), { recursive: true });
    if (!existsSync(join(target, folder))) symlinkSync(join('usr', folder), join(target, folder));
  }
  const files = [...printed.matchAll(/^'[^']+' (\S+\.deb) /gm)].map((match) => join(archives, match[1]));
  for (const file of files) {
    const tar = `${file}.tar`;
    await run('bash', ['-eo', 'pipefail', '-c', 'dpkg-deb --fsys-tarfile "$1" > "$2"', 'unpack', file, tar]);
    await run('tar', ['-C', target, '--keep-directory-symlink', '-xf', tar]);
    rmSync(tar);
  }
  for (const file of files) rmSync(file);
}

function requireApt(packages) {
  if (existsSync('/usr/bin/apt-get')) return;
  throw new Error(`cannot fetch ${packages.join(', ')}: this machine has no apt-get (Debian and Ubuntu have).`);
}

/** Fetches the lists of one suite alone. */
async function openSuite(named) {
  const suite = named === 'own' ? readDistribution().codename : named;
  const { args, folder } = optionsFor(suite, { alone: true });
  await run('apt-get', ['-q', ...args, 'update'], { env: QUIET, timeoutMs: 180_000 });
  return { suite, args, archives: join(folder, 'archives') };
}

/**
 * The version that would be installed from the machine's own suites, or undefined.
 *
 * @param {string} name
 */
export async function candidateVersion(name) {
  const { stdout } = await tryRun('apt-cache', ['policy', name]);
  const version = /Candidate: (\S+)/.exec(stdout)?.[1];
  return version === '(none)' ? undefined : version;
}
