/** What a container of an image does, as a script. Times count from its start, in milliseconds. */
export interface Behavior {
  /** Its process can serve from then on: an image with this has a health check that asks every 200 ms. Never: `'never'`. */
  readonly readyAfterMs?: number | 'never';
  /** Its process ends on its own. */
  readonly ends?: { readonly afterMs: number; readonly code: number };
  /** Its process does not end at SIGTERM. Otherwise it ends at once, with 0. */
  readonly ignoresSigterm?: true;
  /** Lines on its standard output at its start. */
  readonly prints?: readonly string[];
  /** Programs that `exec` finds in it. `true` and `false` are there always. */
  readonly programs?: Readonly<Record<string, Program>>;
  /** Where a container of it gets volumes without a name. */
  readonly volumes?: readonly string[];
  /** Texts by path. */
  readonly files?: Readonly<Record<string, string>>;
  /** Resident memory at a time since the start, in bytes: in memory only. */
  readonly memoryBytes?: (sinceStartMs: number) => number;
  /** Tells an image from one that does the same. */
  readonly build?: string;
}

export interface Program {
  readonly code: number;
  /** Without the new line at its end. */
  readonly output?: string;
  readonly takesMs?: number;
}

/** The health check of an image that becomes ready: unhealthy after three failures, 0.6 s without a start period. */
export const HEALTH_CHECK = { intervalMs: 200, timeoutMs: 5_000, retries: 3 } as const;
