import { createHash } from 'node:crypto';

/** 64 hexadecimal digits, as the engine's ids; the same for the same text. */
export function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** The zero time of Go, which the engine writes where something has not happened. */
export const NEVER = '0001-01-01T00:00:00Z';
