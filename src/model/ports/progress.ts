/** What a person sees while it happens: the runner's log, or a terminal. */
export interface Progress {
  /** A titled section; ends when the function does. */
  group<T>(title: string, body: () => Promise<T>): Promise<T>;
  info(line: string): void;
  /** Hidden unless debugging. */
  debug(line: string): void;
  /** Shown as an annotation where the platform has them. */
  warning(line: string): void;
  error(line: string): void;
  /** Something goes on that may take a while: for a line that is rewritten where a person looks, and nothing elsewhere. */
  doing(what: string): Doing;
}

/** What goes on now, until it is ended. */
export interface Doing {
  /** What it waits for now, in a few words. */
  waitsFor(what: string): void;
  end(): void;
}

/** @returns for where nobody looks while it happens */
export function unseen(): Doing {
  return { waitsFor: () => undefined, end: () => undefined };
}

/** Hides secrets in whatever is written or sent. */
export interface Redactor {
  /** Adds values of environment variables (`NAME=value` lists or maps) and other known secrets. */
  learn(values: readonly { readonly name: string; readonly value: string }[]): void;
  text(text: string): string;
  /** Inspect and config output: hides by position (environment, credentials) and then by value. */
  json(value: unknown): unknown;
}

/** Logs, stats and inspect output, redacted, in files that a person can open. */
export interface EvidenceStore {
  /** Directory of this run. */
  readonly path: string;
  /** Where the file of that name is, once it is written. */
  fileOf(name: string): string;
  /** Streams bytes to a file, redacting line by line, in constant memory. @returns bytes written */
  stream(name: string, bytes: AsyncIterable<Buffer>, signal?: AbortSignal): Promise<number>;
  json(name: string, value: unknown): Promise<void>;
}
