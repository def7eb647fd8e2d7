import type { Doing } from '../model/ports/progress.js';
import { formatDuration } from '../model/units.js';

/** Where it is drawn: a terminal that a person looks at. */
export interface LiveStream {
  readonly columns?: number;
  write(text: string): unknown;
}

/** To its beginning, and empty (ECMA-48, EL). */
const ERASE = '\r\x1b[2K';
/** Nothing goes on to a second line, which would stay when this one is erased (DECAWM). */
const ONE_LINE = ['\x1b[?7l', '\x1b[?7h'] as const;
const EVERY_MS = 1_000;
const COLUMNS = 80;
/** The innermost, and what it is part of. */
const SHOWN = 2;

interface Entry {
  readonly what: string;
  readonly since: Date;
  waitsFor: string | undefined;
}

/**
 * The last line of a terminal, rewritten: what goes on, since when, and what it waits for. Other lines are written above it,
 * and nothing of it is left when all has ended.
 */
export class LiveLine {
  private readonly entries = new Set<Entry>();
  private timer: NodeJS.Timeout | undefined;
  private drawn = false;

  /** @param clean hides secrets and control characters of what is shown */
  constructor(
    private readonly stream: LiveStream,
    private readonly clean: (text: string) => string,
  ) {}

  /** @returns what says what is waited for, and ends it */
  begin(what: string): Doing {
    const entry: Entry = { what, since: new Date(), waitsFor: undefined };
    this.entries.add(entry);
    this.timer ??= setInterval(() => this.draw(), EVERY_MS).unref();
    this.draw();
    return {
      // Shown within a second: what is asked ten times a second shall not flicker.
      waitsFor: (words) => (entry.waitsFor = words),
      end: () => {
        this.entries.delete(entry);
        if (this.entries.size === 0) this.close();
        else this.draw();
      },
    };
  }

  /** Writes whole lines above it. */
  above(lines: string): void {
    this.erase();
    this.stream.write(lines);
    this.draw();
  }

  /** Ends it, whatever still goes on. */
  close(): void {
    clearInterval(this.timer);
    this.timer = undefined;
    this.entries.clear();
    this.erase();
  }

  private erase(): void {
    if (this.drawn) this.stream.write(ERASE);
    this.drawn = false;
  }

  private draw(): void {
    const shown = [...this.entries].slice(-SHOWN);
    const last = shown.at(-1);
    if (last === undefined) return;
    const began = last.since.toTimeString().slice(0, 8);
    const words = [
      `${formatDuration(wholeSeconds(Date.now() - last.since.getTime()))}, since ${began}`,
      shown.map(({ what }) => what).join(' › '),
      ...(last.waitsFor === undefined ? [] : [`waits for ${last.waitsFor}`]),
    ];
    const { columns = 0 } = this.stream;
    // A terminal that nobody has told its size has none.
    const fits = (columns > 1 ? columns : COLUMNS) - 1;
    const text = Array.from(this.clean(`⋯ ${words.join(' · ')}`))
      .slice(0, fits)
      .join('');
    this.stream.write(`${ERASE}${ONE_LINE[0]}${text}${ONE_LINE[1]}`);
    this.drawn = true;
  }
}

function wholeSeconds(ms: number): number {
  return Math.floor(Math.max(0, ms) / 1_000) * 1_000;
}
