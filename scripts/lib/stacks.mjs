/**
 * Newer Docker stacks beside the machine's own, for the test matrix: the same tests on another engine, another
 * image store and another Compose. They run in place from a cache folder; nothing is installed, and the machine's
 * own engine and its firewall rules stay as they are.
 */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { canInstall, install, unpackFrom } from './apt.mjs';
import { findProgram, run, tryRun } from './command.mjs';
import { isProgram, linkPlugins, startDaemon, stopDaemon, tail, waitForEngine } from './engine.mjs';
import { cacheFolder, readPid, withLock } from './files.mjs';

/**
 * @typedef {object} Stack
 * @property {{ DOCKER_HOST: string, DOCKER_CONFIG: string, PATH: string }} env what a test needs to use it
 * @property {string} engineVersion
 * @property {string} composeVersion
 * @property {string} imageStore `containerd` or `graph driver`
 * @property {() => Promise<void>} stop ends its daemons and removes its bridge; images stay for the next time
 */

/** Debian's unstable suite has the newest packaged engine. Its runc needs a newer libc: the machine's own is used. */
const SUITE = 'sid';
const PACKAGES = ['docker.io', 'docker-cli', 'containerd', 'docker-compose', 'docker-buildx'];

/** The last Compose 5 that builds with Go 1.25 and 1.26; 5.7 asks for a newer Go. */
const COMPOSE_5 = 'v5.6.0';

/**
 * Addresses of the second engine's networks, away from Docker's defaults (172.17 to 172.31 and 192.168) so that two
 * engines on one host never pick the same one.
 */
const POOL = '10.213.0.0/16';
const BRIDGE = { name: 'rr-newer', address: '10.213.0.1/24' };

/** Sockets need a short path; the rest lives in the cache. */
const RUN_FOLDER = '/run/rolling-restart/newer';
const SOCKET = `${RUN_FOLDER}/docker.sock`;

const folders = () => ({
  packages: join(cacheFolder('stacks'), 'newer'),
  data: cacheFolder('stacks', 'newer-data'),
  config: cacheFolder('stacks', 'newer-config'),
});

/**
 * Starts the newer stack, or finds it running: Debian sid's engine with the containerd image store, and its Compose.
 *
 * @param {{ log?: (line: string) => void }} [options]
 * @returns {Promise<Stack>}
 * @throws {Error} with the reason when this machine cannot have it
 */
export async function ensureSecondStack({ log = () => {} } = {}) {
  return withLock('second-stack', () => provide(log), { log });
}

async function provide(log) {
  const { packages, config } = folders();
  if (process.getuid?.() !== 0) throw new Error('a second Docker engine can only be started by root');
  await ensurePackages(packages, log);
  linkPlugins(config, join(packages, 'usr/libexec/docker/cli-plugins'));
  const env = {
    DOCKER_HOST: `unix://${SOCKET}`,
    DOCKER_CONFIG: config,
    PATH: [join(packages, 'usr/bin'), join(packages, 'usr/sbin'), process.env.PATH, '/usr/sbin', '/sbin'].join(
      delimiter,
    ),
  };
  const { code } = await tryRun('docker', ['version'], { env });
  if (code !== 0) await start(env, log);
  return describe(env);
}

/** Reads back what the stack is, and how to stop it. */
async function describe(env) {
  const [engineVersion, composeVersion, status] = await Promise.all([
    run('docker', ['version', '--format', '{{.Server.Version}}'], { env }),
    run('docker', ['compose', 'version', '--short'], { env }),
    run('docker', ['info', '--format', '{{.DriverStatus}}'], { env }),
  ]);
  const imageStore = status.includes('io.containerd.snapshotter') ? 'containerd' : 'graph driver';
  return { env, engineVersion, composeVersion: composeVersion.replace(/^v/, ''), imageStore, stop: stopSecondStack };
}

/** Fetches and unpacks the packages once; 10 s. */
async function ensurePackages(folder, log) {
  if (existsSync(folder)) return;
  log(`fetching a newer Docker engine and Compose (Debian ${SUITE}) into ${folder}`);
  const half = `${folder}.part`;
  rmSync(half, { recursive: true, force: true });
  await unpackFrom(SUITE, PACKAGES, half);
  renameSync(half, folder);
}

