import type { CanaryPolicy } from './policy.js';
import { formatSize } from './units.js';

/** What was seen of both during one step. */
export interface CanaryFigures {
  readonly new: Figures;
  readonly old: Figures;
}

/** Requests as the router counted them, the rest as the engine shows it. */
interface Figures {
  readonly requests: number;
  readonly failures: number;
  /** Milliseconds; undefined before the first answer. */
  readonly averageMs: number | undefined;
  /** Lines of the logs that match `error-patterns`. */
  readonly errorLines: number;
  /** Of the container that uses most, at the end of the step; undefined where the engine does not say. */
  readonly memoryBytes: number | undefined;
}

export type CanaryVerdict =
  | { readonly kind: 'good' }
  | { readonly kind: 'bad'; readonly reason: string }
  | { readonly kind: 'inconclusive'; readonly reason: string };

/** A rate of failures this much above the old one's is a failure of the new release. */
const FAILURE_MARGIN = 0.01;
/** Answers that take this many times as long, and at least so many milliseconds longer, are. */
const SLOWER_FACTOR = 2;
const SLOWER_LEAST_MS = 50;

/** Fewer error lines than these are chance; so many times as many for each request are not. */
const ERROR_LINES_LEAST = 3;
const ERROR_LINES_FACTOR = 2;
/** A new container that takes this many times the memory, and at least so much more, leaks or is built wrong. */
const MEMORY_FACTOR = 2;
const MEMORY_LEAST_BYTES = 100e6;

/** @returns a verdict when what it looks at decides; undefined: the next one looks */
type Judge = (figures: CanaryFigures, policy: CanaryPolicy) => CanaryVerdict | undefined;

/** In this order: what shows with few requests as well, then whether there were enough, then what needs many. */
const JUDGES: readonly Judge[] = [failures, errorLines, memory, fewRequests, latency];

/** Compares the new release with the one beside it, under the same traffic at the same time. Pure. */
export function judgeCanary(figures: CanaryFigures, policy: CanaryPolicy): CanaryVerdict {
  for (const judge of JUDGES) {
    const verdict = judge(figures, policy);
    if (verdict !== undefined) return verdict;
  }
  return { kind: 'good' };
}

function failures({ new: fresh, old }: CanaryFigures, policy: CanaryPolicy): CanaryVerdict | undefined {
  const rate = ({ requests, failures }: Figures): number => (requests === 0 ? 0 : failures / requests);
  // One failure of few requests is no rate yet; as many failures as make an answer are.
  const clear = fresh.failures >= 3 || fresh.requests >= policy.minRequests;
  if (!clear || fresh.failures === 0 || rate(fresh) <= rate(old) + FAILURE_MARGIN) return undefined;
  const percent = (value: number): string => `${(value * 100).toFixed(1)} %`;
  return bad(`${percent(rate(fresh))} of its requests failed, ${percent(rate(old))} of the old one's`);
}

function errorLines({ new: fresh, old }: CanaryFigures): CanaryVerdict | undefined {
  const each = ({ errorLines, requests }: Figures): number => errorLines / Math.max(1, requests);
  if (fresh.errorLines < ERROR_LINES_LEAST || each(fresh) <= each(old) * ERROR_LINES_FACTOR) return undefined;
  return bad(
    `it wrote ${fresh.errorLines} error lines in ${fresh.requests} requests, the old one ${old.errorLines} in ${old.requests}`,
  );
}

function memory({ new: fresh, old }: CanaryFigures): CanaryVerdict | undefined {
  if (fresh.memoryBytes === undefined || old.memoryBytes === undefined) return undefined;
  const more = fresh.memoryBytes - old.memoryBytes;
  if (fresh.memoryBytes <= old.memoryBytes * MEMORY_FACTOR || more < MEMORY_LEAST_BYTES) return undefined;
  return bad(`it uses ${formatSize(fresh.memoryBytes)} of memory, the old one ${formatSize(old.memoryBytes)}`);
}

function fewRequests({ new: fresh }: CanaryFigures, { minRequests }: CanaryPolicy): CanaryVerdict | undefined {
  if (fresh.requests >= minRequests) return undefined;
  return { kind: 'inconclusive', reason: `it got ${fresh.requests} requests, fewer than ${minRequests}` };
}

function latency({ new: fresh, old }: CanaryFigures): CanaryVerdict | undefined {
  if (fresh.averageMs === undefined || old.averageMs === undefined) return undefined;
  const slower = fresh.averageMs > old.averageMs * SLOWER_FACTOR;
  if (!slower || fresh.averageMs - old.averageMs < SLOWER_LEAST_MS) return undefined;
  return bad(
    `its answers take ${fresh.averageMs.toFixed(0)} ms on average, the old one's ${old.averageMs.toFixed(0)} ms`,
  );
}

function bad(reason: string): CanaryVerdict {
  return { kind: 'bad', reason };
}
