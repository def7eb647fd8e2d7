/** Where the demo plays: a git origin, a person who commits to it, and the live checkout of a host. */
import { randomBytes, randomInt } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { run } from '../lib/command.mjs';
import { projectRoot } from '../lib/files.mjs';

const SAMPLE = join(projectRoot, 'examples', 'roma');
const GENERATED = new Set(['.env', '.roma', 'dist', 'node_modules']);

/** Neither the user's git configuration nor a workflow's or another project's variables play along. */
const NOT_OURS = /^(GIT_|GITHUB_|INPUT_|COMPOSE_(?!BAKE)|ROMA_|BASE_IMAGE$)/;
const GIT = {
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_NAME: 'Demo',
  GIT_AUTHOR_EMAIL: 'demo@example.invalid',
  GIT_COMMITTER_NAME: 'Demo',
  GIT_COMMITTER_EMAIL: 'demo@example.invalid',
};

/**
 * @typedef {object} Stage
 * @property {string} name compose project; nobody else's
 * @property {string} container name of the service's container
 * @property {string} root temporary folder that holds everything below
 * @property {string} live the checkout that runs
 * @property {string} evidence where runs keep what they captured, and their reports
 * @property {string} url of the service
 * @property {NodeJS.ProcessEnv} env for the runs
 * @property {(release: { version: string, chaos?: string, message: string }) => Promise<string>} push a release to
 *   the origin's main; resolves with its commit
 * @property {() => Promise<string>} liveCommit
 * @property {() => void} removeFiles
 */

/** A name that no container, image or folder of a user has. */
export const newName = () => `rr-demo-${randomBytes(4).toString('hex')}`;

/** @param {string} name */
export const rootPrefix = (name) => join(tmpdir(), `${name}-`);

/**
 * Copies the sample service into a git repository and clones that. What differs from the sample is committed, as
 * anybody would who uses it under another name; port and base image are in `.env`, as its README says.
 *
 * @param {{ name: string, baseImage: string }} options
 * @returns {Promise<Stage>}
 */
export async function makeStage({ name, baseImage }) {
  const root = mkdtempSync(rootPrefix(name));
  try {
    return await fill(root, { name, baseImage });
  } catch (error) {
    rmSync(root, { recursive: true, force: true });
    throw error;
  }
}

async function fill(root, { name, baseImage }) {
  const [origin, work, live] = ['origin.git', 'work', 'live'].map((part) => join(root, part));
  const inherited = Object.fromEntries(Object.entries(process.env).filter(([key]) => !NOT_OURS.test(key)));
  const env = { ...inherited, ...GIT, XDG_STATE_HOME: join(root, 'state') };
  const git = (cwd, ...args) => run('git', args, { cwd, env: GIT });
  const container = `${name}-roma-builder`;
  const port = await freePort();

  await git(root, 'init', '--quiet', '--bare', '--initial-branch=main', origin);
  await git(root, 'init', '--quiet', '--initial-branch=main', work);
  await git(work, 'remote', 'add', 'origin', origin);
  cpSync(SAMPLE, work, { recursive: true, filter: (source) => !GENERATED.has(basename(source)) });
  edit(join(work, 'docker-compose.yml'), [
    ['name: roma\n', `name: ${name}\n`],
    ['image: roma-builder:latest', `image: rolling-restart/${container}:latest`],
    ['container_name: roma-builder', `container_name: ${container}`],
    // Docker runs the first check after one interval: nobody wants to watch that for 30 s.
    ['interval: 30s', 'interval: 1s'],
  ]);

  const push = async ({ version, chaos = '', message }) => {
    edit(join(work, 'package.json'), [[/"version": ".*"/, `"version": "${version}"`]]);
    edit(join(work, 'src', 'chaos.js'), [[/RELEASE_CHAOS = '.*'/, `RELEASE_CHAOS = '${chaos}'`]]);
    await git(work, 'add', '--all');
    await git(work, 'commit', '--quiet', '--message', message);
    await git(work, 'push', '--quiet', 'origin', 'main');
    return git(work, 'rev-parse', 'HEAD');
  };
  await push({ version: '1.0.0', message: 'ROMA 1.0.0' });
  await git(root, 'clone', '--quiet', origin, live);
  writeFileSync(join(live, '.env'), `ROMA_PORT=${port}\nBASE_IMAGE=${baseImage}\n`);

  return {
    name,
    container,
    root,
    live,
    evidence: join(root, 'state', 'rolling-restart', 'evidence'),
    url: `http://127.0.0.1:${port}`,
    env,
    push,
    liveCommit: () => git(live, 'rev-parse', 'HEAD'),
    removeFiles: () => rmSync(root, { recursive: true, force: true, maxRetries: 3 }),
  };
}

function edit(file, replacements) {
  let text = readFileSync(file, 'utf8');
  for (const [from, to] of replacements) {
    if (text.search(from) === -1) throw new Error(`${file} has no ${from}`);
    text = text.replace(from, () => to);
  }
  writeFileSync(file, text);
}

/** A port nobody listens on, below those the system gives to outgoing connections. */
async function freePort() {
  for (;;) {
    const port = randomInt(20_000, 30_000);
    const free = await new Promise((resolve) => {
      const server = createServer()
        .once('error', () => resolve(false))
        .listen(port, () => server.close(() => resolve(true)));
    });
    if (free) return port;
  }
}
