/**
 * A Docker engine for the tests and the demo: the one that is there, or one installed and started here.
 */
import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { candidateVersion, canInstall, install, installFrom, readDistribution } from './apt.mjs';
import { findProgram, run, tryRun } from './command.mjs';
import { cacheFolder, isAlive, readPid, waitFor, withLock } from './files.mjs';

/** The oldest engine and Compose that the project supports (README, "Requirements"). */
const OLDEST_ENGINE = 24;
const OLDEST_COMPOSE = [2, 24];

/** Our own pidfile. `dockerd` writes another one that belongs to whoever started it. */
const pidFile = () => join(cacheFolder('engine'), 'dockerd.pid');
const SOCKET = '/var/run/docker.sock';
const PLUGIN_FOLDERS = ['/usr/libexec/docker/cli-plugins', '/usr/lib/docker/cli-plugins'];

/**
 * @typedef {object} Engine
 * @property {string} endpoint what DOCKER_HOST would be to reach it
 * @property {string} version of the engine, like `26.1.5`
 * @property {string} compose version of the Compose plugin
 * @property {string | undefined} buildx version of the buildx plugin
 * @property {boolean} startedByUs whether `stopEngine` would stop it
 * @property {Record<string, string>} env what has to be added to the environment to use it (often nothing)
 */

/**
 * The engine that answers, or one installed and started now (Debian or Ubuntu, as root).
 * A second call, or a call by another script at the same time, finds the same one.
 *
 * @param {{ log?: (line: string) => void }} [options]
 * @returns {Promise<Engine>}
 * @throws {Error} with the reason and what to do
 */
export async function ensureEngine({ log = () => {} } = {}) {
  const found = await probe();
  if (found.engine) return found.engine;
  return withLock('engine', () => provide(log), { log });
}

/** Installs and starts what is missing. Runs under the lock. */
async function provide(log) {
  let state = await probe();
  if (state.engine) return state.engine;
  if (process.env.DOCKER_HOST && !state.server) {
    throw new Error(
      `no Docker engine answers at DOCKER_HOST=${process.env.DOCKER_HOST}: ${state.reason}\n` +
        'Start it, or unset DOCKER_HOST to have one set up on this machine.',
    );
  }
  if (!state.server && !findProgram('dockerd')) {
    demandInstallable(state.reason);
    log('no Docker engine on this machine: installing one from the distribution (about half a minute)');
    await installEngine();
  } else if (!state.compose) {
    demandInstallable(state.reason);
    log('no Docker Compose plugin on this machine: installing it from the distribution');
    await installEngine();
  }
  state = await probe();
  if (!state.server) {
    await start(log);
    state = await probe();
  }
  if (state.engine) return state.engine;
  throw new Error(`the Docker engine on this machine cannot be used: ${state.reason}`);
}

/** @throws {Error} unless packages can be installed here */
function demandInstallable(reason) {
  if (canInstall() && ['debian', 'ubuntu'].includes(readDistribution().id)) return;
  throw new Error(
    `no usable Docker engine: ${reason}\n` +
      `Install Docker Engine ${OLDEST_ENGINE} or newer with Compose ${OLDEST_COMPOSE.join('.')} or newer and start it. ` +
      '(On Debian or Ubuntu this is done for you when run as root.)',
  );
}

/**
 * What there is: an engine that can be used, or the reason why not.
 *
 * @returns {Promise<{ engine?: Engine, server?: string, compose?: string, reason?: string }>}
 */
async function probe() {
  if (!findProgram('docker')) return { reason: 'there is no `docker` command' };
  const server = await tryRun('docker', ['version', '--format', '{{.Server.Version}}'], { timeoutMs: 10_000 });
  const version = server.code === 0 ? server.stdout.trim() : undefined;
  const { compose, buildx, env } = await findPlugins();
  if (!version) {
    const said = server.stderr.trim().split('\n').pop();
    return { compose, reason: server.timedOut ? 'the engine does not answer within 10 s' : said || 'no answer' };
  }
  if (Number.parseInt(version, 10) < OLDEST_ENGINE) {
    return { server: version, compose, reason: `engine ${version} is older than ${OLDEST_ENGINE}` };
  }
  if (!compose) return { server: version, reason: '`docker compose version` fails: there is no Compose plugin' };
  const [major, minor] = compose.split('.').map(Number);
  if (major < OLDEST_COMPOSE[0] || (major === OLDEST_COMPOSE[0] && minor < OLDEST_COMPOSE[1])) {
    return { server: version, reason: `Compose ${compose} is older than ${OLDEST_COMPOSE.join('.')}` };
  }
  return {
    server: version,
    compose,
    engine: { endpoint: await findEndpoint(), version, compose, buildx, startedByUs: ownPid() !== undefined, env },
  };
}

