import type { Excerpt } from '../model/errors.js';
import { failureWords, type TrafficNumbers, type TrafficSample } from '../model/traffic.js';
import { formatDuration } from '../model/units.js';
import type { Run } from '../run/run.js';

const SHOWN_FAILURES = 20;
/** Failures are told at once, and then once a second at most: an outage is hundreds of them. */
const SAID_EVERY_MS = 1_000;

/** @param allowed how many may fail; undefined: nobody judges by it @returns how many of how many failed, by kind */
export function describeFailed(numbers: TrafficNumbers, url: string, allowed?: number): string {
  const { requests, failed, failures } = numbers;
  if (failed === 0) return `none of ${requests} requests to ${url} failed`;
  const since = allowed === undefined ? 'while it was watched' : 'since the change began';
  const may = allowed === undefined ? '' : `; at most ${allowed} may`;
  return `${failed} of ${requests} requests to ${url} failed ${since} (${failureWords(failures)})${may}`;
}

/** @returns the first failures with their times, to be shown with an error */
export function failuresExcerpt(numbers: TrafficNumbers): readonly Excerpt[] {
  const { firstFailures, startedAt, failed } = numbers;
  if (firstFailures.length === 0) return [];
  const began = Date.parse(startedAt);
  const lines = firstFailures
    .slice(0, SHOWN_FAILURES)
    .map(({ at, kind, said }) => `${at} (after ${formatDuration(Date.parse(at) - began)}): ${kind}: ${said}`);
  if (failed > lines.length) lines.push(`and ${failed - lines.length} more`);
  return [{ title: 'failed requests', lines }];
}

/** Tells of failures while they happen: the first one and when answers are good again in the timeline as well. */
export class FailureVoice {
  private lastGoodMs: number | undefined;
  /** Failures since the last good answer, and whether the log has one of them. */
  private failing = 0;
  private said = false;
  private unsaid = 0;
  private saidAtMs = -Infinity;
  private noted = false;

  constructor(private readonly run: Pick<Run, 'progress' | 'recorder'>) {}

  hear({ failure, endedMs }: TrafficSample): void {
    if (failure === undefined) {
      if (this.failing > 0) this.goodAgain(endedMs);
      this.lastGoodMs = endedMs;
      return;
    }
    this.failing += 1;
    this.unsaid += 1;
    const what = `${failure.kind}: ${failure.said}`;
    if (!this.noted) this.run.recorder.note(`first failed request: ${what}`);
    this.noted = true;
    if (endedMs - this.saidAtMs < SAID_EVERY_MS) return;
    const count = this.unsaid === 1 ? 'a request failed' : `${this.unsaid} requests failed, the last`;
    this.run.progress.info(`  ✗ traffic: ${count}: ${what}`);
    this.said = true;
    this.saidAtMs = endedMs;
    this.unsaid = 0;
  }

  private goodAgain(endedMs: number): void {
    const gap =
      this.lastGoodMs === undefined ? '' : `, ${formatDuration(endedMs - this.lastGoodMs)} after the last one`;
    if (this.said) this.run.progress.info(`  ✓ traffic: a good answer again${gap}; ${this.failing} failed in between`);
    this.failing = 0;
    this.said = false;
  }
}
