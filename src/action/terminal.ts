import type { Progress } from '../model/ports/progress.js';
import { formatDuration } from '../model/units.js';
import { plainLines } from './plain-lines.js';

/** Where a terminal's lines go. */
export interface TerminalStream {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

export interface TerminalOptions {
  readonly stream: TerminalStream;
  /** Hides secrets in every line. */
  readonly redact: (text: string) => string;
  readonly debug: boolean;
  /** For https://no-color.org: a non-empty NO_COLOR switches colours off. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

const COLOURS = { bold: 1, red: 31, green: 32, yellow: 33, grey: 90 } as const;

/** Progress for a person at a shell: groups as indentation, colours only where a person looks. */
export function createTerminal({ stream, redact, debug, environment = process.env }: TerminalOptions): Progress {
  const coloured = stream.isTTY === true && (environment['NO_COLOR'] ?? '') === '';
  let depth = 0;
  const paint = (colour: keyof typeof COLOURS, text: string): string =>
    coloured ? `\x1b[${COLOURS[colour]}m${text}\x1b[0m` : text;
  const say = (line: string, colour?: keyof typeof COLOURS): void => {
    for (const part of plainLines(redact(line))) {
      stream.write(`${'  '.repeat(depth)}${colour === undefined ? part : paint(colour, part)}\n`);
    }
  };
  return {
    async group(title, body) {
      const began = performance.now();
      say(title, 'bold');
      depth += 1;
      let passed = false;
      try {
        const value = await body();
        passed = true;
        return value;
      } finally {
        const took = formatDuration(performance.now() - began);
        say(passed ? `✔ ${took}` : `✖ after ${took}`, passed ? 'green' : 'red');
        depth -= 1;
      }
    },
    info: (line) => say(line),
    debug: (line) => {
      if (debug) say(line, 'grey');
    },
    warning: (line) => say(`⚠ ${line}`, 'yellow'),
    error: (line) => say(`✖ ${line}`, 'red'),
  };
}
