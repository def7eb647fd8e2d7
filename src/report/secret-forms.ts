import { isWorthHiding, looksSecret } from './secret-names.js';
import { patternSpans } from './secret-patterns.js';

/** A text to hide wherever it stands. In latin1: one character is one byte of its UTF-8 form. */
export interface Needle {
  readonly bytes: string;
  /** Short ones count only as a word of their own: hiding `abc` inside `alphabet` tells the secret rather than keeps it. */
  readonly wholeWord: boolean;
}

/** @returns the bytes of the text's UTF-8 form, one character each; the same text when it is ASCII */
export function toBytes(text: string): string {
  return isAscii(text) ? text : Buffer.from(text, 'utf8').toString('latin1');
}

/** Reverse of `toBytes`. */
export function fromBytes(bytes: string): string {
  return isAscii(bytes) ? bytes : Buffer.from(bytes, 'latin1').toString('utf8');
}

function isAscii(text: string): boolean {
  return !/[^\0-\x7f]/.test(text);
}

/** @returns every form in which the value of a variable may show up in a log, or nothing when it is not worth hiding */
export function needlesOf(name: string, value: string, isPublic: (text: string) => boolean): readonly Needle[] {
  const forms = new Set<string>();
  for (const secret of partsOf(name, value)) if (!isPublic(secret)) for (const form of formsOf(secret)) forms.add(form);
  return [...forms]
    .filter((form) => form !== '' && !isPublic(form))
    .map((form) => ({ bytes: toBytes(form), wholeWord: form.length < 8 }));
}

function formsOf(secret: string): readonly string[] {
  const json = asJson(secret);
  const uri = encodeUri(secret);
  return [
    secret,
    json,
    asJson(json),
    json.replaceAll('&', '\\u0026').replaceAll('<', '\\u003c').replaceAll('>', '\\u003e'), // as Go writes JSON
    secret.replaceAll('$', '$$$$'), // as Compose writes a value
    uri,
    uri.replaceAll('%20', '+'),
    uri.replaceAll(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
    ...base64Forms(secret),
  ];
}

function asJson(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

const SHORTEST_ENCODED = 6;
/** Fewer characters of a longer encoded text are found by chance. */
const SHORTEST_INSIDE = 8;

/**
 * The secret encoded by itself, and inside of something longer (`user:SECRET`): there it begins at one of three places of a
 * group, and the characters that it shares with its neighbours are left out.
 */
function base64Forms(secret: string): readonly string[] {
  if (secret.length < SHORTEST_ENCODED) return [];
  const bytes = Buffer.from(secret, 'utf8');
  const inside = [0, 1, 2].flatMap((before) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
    const own = text.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6));
    return own.length < SHORTEST_INSIDE ? [] : [own];
  });
  const forms = [bytes.toString('base64').replace(/=+$/, ''), ...inside];
  return forms.flatMap((form) => [form, form.replaceAll('+', '-').replaceAll('/', '_')]);
}

/**
 * The value, its lines where it has several (a key in PEM form, also with `\n` in place of line ends), the password inside
 * of a URL or a connection string, and the strings of a value in JSON.
 */
function partsOf(name: string, value: string): ReadonlySet<string> {
  const parts = new Set<string>();
  const add = (label: string, part: string): void => {
    if (isWorthHiding(label, part)) parts.add(part);
  };
  const whole = value.trim();
  add(name, whole);
  const lines = whole.split(/\r?\n|\\n/);
  if (lines.length > 1) {
    const shortest = looksSecret(name) ? 4 : 8;
    for (const line of lines.map((text) => text.trim())) {
      if (line.length >= shortest && !line.startsWith('-----')) add(name, line);
    }
  }
  for (const [, password = ''] of whole.matchAll(/:\/\/[^\s/@:]{0,256}:([^\s/]{3,512})@/g)) {
    for (const form of [password, decodeUri(password)]) add('PASSWORD', form);
  }
  if (!parts.has(whole) || /[=;{]/.test(whole)) {
    for (const { start, end } of patternSpans(whole)) add('PASSWORD', whole.slice(start, end));
  }
  for (const { key, text } of jsonStrings(whole)) add(key, text);
  return parts;
}

function* jsonStrings(text: string): Generator<{ readonly key: string; readonly text: string }> {
  if (!/^[[{]/.test(text)) return;
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    return;
  }
  const left: (readonly [string, unknown])[] = [['', found]];
  for (const [key, value] of left) {
    if (typeof value === 'string') yield { key, text: value };
    else if (typeof value === 'object' && value !== null) {
      const isList = Array.isArray(value);
      left.push(...Object.entries(value).map(([name, inner]) => [isList ? key : name, inner] as const));
    }
  }
}

/** A lone surrogate cannot be encoded; it cannot be in a log's bytes either. */
function encodeUri(text: string): string {
  return encodeURIComponent(text.replaceAll(/[\ud800-\udfff]/gu, '\ufffd'));
}

function decodeUri(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
