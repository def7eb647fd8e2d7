import {
  FAILURE_KINDS,
  type FailureKind,
  type TrafficFailure,
  type TrafficNumbers,
  type TrafficSample,
} from './traffic.js';

const KEPT_FAILURES = 50;
/** Of so many buckets a chart can be read; when they are full, each two become one of twice the width. */
const MOST_BUCKETS = 60;
const FIRST_BUCKET_MS = 250;
/** More versions than that at a time are a version field that says something else. */
const MOST_VERSIONS = 8;
const OTHER_VERSIONS = 'others';

interface Bucket {
  good: number;
  failed: number;
  readonly versions: Map<string, number>;
}

/**
 * Adds up what became of requests, in constant memory: a watch of a day at 1000 requests a second is 86 million of them.
 */
export class TrafficAccount {
  requests = 0;
  private readonly failures = new Map<FailureKind, number>();
  private readonly firstFailures: TrafficFailure[] = [];
  private readonly latencies = new Latencies();
  private retried = 0;
  private latestSendMs = 0;
  private lastGoodMs: number;
  private gap = { fromMs: 0, lengthMs: 0 };
  private bucketMs = FIRST_BUCKET_MS;
  private buckets: Bucket[] = [];
  private readonly versions = new Set<string>();

  /** @param fromMs beginning, in milliseconds since the epoch */
  constructor(private readonly fromMs: number) {
    this.lastGoodMs = fromMs;
    this.gap = { fromMs, lengthMs: 0 };
  }

  /** In the order in which they ended. */
  add(sample: TrafficSample): void {
    this.requests += 1;
    this.latestSendMs = Math.max(this.latestSendMs, sample.lateMs);
    if (sample.retried) this.retried += 1;
    const bucket = this.bucketAt(sample.endedMs);
    if (sample.failure !== undefined) {
      const { kind, said } = sample.failure;
      bucket.failed += 1;
      this.failures.set(kind, (this.failures.get(kind) ?? 0) + 1);
      if (this.firstFailures.length < KEPT_FAILURES) {
        this.firstFailures.push({ at: iso(sample.endedMs), kind, said });
      }
      return;
    }
    bucket.good += 1;
    if (sample.version !== undefined) {
      const version = this.known(sample.version);
      bucket.versions.set(version, (bucket.versions.get(version) ?? 0) + 1);
    }
    this.latencies.add(sample.endedMs - sample.dueMs);
    this.closeGap(sample.endedMs);
    this.lastGoodMs = Math.max(this.lastGoodMs, sample.endedMs);
  }

  get failed(): number {
    return [...this.failures.values()].reduce((sum, count) => sum + count, 0);
  }

  /** @param toMs end, in milliseconds since the epoch: what is not answered by then is a gap as well */
  numbers(toMs: number): TrafficNumbers {
    const open = Math.max(0, toMs - this.lastGoodMs);
    const gap = open > this.gap.lengthMs ? { fromMs: this.lastGoodMs, lengthMs: open } : this.gap;
    return {
      startedAt: iso(this.fromMs),
      durationMs: Math.round(toMs - this.fromMs),
      requests: this.requests,
      failed: this.failed,
      failures: FAILURE_KINDS.flatMap((kind) => {
        const count = this.failures.get(kind);
        return count === undefined ? [] : [{ kind, count }];
      }),
      firstFailures: [...this.firstFailures],
      longestGapMs: Math.round(gap.lengthMs),
      longestGapAt: iso(gap.fromMs),
      p50Ms: this.latencies.percentile(0.5),
      p99Ms: this.latencies.percentile(0.99),
      slowestMs: this.latencies.slowestMs(),
      retried: this.retried,
      latestSendMs: Math.round(this.latestSendMs),
      bucketMs: this.bucketMs,
      buckets: this.buckets.map(({ good, failed, versions }, index) => ({
        at: iso(this.fromMs + index * this.bucketMs),
        good,
        failed,
        versions: [...versions].map(([version, answers]) => ({ version, answers })),
      })),
    };
  }

  private closeGap(atMs: number): void {
    const lengthMs = atMs - this.lastGoodMs;
    if (lengthMs > this.gap.lengthMs) this.gap = { fromMs: this.lastGoodMs, lengthMs };
  }

  private bucketAt(atMs: number): Bucket {
    let index = Math.max(0, Math.floor((atMs - this.fromMs) / this.bucketMs));
    while (index >= MOST_BUCKETS) {
      this.buckets = halved(this.buckets);
      this.bucketMs *= 2;
      index = Math.floor((atMs - this.fromMs) / this.bucketMs);
    }
    for (;;) {
      const bucket = this.buckets[index];
      if (bucket !== undefined) return bucket;
      this.buckets.push({ good: 0, failed: 0, versions: new Map() });
    }
  }

  private known(version: string): string {
    if (this.versions.has(version)) return version;
    if (this.versions.size >= MOST_VERSIONS) return OTHER_VERSIONS;
    this.versions.add(version);
    return version;
  }
}

/** Latencies by size, in steps of one percent: exact enough, and as small after a day as after a second. */
class Latencies {
  private static readonly STEP = Math.log(1.01);
  private readonly counts = new Map<number, number>();
  private count = 0;
  private slowest = 0;

  add(ms: number): void {
    this.count += 1;
    this.slowest = Math.max(this.slowest, ms);
    const step = Math.ceil(Math.log(Math.max(ms, 0.1)) / Latencies.STEP);
    this.counts.set(step, (this.counts.get(step) ?? 0) + 1);
  }

  /** Nearest rank: the smallest that the share of all is not above. Milliseconds, with a tenth. */
  percentile(share: number): number | undefined {
    const rank = Math.ceil(share * this.count);
    let passed = 0;
    for (const [step, count] of [...this.counts].sort(([a], [b]) => a - b)) {
      passed += count;
      if (passed >= rank) return tenth(Math.min(this.slowest, Math.exp(step * Latencies.STEP)));
    }
    return undefined;
  }

  slowestMs(): number | undefined {
    return this.count === 0 ? undefined : tenth(this.slowest);
  }
}

function halved(buckets: readonly Bucket[]): Bucket[] {
  const half: Bucket[] = [];
  for (let index = 0; index < buckets.length; index += 2) {
    const pair = buckets.slice(index, index + 2);
    const versions = new Map<string, number>();
    for (const [version, answers] of pair.flatMap((bucket) => [...bucket.versions])) {
      versions.set(version, (versions.get(version) ?? 0) + answers);
    }
    half.push({
      good: pair.reduce((sum, { good }) => sum + good, 0),
      failed: pair.reduce((sum, { failed }) => sum + failed, 0),
      versions,
    });
  }
  return half;
}

function iso(ms: number): string {
  return new Date(Math.round(ms)).toISOString();
}

function tenth(ms: number): number {
  return Math.round(ms * 10) / 10;
}
