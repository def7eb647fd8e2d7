import { unseen, type Progress } from '../model/ports/progress.js';
import { formatDuration } from '../model/units.js';
import { LiveLine } from './live-line.js';
import { plainLines } from './plain-lines.js';

/** Where a terminal's lines go. */
export interface TerminalStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

export interface TerminalOptions {
  readonly stream: TerminalStream;
  /** Hides secrets in every line. */
  readonly redact: (text: string) => string;
  readonly debug: boolean;
  /** Whether what goes on is shown in a line that is rewritten; on a terminal alone, and not on one that cannot. */
  readonly live?: boolean;
  /** For https://no-color.org: a non-empty NO_COLOR switches colours off. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

const COLOURS = { bold: 1, red: 31, green: 32, yellow: 33, grey: 90 } as const;

/** What has a line that is rewritten has to be told when it is over. */
export interface Terminal extends Progress {
  /** Takes that line away; also when the process ends in the middle of something. */
  close(): void;
}

/** Progress for a person at a shell: groups as indentation, colours only where a person looks. */
export function createTerminal(options: TerminalOptions): Terminal {
  const { stream, redact, debug, live = false, environment = process.env } = options;
  const coloured = stream.isTTY === true && (environment['NO_COLOR'] ?? '') === '';
  const line =
    live && stream.isTTY === true && environment['TERM'] !== 'dumb'
      ? new LiveLine(stream, (text) => plainLines(redact(text)).join(' '))
      : undefined;
  let depth = 0;
  const paint = (colour: keyof typeof COLOURS, text: string): string =>
    coloured ? `\x1b[${COLOURS[colour]}m${text}\x1b[0m` : text;
  const say = (text: string, colour?: keyof typeof COLOURS): void => {
    const parts = plainLines(redact(text)).map(
      (part) => `${'  '.repeat(depth)}${colour === undefined ? part : paint(colour, part)}\n`,
    );
    if (line !== undefined) line.above(parts.join(''));
    else for (const part of parts) stream.write(part);
  };
  return {
    async group(title, body) {
      const began = performance.now();
      say(title, 'bold');
      const now = line?.begin(title);
      depth += 1;
      let passed = false;
      try {
        const value = await body();
        passed = true;
        return value;
      } finally {
        now?.end();
        const took = formatDuration(performance.now() - began);
        say(passed ? `✔ ${took}` : `✖ after ${took}`, passed ? 'green' : 'red');
        depth -= 1;
      }
    },
    info: (text) => say(text),
    debug: (text) => {
      if (debug) say(text, 'grey');
    },
    warning: (text) => say(`⚠ ${text}`, 'yellow'),
    error: (text) => say(`✖ ${text}`, 'red'),
    doing: (what) => line?.begin(what) ?? unseen(),
    close: () => line?.close(),
  };
}
