/** What a person watching sees: short headings, dimmed commands, one sign at the start of a line. */

const COLOURS = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 };

/** The first sign of a line of a run decides its colour. */
const SIGNS = [
  [/^\s*[✓✔]/, 'green'],
  [/^\s*[✗✖⊘↩‼■]/, 'red'],
  [/^\s*⚠/, 'yellow'],
  [/^\s*●/, 'cyan'],
];

/**
 * @param {{ stream?: NodeJS.WriteStream, environment?: NodeJS.ProcessEnv }} [options] colours only where a person
 *   looks, and never with NO_COLOR (https://no-color.org)
 */
export function createShow({ stream = process.stdout, environment = process.env } = {}) {
  const coloured = stream.isTTY === true && !environment.NO_COLOR;
  const paint = (colour, text) => (coloured ? `\x1b[${COLOURS[colour]}m${text}\x1b[0m` : text);
  let open = true;
  const write = (line = '') => {
    if (open) stream.write(`${line}\n`);
  };
  return {
    /** Says nothing more: whoever read it went away (`npm run demo | head`). */
    mute: () => (open = false),
    heading: (text) => write(`\n${paint('bold', `── ${text} ${'─'.repeat(Math.max(4, 76 - text.length))}`)}\n`),
    say: (text = '') => write(text),
    /** What is going on behind the scenes. */
    note: (text) => write(paint('dim', `  ${text}`)),
    command: (text) => write(`${paint('cyan', '  $')} ${paint('bold', text)}`),
    /** A line that a run printed. */
    output: (line) => {
      const [, colour] = SIGNS.find(([sign]) => sign.test(line)) ?? [undefined, 'dim'];
      write(`  ${paint('dim', '│')} ${paint(colour, line)}`);
    },
    /** Something that was looked up, not told: over HTTP or from `docker inspect`. */
    seen: (text) => write(`  ${paint('green', '✔')} ${text}`),
    wrong: (text) => write(`  ${paint('red', '✖')} ${text}`),
  };
}

/** @typedef {ReturnType<typeof createShow>} Show */

/** `0.8 s` */
export const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`;
