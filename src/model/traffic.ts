/**
 * Traffic proof: requests that are sent to a URL for as long as a run changes something, and what became of them.
 */

export interface TrafficSettings {
  readonly url: string;
  readonly ratePerSecond: number;
  /** For one request, from when it is sent; milliseconds. */
  readonly timeoutMs: number;
  /** Connections are used again; otherwise each request has a new one. */
  readonly keepAlive: boolean;
  readonly version: VersionSource | undefined;
  /** How many may fail; undefined when nobody said: then 0, and only where the strategy goes on serving. */
  readonly maxFailed: number | undefined;
}

/** Where an answer says its version: a response header, or a field of a JSON body, nested ones with dots. */
export type VersionSource =
  { readonly kind: 'header'; readonly name: string } | { readonly kind: 'json'; readonly field: string };

export const FAILURE_KINDS = ['refused', 'reset', 'timeout', '5xx', 'not-sent', 'other'] as const;
export type FailureKind = (typeof FAILURE_KINDS)[number];

/** What became of one request. */
export interface TrafficSample {
  /** When it was due: milliseconds since the epoch. */
  readonly dueMs: number;
  /** When it was answered or failed: milliseconds since the epoch. */
  readonly endedMs: number;
  /** Undefined: a good answer (200 to 399). */
  readonly failure: { readonly kind: FailureKind; readonly said: string } | undefined;
  readonly version: string | undefined;
  /** How long after it was due it was sent, because this process was busy; milliseconds. */
  readonly lateMs: number;
  /** It was sent once more, since the kept connection had been closed before it was read, as every browser does. */
  readonly retried: boolean;
}

export interface TrafficFailure {
  /** ISO 8601. */
  readonly at: string;
  readonly kind: FailureKind;
  readonly said: string;
}

export interface TrafficBucket {
  /** ISO 8601; its beginning. */
  readonly at: string;
  readonly good: number;
  readonly failed: number;
  /** Good answers of each version, where answers say one. */
  readonly versions: readonly { readonly version: string; readonly answers: number }[];
}

/** Numbers of one stretch of traffic. Latencies are those of good answers, from when a request was due. */
export interface TrafficNumbers {
  readonly startedAt: string;
  readonly durationMs: number;
  readonly requests: number;
  readonly failed: number;
  readonly failures: readonly { readonly kind: FailureKind; readonly count: number }[];
  /** The first ones. */
  readonly firstFailures: readonly TrafficFailure[];
  /** Longest time without a good answer. */
  readonly longestGapMs: number;
  /** When that began, ISO 8601. */
  readonly longestGapAt: string;
  readonly p50Ms: number | undefined;
  readonly p99Ms: number | undefined;
  readonly slowestMs: number | undefined;
  /** Requests that were sent once more over a new connection. */
  readonly retried: number;
  /** Longest that a request was sent after it was due, because this process was busy. */
  readonly latestSendMs: number;
  readonly bucketMs: number;
  readonly buckets: readonly TrafficBucket[];
}

/** For the report of a run. */
export interface TrafficReport extends TrafficNumbers {
  readonly url: string;
  readonly ratePerSecond: number;
  readonly timeoutMs: number;
  readonly keepAlive: boolean;
  readonly verdict: 'passed' | 'failed' | 'not-judged';
  /** One sentence: by what it was judged, or why it was not. */
  readonly reason: string;
}

/**
 * Reads `header:x-version` or `json:build.version`.
 * @returns the source, or what is wrong with the text
 */
export function parseVersionSource(text: string): VersionSource | { readonly problem: string } {
  const header = /^header:([!#$%&'*+.^_`|~0-9a-z-]+)$/i.exec(text)?.[1];
  if (header !== undefined) return { kind: 'header', name: header.toLowerCase() };
  const field = /^json:([^.\s]+(?:\.[^.\s]+)*)$/.exec(text)?.[1];
  if (field !== undefined) return { kind: 'json', field };
  return { problem: `"${text}" is neither header:NAME nor json:FIELD, such as header:x-version or json:build.version` };
}

const LONGEST_VERSION = 40;

/** @returns the version an answer says; undefined when it says none */
export function versionOf(
  source: VersionSource,
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
  body: string,
): string | undefined {
  const value = source.kind === 'header' ? headers[source.name] : fieldOf(body, source.field);
  const text = typeof value === 'string' || typeof value === 'number' ? String(value).trim() : '';
  return text === '' ? undefined : text.slice(0, LONGEST_VERSION);
}

function fieldOf(body: string, field: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return undefined; // an answer that is no JSON says no version
  }
  for (const name of field.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Readonly<Record<string, unknown>>)[name];
  }
  return value;
}

/** @returns `refused 12, reset 2` */
export function failureWords(failures: TrafficNumbers['failures']): string {
  return failures.map(({ kind, count }) => `${kind} ${count}`).join(', ');
}

/** @returns what is wrong with a URL to send requests to, or undefined */
export function trafficUrlProblem(text: string): string | undefined {
  if (!URL.canParse(text)) return `"${text}" is not a URL; write it like http://127.0.0.1:3000/health`;
  const { protocol, username, password } = new URL(text);
  if (protocol !== 'http:' && protocol !== 'https:') return `"${text}" begins with neither http:// nor https://`;
  if (username !== '' || password !== '') return 'holds a user or a password; give an address that needs none';
  return undefined;
}
