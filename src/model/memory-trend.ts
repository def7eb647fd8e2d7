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
  const [, second, third, fourth] = quarters(readings) ?? [];
  if (second === undefined || third === undefined || fourth === undefined) return undefined;
  const rise = fourth - second;
  if (!(second < third && third < fourth) || rise < LEAST_RISE_BYTES || rise < second * LEAST_RISE) return undefined;
  return `memory goes on rising: ${formatSize(second)} on average in the second quarter of the watch, ${formatSize(fourth)} in the last`;
}

/** Less than this between before and after is no difference; a share, and bytes. */
const SAME = 0.05;
const SAME_BYTES = 2e6;

/**
 * The runbook's "memory should drop after restart, then stabilize", said of what was measured. Pure.
 * @param beforeBytes of the container that was replaced or restarted; undefined when it is not known
 * @param afterBytes at the end of the watch
 */
export function memoryCourse(
  beforeBytes: number | undefined,
  afterBytes: number,
  readings: readonly MemoryReading[],
): string {
  const after = formatSize(afterBytes);
  const course = beforeBytes === undefined ? `memory ${after}` : `memory ${compared(beforeBytes, afterBytes)}`;
  return `${course}${stability(readings)}`;
}

function compared(before: number, after: number): string {
  const figures = `from ${formatSize(before)} before to ${formatSize(after)}`;
  if (Math.abs(after - before) < Math.max(SAME_BYTES, before * SAME)) return `is what it was (${figures})`;
  return after < before ? `fell ${figures}` : `rose ${figures}`;
}

function stability(readings: readonly MemoryReading[]): string {
  const [, second, , fourth] = quarters(readings) ?? [];
  if (second === undefined || fourth === undefined) return '';
  if (risingMemory(readings) !== undefined) return ', and goes on rising';
  const moved = Math.abs(fourth - second);
  return moved < LEAST_RISE_BYTES || moved < second * LEAST_RISE ? ', and is stable' : ', and is not stable';
}

/** @returns the averages of the quarters of the watch, bytes; undefined when it was too short to say anything */
function quarters(readings: readonly MemoryReading[]): readonly number[] | undefined {
  const [first, last] = [readings[0], readings.at(-1)];
  if (first === undefined || last === undefined || readings.length < LEAST_READINGS) return undefined;
  const spanMs = last.atMs - first.atMs;
  if (spanMs < LEAST_MS) return undefined;
  return Array.from({ length: PARTS }, (_, part) => {
    const from = first.atMs + (spanMs * part) / PARTS;
    const to = first.atMs + (spanMs * (part + 1)) / PARTS;
    const inside = readings.filter(({ atMs }) => atMs >= from && (atMs < to || part === PARTS - 1));
    return inside.reduce((sum, { bytes }) => sum + bytes, 0) / Math.max(1, inside.length);
  });
}
