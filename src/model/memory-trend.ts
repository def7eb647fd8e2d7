import { formatSize } from './units.js';

/** One reading of a container's memory. */
export interface MemoryReading {
  /** Milliseconds since the watch began. */
  readonly atMs: number;
  readonly bytes: number;
}

/** A shorter time says nothing: services take what they need when they begin. */
const LEAST_MS = 60_000;
const LEAST_READINGS = 20;
const PARTS = 4;
/** Rising by less than this between the second quarter and the last is breathing. */
const LEAST_RISE = 0.2;
const LEAST_RISE_BYTES = 50e6;

/**
 * The runbook's "memory usage normal and stable": it may rise while the service starts, and has to be stable then. Pure.
 * @returns words for memory that goes on rising, quarter by quarter; undefined otherwise
 */
export function risingMemory(readings: readonly MemoryReading[]): string | undefined {
  const [first, last] = [readings[0], readings.at(-1)];
  if (first === undefined || last === undefined || readings.length < LEAST_READINGS) return undefined;
  const spanMs = last.atMs - first.atMs;
  if (spanMs < LEAST_MS) return undefined;
  const quarters = Array.from({ length: PARTS }, (_, part) => {
    const from = first.atMs + (spanMs * part) / PARTS;
    const to = first.atMs + (spanMs * (part + 1)) / PARTS;
    const inside = readings.filter(({ atMs }) => atMs >= from && (atMs < to || part === PARTS - 1));
    return inside.reduce((sum, { bytes }) => sum + bytes, 0) / Math.max(1, inside.length);
  });
  const [, second = 0, third = 0, fourth = 0] = quarters;
  const rise = fourth - second;
  if (!(second < third && third < fourth) || rise < LEAST_RISE_BYTES || rise < second * LEAST_RISE) return undefined;
  return `memory goes on rising: ${formatSize(second)} on average in the second quarter of the watch, ${formatSize(fourth)} in the last`;
}
