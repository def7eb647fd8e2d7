/** What the demo shows, and how each part of it is checked: over HTTP and with `docker inspect`, not by our own words. */
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../lib/command.mjs';
import { rollingRestart } from './shell-door.mjs';
import { askVersion, describeTraffic, startTraffic } from './traffic.mjs';

/** Of every run: gates and preparation. A viewer wants what changes. */
const PREPARATION = [/^Gates/, /^Health before/, /^Build and pull/, /^What to go back to/];
/** Of most runs as well: what was shown once. */
const PLAN = [/^Plan of/];
const NUMBERS = [/^Services/, /^Targets/, /^Evidence/, /^Warning signs/];
const ADVICE = [/^What to do next/];

/** A file of its volume. */
const NOTE = '/app/.roma/note';
/** How the emergency, the backup and the restore end. */
const LAST = ['deployed', 'completed', 'deployed'];

const SMOKE_TEST = ['--smoke-test', 'node bin/onthisday.js'];

/**
 * @param {object} scene
 * @param {import('./stage.mjs').Stage} scene.stage
 * @param {import('./show.mjs').Show} scene.show
 * @param {AbortSignal} scene.signal
 * @param {boolean} scene.verbose
 * @throws {Error} when a step does not end as it should
 */
export async function tell({ stage, show, signal, verbose }) {
  const restart = async (procedure, args, { hide = [], ends = 0, traffic = true } = {}) => {
    const users = traffic ? startTraffic(stage.url) : undefined;
    const all = [procedure, '--service', 'roma', ...args];
    let result;
    let answers;
    try {
      const hidden = verbose ? [] : [...PREPARATION, ...hide];
      result = await rollingRestart(all, { cwd: stage.live, env: stage.env, signal, show, hide: hidden });
    } finally {
      answers = await users?.stop();
    }
    signal.throwIfAborted();
    if (result.exitCode !== ends) {
      show.say(`\nThe whole log of it:\n${result.log}`);
      throw new Error(`${procedure} ended with exit code ${result.exitCode}, and ${ends} was expected`);
    }
    show.say();
    show.seen(`exit code ${result.exitCode}: ${ends === 0 ? 'a green job' : 'a red job'}`);
    if (answers !== undefined) show.seen(`a user meanwhile: ${describeTraffic(answers)}`);
    return result;
  };
  const look = async (version) => {
    const seen = { version: await askVersion(stage.url), ...(await inspect(stage.container)) };
    if (seen.version !== version)
      throw new Error(`version ${version} was to answer, and ${seen.version ?? 'nothing'} does`);
    if (!seen.running) throw new Error(`${stage.container} does not run`);
    show.seen(`GET ${stage.url}/version: ${seen.version}`);
    show.seen(
      `docker inspect ${stage.container}: container ${seen.container.slice(0, 12)}, image ${shortId(seen.image)}`,
    );
    return seen;
  };

  show.heading('1 · Deploy version 1');
  show.say('A git origin holds the sample service, and a live checkout of it is on this host.\n');
  await restart('code-update', [...SMOKE_TEST, '--watch', '2s'], {
    hide: [...PLAN, ...NUMBERS, ...ADVICE],
    traffic: false,
  });
  const first = await look('1.0.0');

  show.heading('2 · Update to version 2');
  const second = await stage.push({ version: '2.0.0', message: 'ROMA 2.0.0' });
  show.say(
    `Somebody pushed ${second.slice(0, 12)} "ROMA 2.0.0" to main. Before: ${await askVersion(stage.url)} answers.`,
  );
  show.say('Look at: the plan, made before anything is touched, with the way back of every operation.\n');
  const version = ['--version-command', 'pnpm roma --version', '--expected-version', '2.0.0'];
  await restart('code-update', [...SMOKE_TEST, ...version, '--watch', '3s'], {
    hide: [/^What to do next/, /^Evidence/],
  });
  const updated = await look('2.0.0');
  must(updated.container !== first.container, 'the container was to be replaced, and is the same');
  must(updated.image !== first.image, 'the image was to change, and is the same');
  must((await stage.liveCommit()) === second, 'the live checkout was to move to the new commit');

  show.heading('3 · A broken version 3');
  await stage.push({ version: '3.0.0', chaos: 'crash-after:3s', message: 'ROMA 3.0.0, which crashes' });
  show.say('It starts, gets healthy, passes the smoke test, and crashes three seconds later.');
  show.say('Look at: what sees it, what comes back, and that the job is red all the same.\n');
  await restart('code-update', [...SMOKE_TEST, '--watch', '10s'], { hide: [...PLAN, ...NUMBERS], ends: 1 });
  const rolledBack = await look('2.0.0');
  must(rolledBack.image === updated.image, 'the image of version 2 was to come back, and another one runs');
  must((await stage.liveCommit()) === second, 'the live checkout was to go back to the commit of version 2');
  show.say('\nmain still holds version 3. The next run must not bring it back:\n');
  await restart('code-update', ['--watch', '2s'], { hide: [...PLAN, ...NUMBERS, /^Fetch/], ends: 1 });
  const refused = await look('2.0.0');
  must(refused.container === rolledBack.container, 'the container was not to be touched');

  show.heading('4 · Look without touching');
  show.say('Look at: the releases that are kept, each with its image, ready to go back to.\n');
  await restart('check', [], {
    hide: [/^disk:/, /^new in /, /^code-update/],
    traffic: false,
  });
  const checked = await look('2.0.0');
  must(checked.container === rolledBack.container, 'check was to change nothing');

  show.heading('5 · Back to version 1 by hand');
  show.say('Image and configuration together, from what is kept on the engine: nothing is built, nothing pulled.\n');
  const back = await restart('rollback', ['--rollback-to', 'previous', ...SMOKE_TEST, '--watch', '2s'], {
    hide: [...PLAN, ...NUMBERS, ...ADVICE],
  });
  must(!/^\s*│ #\d/m.test(back.log), 'the rollback was not to build anything');
  const last = await look('1.0.0');
  must(last.image === first.image, 'the very image of version 1 was to come back, and another one runs');
  show.seen('the same image as at the start of the demo');

  show.heading('6 · An emergency: the service is frozen');
  await run('docker', ['kill', '--signal', 'STOP', stage.container]);
  show.say('Its process was stopped with SIGSTOP: it runs, says Docker, and answers nobody.');
  must((await askVersion(stage.url)) === undefined, 'a frozen service was not to answer');
  show.say('Look at: what is captured before it is killed, and the likeliest cause.\n');
  await restart('emergency', [...SMOKE_TEST, '--watch', '2s', '--reason', 'frozen in the demo'], {
    hide: [...PLAN, ...NUMBERS, ...ADVICE],
    traffic: false,
  });
  const thawed = await look('1.0.0');
  must(thawed.container !== last.container, 'the frozen container was to be replaced, and is the same');

  show.heading('7 · Data that was spoilt comes back');
  const inside = async (script) =>
    (await run('docker', ['exec', '--user', '0', stage.container, 'sh', '-c', script])).trim();
  await inside(`echo precious > ${NOTE}`);
  await restart('backup', [], { hide: [...PLAN, ...NUMBERS, ...ADVICE], traffic: false });
  await inside(`echo spoilt > ${NOTE}`);
  show.say(`\nSomebody overwrote a file in its volume: it holds "${await inside(`cat ${NOTE}`)}" now.\n`);
  await restart('restore', ['--backup', 'latest', ...SMOKE_TEST, '--watch', '2s'], {
    hide: [...PLAN, ...NUMBERS, ...ADVICE],
    traffic: false,
  });
  await look('1.0.0');
  const note = await inside(`cat ${NOTE}`);
  must(note === 'precious', `the data of the backup was to be back, and the file holds "${note}"`);
  show.seen(`the file in the volume holds "${note}" again`);

  show.heading('8 · What is left to read');
  const runs = readRuns(stage.evidence);
  show.say('Every run kept a report, and what it captured before and after, secrets hidden:\n');
  for (const { folder, report, files } of runs) {
    show.say(`  ${report.procedure.padEnd(12)} ${report.outcome.padEnd(12)} ${folder}`);
    if (report.outcome === 'rolled-back') for (const file of files) show.note(`             ${file}`);
  }
  const outcomes = runs.map(({ report }) => report.outcome);
  const expected = ['deployed', 'deployed', 'rolled-back', 'refused', 'completed', 'deployed', ...LAST];
  must(
    outcomes.join() === expected.join(),
    `the reports were to say ${expected.join(', ')}; they say ${outcomes.join(', ')}`,
  );
}

/** What the engine says about a container. */
async function inspect(name) {
  const text = await run('docker', ['inspect', '--type', 'container', name]);
  const [{ Id, Image, State }] = JSON.parse(text);
  return { container: Id, image: Image, running: State.Running && !State.Restarting };
}

const shortId = (id) => id.replace(/^sha256:/, '').slice(0, 12);

/** @returns {asserts condition} */
function must(condition, otherwise) {
  if (!condition) throw new Error(otherwise);
}

/** The runs in the order they began: their names begin with the time. */
function readRuns(folder) {
  return readdirSync(folder)
    .sort()
    .map((name) => {
      const path = join(folder, name);
      const report = JSON.parse(readFileSync(join(path, 'report.json'), 'utf8'));
      const files = readdirSync(path)
        .sort()
        .map((file) => `${file} (${statSync(join(path, file)).size} bytes)`);
      return { folder: path, report, files };
    });
}
