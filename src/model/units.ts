import { ProcedureError } from './errors.js';

/**
 * Durations and sizes as people write them. Inside the program a duration is always a number of milliseconds in a name
 * that ends in `Ms`, and a size a number of bytes in a name that ends in `Bytes`.
 */

const DURATION_UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Decimal units are powers of 1000 and binary ones of 1024, as Docker's own documentation has it (KB ≠ KiB). */
const SIZE_UNITS: Readonly<Record<string, number>> = {
  b: 1,
  k: 1e3,
  kb: 1e3,
  m: 1e6,
  mb: 1e6,
  g: 1e9,
  gb: 1e9,
  t: 1e12,
  tb: 1e12,
  kib: 1024,
  mib: 1024 ** 2,
  gib: 1024 ** 3,
  tib: 1024 ** 4,
};

/**
 * Reads `90s`, `5m`, `1h30m`, `250ms` or `0`.
 * @returns milliseconds
 * @throws ProcedureError E_INPUT with the accepted spelling when the text is none of these
 */
export function parseDuration(text: string): number {
  const compact = text.trim().toLowerCase();
  if (compact === '0') return 0;
  const parts = [...compact.matchAll(/(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)/g)];
  const consumed = parts.map((part) => part[0]).join('');
  if (parts.length === 0 || consumed !== compact.replaceAll(/(?<=\D)\s+/g, '')) {
    throw new ProcedureError('E_INPUT', `"${text}" is not a duration`, { next: 'Write it like 90s, 5m or 1h30m.' });
  }
  return Math.round(
    parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * (DURATION_UNITS[unit ?? ''] ?? 0), 0),
  );
}

/**
 * Reads `1.5GB`, `512MiB`, `200m` or a bare number of bytes.
 * @returns bytes
 * @throws ProcedureError E_INPUT with the accepted spelling when the text is none of these
 */
export function parseSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/.exec(text.trim().toLowerCase());
  const factor = match ? SIZE_UNITS[match[2] === '' ? 'b' : (match[2] ?? '')] : undefined;
  if (!match || factor === undefined) {
    throw new ProcedureError('E_INPUT', `"${text}" is not a size`, { next: 'Write it like 1.5GB or 512MiB.' });
  }
  return Math.round(Number(match[1]) * factor);
}

/** @param ms milliseconds @returns a short form such as `340 ms`, `1.4 s`, `5 min`, `1 h 30 min` */
export function formatDuration(ms: number): string {
  if (Math.round(ms) < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 59_500) return `${(ms / 1_000).toFixed(ms < 10_000 ? 1 : 0)} s`.replace('.0 s', ' s');
  // Rounded before it is split, or 119.9 s would be "1 min 60 s".
  const total = Math.round(ms / 1_000);
  const minutes = Math.floor(total / 60);
  const seconds = total % 60;
  if (minutes < 60) return seconds === 0 ? `${minutes} min` : `${minutes} min ${seconds} s`;
  const rest = minutes % 60;
  return rest === 0 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 60)} h ${rest} min`;
}

/** @param bytes size @returns a short decimal form such as `212 MB` or `1.5 GB` */
export function formatSize(bytes: number): string {
  for (const [unit, factor] of [
    ['TB', 1e12],
    ['GB', 1e9],
    ['MB', 1e6],
    ['kB', 1e3],
  ] as const) {
    if (bytes >= factor) return `${(bytes / factor).toFixed(bytes / factor < 10 ? 1 : 0)} ${unit}`;
  }
  return `${bytes} B`;
}

/** @returns a commit or digest as people read it: twelve characters; other text as it is */
export function short(id: string): string {
  const bare = id.replace(/^sha256:/, '');
  return /^[0-9a-f]{40,64}$/.test(bare) ? bare.slice(0, 12) : id;
}
