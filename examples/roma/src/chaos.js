/**
 * Misbehaviour on purpose, for tests and demonstrations; off unless asked for.
 *
 * Modes, several joined by commas (`slow-boot:3s,error-lines`):
 *
 *   exit-at-once         ends with code 1 instead of starting
 *   slow-boot:3s         waits that long before it listens
 *   never-healthy        /health answers 503 from the start
 *   unhealthy-after:5s   /health answers 503 from then on
 *   crash-after:5s       ends with code 1 then
 *   freeze-after:5s      stops answering anything then, signals included
 *   leak:50MB/s          takes so much more memory every second
 *   error-lines:5/s      writes lines with the word ERROR
 *   fail-requests:50%    answers that share of requests with 500
 *   slow-requests:300ms  delays every answer
 *   ignore-sigterm       does not stop when told to
 *
 * Times count from the moment it listens. The part after the colon may be
 * left out: the values above are the defaults.
 */

/** The modes built into this release. One commit that changes this line is a broken release. */
export const RELEASE_CHAOS = '';

const MODES = {
  'exit-at-once': [],
  'slow-boot': [duration, '3s'],
  'never-healthy': [],
  'unhealthy-after': [duration, '5s'],
  'crash-after': [duration, '5s'],
  'freeze-after': [duration, '5s'],
  leak: [sizePerSecond, '50MB/s'],
  'error-lines': [perSecond, '5/s'],
  'fail-requests': [percent, '50%'],
  'slow-requests': [duration, '300ms'],
  'ignore-sigterm': [],
};

/**
 * Modes by name, values as milliseconds, bytes, lines or a share of 1.
 * @throws on a mode that is not in the list, or a value it cannot have
 */
export function parseChaos(text) {
  const modes = new Map();
  for (const part of text
    .split(',')
    .map((item) => item.trim())
    .filter(Boolean)) {
    const [name, value] = part.split(/:(.*)/s);
    if (!Object.hasOwn(MODES, name)) {
      throw new Error(`chaos: "${name}" is none of ${Object.keys(MODES).join(', ')}`);
    }
    const [read, standard] = MODES[name];
    if (!read && value !== undefined) throw new Error(`chaos: ${name} takes no value`);
    modes.set(name, read ? read(value ?? standard) : true);
  }
  return modes;
}

/**
 * The hooks a service calls so that it can misbehave.
 * @param {string} text see above; empty for none
 * @param {(line: string) => void} log
 */
export function createChaos(text, log) {
  const modes = parseChaos(text);
  const after = (mode, effect) => {
    if (modes.has(mode)) setTimeout(effect, modes.get(mode));
  };
  const exit = () => {
    log('chaos: ending with code 1');
    process.exit(1);
  };
  let healthy = !modes.has('never-healthy');

  return {
    ignoresSigterm: modes.has('ignore-sigterm'),
    healthy: () => healthy,

    /** Before the service listens. */
    async beforeListening() {
      if (modes.size > 0) log(`chaos: ${text}`);
      if (modes.has('exit-at-once')) exit();
      if (modes.has('slow-boot')) await sleep(modes.get('slow-boot'));
    },

    /** Once the service listens. */
    start() {
      after('unhealthy-after', () => (healthy = false));
      after('crash-after', exit);
      after('freeze-after', freeze);
      if (modes.has('leak')) leak(modes.get('leak'));
      if (modes.has('error-lines')) writeErrorLines(modes.get('error-lines'), log);
    },

    /** Before a request is answered: whether it may be answered well. */
    async allowsRequest() {
      if (modes.has('slow-requests')) await sleep(modes.get('slow-requests'));
      return Math.random() >= (modes.get('fail-requests') ?? 0);
    },
  };
}

/** Holds the only thread for ever, without using the processor. */
function freeze() {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

const leaked = [];

function leak(bytesPerSecond) {
  // Filled, because memory that was never written to is not counted.
  setInterval(() => leaked.push(Buffer.alloc(Math.ceil(bytesPerSecond / 10), 1)), 100);
}

function writeErrorLines(linesPerSecond, log) {
  const started = Date.now();
  let written = 0;
  setInterval(() => {
    const due = ((Date.now() - started) / 1000) * linesPerSecond;
    while (written < due) log(`ERROR ${++written}: this release is broken on purpose`);
  }, 100);
}

function sleep(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function duration(text) {
  return measure(text, /^(\d+(?:\.\d+)?)(ms|s|m)$/, { ms: 1, s: 1000, m: 60_000 });
}

function sizePerSecond(text) {
  return measure(text, /^(\d+(?:\.\d+)?)(KB|MB|GB)\/s$/, { KB: 1e3, MB: 1e6, GB: 1e9 });
}

function perSecond(text) {
  return measure(text, /^(\d+(?:\.\d+)?)(\/s)$/, { '/s': 1 });
}

function percent(text) {
  return measure(text, /^(\d+(?:\.\d+)?)(%)$/, { '%': 0.01 });
}

function measure(text, pattern, units) {
  const match = pattern.exec(text);
  if (!match) throw new Error(`chaos: cannot read the value "${text}"`);
  return Number(match[1]) * units[match[2]];
}