/** Where the client finds the engine: DOCKER_HOST, else its current context. */
async function findEndpoint() {
  if (process.env.DOCKER_HOST) return process.env.DOCKER_HOST;
  const { stdout } = await tryRun('docker', ['context', 'inspect', '--format', '{{.Endpoints.docker.Host}}']);
  return stdout.trim() || `unix://${SOCKET}`;
}

/**
 * Versions of the Compose and buildx plugins. A client built elsewhere may not look where the distribution puts
 * its plugins; then it gets a configuration folder with links to them, and the user's own stays as it is.
 */
async function findPlugins() {
  const ask = async (plugin, env) => {
    const { code, stdout } = await tryRun('docker', [plugin, 'version', ...(plugin === 'compose' ? ['--short'] : [])], {
      env,
      timeoutMs: 10_000,
    });
    return code === 0 ? /v?(\d+\.\d+\.\d+)/.exec(stdout)?.[1] : undefined;
  };
  const compose = await ask('compose');
  if (compose) return { compose, buildx: await ask('buildx'), env: {} };
  const folder = PLUGIN_FOLDERS.find((candidate) => existsSync(join(candidate, 'docker-compose')));
  if (!folder) return { env: {} };
  const env = { DOCKER_CONFIG: linkPlugins(cacheFolder('engine', 'docker-config'), folder) };
  return { compose: await ask('compose', env), buildx: await ask('buildx', env), env };
}

/**
 * Makes a client configuration folder whose plugins are those of another folder and whose settings (credentials,
 * proxies) are the user's.
 *
 * @param {string} config
 * @param {string} pluginFolder
 * @param {string[]} [plugins]
 * @returns {string} `config`
 */
export function linkPlugins(config, pluginFolder, plugins = ['docker-compose', 'docker-buildx']) {
  mkdirSync(join(config, 'cli-plugins'), { recursive: true });
  const link = (target, path) => {
    if (!existsSync(target)) return;
    rmSync(path, { force: true });
    symlinkSync(target, path);
  };
  for (const name of plugins) {
    link(join(pluginFolder, name), join(config, 'cli-plugins', name));
  }
  const own = join(process.env.DOCKER_CONFIG ?? join(homedir(), '.docker'), 'config.json');
  if (own !== join(config, 'config.json')) link(own, join(config, 'config.json'));
  return config;
}

/** Installs engine, client, Compose and buildx from the newest place that fits this distribution. */
async function installEngine() {
  const { id } = readDistribution();
  // With AppArmor in the kernel the engine needs its parser, which is only a recommendation of the package.
  const appArmor = existsSync('/sys/kernel/security/apparmor') && !findProgram('apparmor_parser') ? ['apparmor'] : [];
  await run('apt-get', ['-q', 'update'], { timeoutMs: 180_000 });
  const candidate = await candidateVersion('docker.io');
  if (candidate && Number.parseInt(candidate, 10) >= OLDEST_ENGINE) {
    const packages =
      id === 'ubuntu'
        ? ['docker.io', 'docker-compose-v2', 'docker-buildx']
        : ['docker.io', 'docker-cli', 'docker-compose', 'docker-buildx'];
    await install([...packages, 'iptables', ...appArmor]);
    return;
  }
  if (id !== 'debian') {
    throw new Error(
      `this distribution's docker.io (${candidate ?? 'none'}) is older than ${OLDEST_ENGINE}: ` +
        'install a newer Docker Engine and start it.',
    );
  }
  // Debian 12 has engine 20.10 and no Compose v2. Debian 13's run on it with Debian 12's own runc; Debian 13's runc
  // asks for a newer libc and would make the whole resolution fail, so it stays out of the list.
  await install(['iptables', 'runc', ...appArmor]);
  await installFrom('trixie', ['docker.io', 'docker-cli', 'containerd', 'docker-compose', 'docker-buildx']);
}

