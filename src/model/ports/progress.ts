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
  /**
   * Adds the secrets of a rendered compose project, and the names that it uses as keys, images, paths and hosts: a secret
   * with the same value is not hidden in free text.
   * @param paths of the project and its files, which are names as well
   */
  learnDocument(document: Readonly<Record<string, unknown>>, paths: readonly string[]): void;
  text(text: string): string;
  /** A text that Docker may have cut: hides also the beginning of a secret before the `...` at its end. */
  cutText(text: string): string;
  /** A line of a process list: hides also what follows a flag such as `--password`. */
  commandLine(line: string): string;
  /** Inspect and config output: hides by position (environment, credentials) and then by value. */
  json(value: unknown): unknown;
  /** For bytes as they come, before anything cuts them into lines or shortens those. */
  stream(): ByteFilter;
  /** Variables with a secret-like name whose value is a name of the compose files, and what it names. */
  unhidden(): readonly { readonly name: string; readonly what: string }[];
}

/** Changes bytes on their way, in bounded memory. */
export interface ByteFilter {
  /** @returns what can be handed on now */
  push(chunk: Buffer): readonly Buffer[];
  /** @returns the rest */
  end(): readonly Buffer[];
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