/**
 * Starts containerd and dockerd.
 *
 * A containerd of its own, because dockerd would otherwise take the system's where one runs. No firewall rules of
 * its own (`--iptables=false`), because two engines share the chains and the one that starts later rebuilds them;
 * published ports work through its userland proxy, and `openFirewall` lets its networks through the first engine's
 * drop policy.
 */
async function start(env, log) {
  await requirePrograms();
  const { data } = folders();
  await stopSecondStack();
  mkdirSync(RUN_FOLDER, { recursive: true });
  // An engine with an address pool that remembers a default network removes `docker0` when it starts, and means its
  // own (moby/moby, `configureNetworking`). Here that is the first engine's, so this one never remembers.
  rmSync(join(data, 'docker', 'network'), { recursive: true, force: true });
  await makeBridge();
  await openFirewall();
  const interfaces = readdirSync('/sys/class/net');

  const containerdLog = join(data, 'containerd.log');
  const dockerdLog = join(data, 'dockerd.log');
  for (const file of [containerdLog, dockerdLog]) rmSync(file, { force: true });
  log(`starting the second engine (log: ${dockerdLog})`);
  const containerdSocket = join(RUN_FOLDER, 'containerd.sock');
  const settings = join(data, 'containerd.toml');
  // Kubernetes' interface is of no use here and wants network plugins.
  writeFileSync(settings, `version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n`);
  const containerd = startDaemon(
    'containerd',
    [
      ...['--config', settings, '--address', containerdSocket],
      ...['--root', join(data, 'containerd'), '--state', join(RUN_FOLDER, 'containerd')],
    ],
    { logFile: containerdLog, env },
  );
  writeFileSync(PID_FILES.containerd, `${containerd.pid}\n`);
  // An empty configuration of its own, or it would take the machine's /etc/docker/daemon.json.
  const daemonSettings = join(data, 'daemon.json');
  writeFileSync(daemonSettings, '{}\n');
  const dockerd = startDaemon(
    'dockerd',
    [
      ...['--feature', 'containerd-snapshotter=true', '--containerd', containerdSocket],
      ...['--data-root', join(data, 'docker'), '--exec-root', join(RUN_FOLDER, 'exec')],
      ...['--pidfile', join(RUN_FOLDER, 'docker.pid'), '--host', `unix://${SOCKET}`],
      ...['--config-file', daemonSettings],
      ...['--iptables=false', '--ip6tables=false', '--bridge', BRIDGE.name],
      ...['--default-address-pool', `base=${POOL},size=24`],
    ],
    { logFile: dockerdLog, env },
  );
  writeFileSync(PID_FILES.dockerd, `${dockerd.pid}\n`);
  if (await waitForEngine(env, dockerd)) return demandIntact(interfaces);
  const why = `${tail(containerdLog, 5)}\n${tail(dockerdLog)}`;
  await stopSecondStack();
  throw new Error(`the second engine did not come up:\n${why}`);
}

/** Ours, beside the daemons' own, because they exist even when a daemon dies before it writes one. */
const PID_FILES = { dockerd: join(RUN_FOLDER, 'our-dockerd.pid'), containerd: join(RUN_FOLDER, 'our-containerd.pid') };

/** @throws {Error} when a bridge of the first engine went away while the second one started */
async function demandIntact(before) {
  const lost = before.filter((name) => name.startsWith('docker') && !existsSync(`/sys/class/net/${name}`));
  if (lost.length === 0) return;
  await stopSecondStack();
  throw new Error(`the second engine removed ${lost.join(', ')} of the first one: restart the first one.`);
}

/** Programs that the machine's own engine usually has brought already. */
async function requirePrograms() {
  const packageOf = { ip: 'iproute2', iptables: 'iptables', runc: 'runc' };
  const missing = Object.keys(packageOf).filter((name) => !findProgram(name));
  if (missing.length === 0) return;
  if (!canInstall()) throw new Error(`a second engine needs ${missing.join(', ')}, which this machine lacks`);
  await install(missing.map((name) => packageOf[name]));
}

/** A bridge of its own: the default `docker0` belongs to the first engine. */
async function makeBridge() {
  await tryRun(findProgram('ip'), ['link', 'add', BRIDGE.name, 'type', 'bridge']);
  await tryRun(findProgram('ip'), ['address', 'add', BRIDGE.address, 'dev', BRIDGE.name]);
  await run(findProgram('ip'), ['link', 'set', BRIDGE.name, 'up']);
}