/** Starts the installed engine and waits until it answers. */
async function start(log) {
  const answers = () => waitForEngine({});
  if (existsSync('/run/systemd/system')) {
    log('starting the Docker engine: systemctl start docker');
    await run('systemctl', ['start', 'docker']);
    if (await answers()) return;
    throw new Error('`systemctl start docker` ended well, but no engine answers. See `journalctl -u docker`.');
  }
  if (process.getuid?.() !== 0) {
    throw new Error('the Docker engine is installed but does not run, and starting it needs root.');
  }
  // Installing the package may have started it through an init script that is still busy.
  const other = readPid('/var/run/docker.pid');
  if (other !== undefined && isProgram(other, 'dockerd')) {
    if (await answers()) return;
    throw new Error(`a Docker engine (process ${other}) runs but does not answer at ${SOCKET}.`);
  }
  const logFile = join(existsSync('/var/log') ? '/var/log' : tmpdir(), 'rolling-restart-dockerd.log');
  log(`starting the Docker engine (log: ${logFile})`);
  const child = startDaemon(findProgram('dockerd'), [], { logFile });
  writeFileSync(pidFile(), `${child.pid}\n`);
  if (await waitForEngine({}, child)) return;
  throw new Error(`dockerd did not come up. The end of ${logFile}:\n${tail(logFile)}`);
}

/**
 * Waits until an engine answers.
 *
 * @param {Record<string, string>} env which engine: DOCKER_HOST, or nothing for the default one
 * @param {{ hasEnded: () => boolean }} [daemon] stop waiting when this one dies
 * @returns {Promise<string | undefined>} its version; undefined when it does not answer within a minute
 */
export async function waitForEngine(env, daemon) {
  const answer = await waitFor(
    async () => {
      const { code, stdout } = await tryRun('docker', ['version', '--format', '{{.Server.Version}}'], { env });
      if (code === 0) return stdout.trim();
      return daemon?.hasEnded() ? '' : undefined;
    },
    { timeoutMs: 60_000, everyMs: 200 },
  );
  return answer || undefined;
}

/**
 * Starts a daemon in a session of its own, so that it outlives this script.
 *
 * @param {string} file
 * @param {string[]} args
 * @param {{ logFile: string, env?: NodeJS.ProcessEnv }} options
 * @returns {{ pid: number, hasEnded: () => boolean }}
 */
export function startDaemon(file, args, { logFile, env }) {
  const output = openSync(logFile, 'a');
  const path = `${env?.PATH ?? process.env.PATH}:/usr/sbin:/sbin`;
  const child = spawn(file, args, {
    cwd: '/',
    detached: true,
    stdio: ['ignore', output, output],
    env: { ...process.env, ...env, PATH: path },
  });
  closeSync(output);
  let ended = false;
  child.on('exit', () => (ended = true));
  child.on('error', () => (ended = true));
  child.unref();
  return { pid: child.pid, hasEnded: () => ended };
}

/** The last lines of a file. */
export function tail(file, lines = 15) {
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').slice(-lines).join('\n') : '(no log)';
}

/** Whether a process still is this program: its id may have been given to another one since. */
export function isProgram(pid, name) {
  try {
    return basename(readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')[0]) === name;
  } catch {
    return false;
  }
}

/** The process id of the engine that we started and that still runs. */
function ownPid() {
  const pid = readPid(pidFile());
  return pid !== undefined && isProgram(pid, 'dockerd') ? pid : undefined;
}

/**
 * Stops the engine if, and only if, it was started here.
 *
 * @returns {Promise<boolean>} whether one was stopped
 */
export async function stopEngine() {
  const pid = ownPid();
  if (pid === undefined) return false;
  await stopDaemon(pid);
  rmSync(pidFile(), { force: true });
  return true;
}

/**
 * Ends a daemon and waits for it: first politely, after 20 s by force.
 *
 * @param {number} pid
 */
export async function stopDaemon(pid) {
  const gone = () => waitFor(async () => (isAlive(pid) ? undefined : true), { timeoutMs: 20_000 });
  if (!isAlive(pid)) return;
  process.kill(pid, 'SIGTERM');
  if (await gone()) return;
  process.kill(pid, 'SIGKILL');
  await gone();
}
