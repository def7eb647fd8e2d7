/** The demo from its first word to its last broom. */
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram, run } from '../lib/command.mjs';
import { ensureDependencies } from '../lib/dependencies.mjs';
import { ensureEngine } from '../lib/engine.mjs';
import { projectRoot } from '../lib/files.mjs';
import { ensureBaseImage } from '../lib/images.mjs';
import { BUNDLE } from './shell-door.mjs';
import { createShow, seconds } from './show.mjs';
import { makeStage, newName } from './stage.mjs';
import { tell } from './story.mjs';
import { sweep } from './sweep.mjs';

const USAGE = `npm run demo [-- OPTION…]

  --verbose       show every line of every run
  --keep          leave the service and its files there at the end, to look around
  --remove NAME   remove what an earlier demo left (its name begins with rr-demo-)
  --help          this text`;

const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 };

/**
 * @param {string[]} args
 * @returns {Promise<number>} exit code: 0 when every step ended as it should, 128 + n after a signal, else 1
 */
export async function main(args) {
  const show = createShow();
  const options = readArguments(args);
  if (typeof options === 'string') {
    show.say(options);
    return options === USAGE ? 0 : 2;
  }
  const interruption = listen(show);
  try {
    if (options.remove !== undefined) return await removeEarlier(options.remove, show);
    return await play(options, show, interruption);
  } catch (error) {
    show.wrong(error.message);
    return 1;
  } finally {
    interruption.dispose();
  }
}

async function play({ verbose, keep }, show, interruption) {
  const began = performance.now();
  const name = newName();
  let stage;
  let failure;
  try {
    introduce(show, name);
    const ready = await prepare(show, interruption.signal);
    const told = performance.now();
    stage = await makeStage({ name, baseImage: ready.baseImage });
    await tell({ stage, show, signal: interruption.signal, verbose });
    show.say(`\nThat was the demo: every step ended as it should, in ${seconds(performance.now() - told)}.`);
  } catch (error) {
    failure = error;
    if (interruption.exitCode() === undefined) show.wrong(`the demo failed: ${error.message}`);
  }
  // Before there is a stage, nothing of the demo is anywhere.
  if (stage === undefined) return interruption.exitCode() ?? 1;
  const left = keep && failure === undefined ? keepEverything(show, stage) : await cleanUp(show, stage);
  if (!left) return 1;
  if (interruption.exitCode() !== undefined) return interruption.exitCode();
  if (failure !== undefined) return 1;
  show.say(`\nIt took ${seconds(performance.now() - began)} in all. Next: README.md, "Quick start".`);
  return 0;
}

function introduce(show, name) {
  show.heading('Rolling Restart');
  show.say(
    [
      'This demo deploys a small web service on the Docker engine of this machine, updates it, breaks it, and shows',
      'how it comes back. Everything of it has a name of its own and is removed at the end, also after Ctrl-C:',
      '',
      `  compose project   ${name}: a container, a network, volumes, images`,
      `  folder            ${join(tmpdir(), `${name}-…`)}`,
      '  port              a free one between 20000 and 30000',
      '',
      'It needs Node, git and a Docker engine. Without an engine it installs and starts the one of the distribution',
      '(Debian or Ubuntu, as root), which stays afterwards. npm packages are not needed: dist/ is committed.',
    ].join('\n'),
  );
}

/** What has to be there before the first step. */
async function prepare(show, signal) {
  show.heading('Getting ready');
  const log = (line) => show.note(line);
  if (!findProgram('git')) throw new Error('there is no `git` command: install git');
  if (!existsSync(BUNDLE)) {
    log('dist/ is not there: building it');
    await ensureDependencies({ log });
    await run(process.execPath, [join(projectRoot, 'scripts', 'build.mjs')], { timeoutMs: 300_000 });
  }
  const engine = await ensureEngine({ log });
  signal.throwIfAborted();
  Object.assign(process.env, engine.env);
  show.seen(`Docker engine ${engine.version} at ${engine.endpoint}, Compose ${engine.compose}`);
  if (/^(tcp|ssh|https?):/.test(engine.endpoint)) {
    throw new Error('the engine is on another machine, and the demo asks its service at 127.0.0.1: use a local engine');
  }
  const baseImage = await ensureBaseImage({ env: engine.env, log });
  signal.throwIfAborted();
  show.seen(`base image ${baseImage} (it stays for the next time)`);
  return { baseImage };
}

/** @returns {Promise<boolean>} whether nothing of the demo is left */
async function cleanUp(show, stage) {
  show.heading('Cleaning up');
  try {
    const removed = await sweep(stage.name);
    stage.removeFiles();
    show.seen(`removed ${[...removed, 'the folder'].join(', ')}`);
    return true;
  } catch (error) {
    show.wrong(`${error.message}\n    npm run demo -- --remove ${stage.name}`);
    return false;
  }
}

function keepEverything(show, stage) {
  show.heading('Kept');
  show.say(
    `  ${stage.url}   answers\n  ${stage.live}   is the live checkout\n\nRemove it with: npm run demo -- --remove ${stage.name}`,
  );
  return true;
}

async function removeEarlier(name, show) {
  const removed = await sweep(name);
  for (const folder of readdirSync(tmpdir()).filter((entry) => entry.startsWith(`${name}-`))) {
    rmSync(join(tmpdir(), folder), { recursive: true, force: true });
    removed.push(join(tmpdir(), folder));
  }
  show.say(removed.length === 0 ? `nothing is left of ${name}` : `removed ${removed.join(', ')}`);
  return 0;
}

/** @returns the options, or what to say instead of a demo */
function readArguments(args) {
  const options = { verbose: false, keep: false, remove: undefined };
  for (let index = 0; index < args.length; index += 1) {
    if (args[index] === '--verbose') options.verbose = true;
    else if (args[index] === '--keep') options.keep = true;
    else if (args[index] === '--remove' && args[index + 1] !== undefined) options.remove = args[(index += 1)];
    else if (args[index] === '--help') return USAGE;
    else return `unknown option ${args[index]}\n\n${USAGE}`;
  }
  return options;
}

/** Ends the demo early, and cleanly: on a signal, and when nobody reads any more. */
function listen(show) {
  const controller = new AbortController();
  let exitCode;
  const stop = (signal) => {
    if (exitCode !== undefined) return;
    exitCode = SIGNALS[signal];
    show.say(`\n${signal}: ending the run that is under way, then cleaning up.`);
    controller.abort(new Error(signal));
  };
  const onOutputError = () => {
    show.mute();
    stop('SIGHUP');
  };
  for (const signal of Object.keys(SIGNALS)) process.on(signal, stop);
  process.stdout.on('error', onOutputError);
  return {
    signal: controller.signal,
    exitCode: () => exitCode,
    dispose() {
      for (const signal of Object.keys(SIGNALS)) process.removeListener(signal, stop);
    },
  };
}