/** The rules that let the second engine's networks talk among themselves and to the outside. */
const RULES = [
  ['filter', 'FORWARD', ['-s', POOL]],
  ['filter', 'FORWARD', ['-d', POOL]],
  ['nat', 'POSTROUTING', ['-s', POOL, '!', '-d', POOL]],
].map(([table, chain, match]) => ({
  table,
  rule: [chain, ...match, ...['-m', 'comment', '--comment', 'rolling-restart test matrix']],
  target: ['-j', table === 'nat' ? 'MASQUERADE' : 'ACCEPT'],
}));

async function openFirewall() {
  for (const { table, rule, target } of RULES) {
    const { code } = await tryRun(findProgram('iptables'), ['-w', '-t', table, '-C', ...rule, ...target]);
    if (code !== 0) await run(findProgram('iptables'), ['-w', '-t', table, '-I', ...rule, ...target]);
  }
}

async function closeFirewall() {
  for (const { table, rule, target } of RULES) {
    await tryRun(findProgram('iptables'), ['-w', '-t', table, '-D', ...rule, ...target]);
  }
}

/**
 * Ends the second stack's daemons and removes its bridges and rules. Does nothing when it does not run. What its
 * daemons left in the run folder stays: containers' mounts may be among it.
 */
export async function stopSecondStack() {
  const files = Object.entries(PID_FILES).filter(([, file]) => existsSync(file));
  if (files.length === 0) return;
  for (const [name, file] of files) {
    const pid = readPid(file);
    if (pid !== undefined && isProgram(pid, name)) await stopDaemon(pid);
  }
  await closeFirewall();
  await removeBridges();
  for (const file of [...files.map(([, name]) => name), SOCKET]) rmSync(file, { force: true });
}

/** Removes every bridge with an address of the pool: our own, and those of networks that a test left behind. */
async function removeBridges() {
  const prefix = POOL.split('.').slice(0, 2).join('.');
  const { stdout } = await tryRun(findProgram('ip'), ['-o', '-4', 'address', 'show']);
  for (const match of stdout.matchAll(/^\d+: (\S+)\s+inet (\S+)/gm)) {
    if (match[2].startsWith(`${prefix}.`))
      await tryRun(findProgram('ip'), ['link', 'delete', match[1], 'type', 'bridge']);
  }
}

/**
 * The newer engine again, with Compose 5, built from the Go module proxy where there is Go (80 s, once).
 *
 * @param {{ log?: (line: string) => void }} [options]
 * @returns {Promise<Stack | string>} a string is the reason why this machine cannot have it
 */
export async function ensureCompose5({ log = () => {} } = {}) {
  const folder = join(cacheFolder('stacks'), `compose-${COMPOSE_5}`);
  if (!existsSync(folder)) {
    if (!findProgram('go')) return `Compose 5 is built from source, and there is no \`go\` on this machine`;
    try {
      await withLock('compose-5', () => build(folder, log), { log });
    } catch (error) {
      return `Compose 5 could not be built: ${error.message}`;
    }
  }
  const stack = await ensureSecondStack({ log });
  const config = linkPlugins(cacheFolder('stacks', 'compose-5-config'), folder);
  linkPlugins(config, join(folders().packages, 'usr/libexec/docker/cli-plugins'), ['docker-buildx']);
  return describe({ ...stack.env, DOCKER_CONFIG: config });
}

/**
 * Builds the plugin. As a tool of a scratch module, because `go install` refuses modules with `replace` or `exclude`
 * lines; with the Go that is here, because fetching another toolchain would be a surprise.
 */
async function build(folder, log) {
  if (existsSync(folder)) return;
  log(`building Compose ${COMPOSE_5} (about a minute and a half)`);
  const half = `${folder}.part`;
  rmSync(half, { recursive: true, force: true });
  mkdirSync(half, { recursive: true });
  const options = { cwd: half, env: { GOTOOLCHAIN: 'local', GOFLAGS: '-mod=mod' }, timeoutMs: 900_000 };
  const module = 'github.com/docker/compose/v5';
  await run('go', ['mod', 'init', 'scratch'], options);
  await run('go', ['get', '-tool', `${module}/cmd@${COMPOSE_5}`], options);
  const flags = `-s -w -X ${module}/internal.Version=${COMPOSE_5}`;
  await run('go', ['build', '-trimpath', '-ldflags', flags, '-o', 'docker-compose', `${module}/cmd`], options);
  renameSync(half, folder);
}
