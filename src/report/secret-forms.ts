import { isWorthHiding, looksSecret } from './secret-names.js';

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
export function needlesOf(name: string, value: string): readonly Needle[] {
  const forms = new Set<string>();
  for (const secret of partsOf(name, value)) {
    forms.add(secret);
    forms.add(JSON.stringify(secret).slice(1, -1));
    forms.add(encodeUri(secret));
    forms.add(encodeUri(secret).replaceAll('%20', '+'));
    if (secret.length >= 6) {
      const base64 = Buffer.from(secret, 'utf8').toString('base64').replace(/=+$/, '');
      forms.add(base64);
      forms.add(base64.replaceAll('+', '-').replaceAll('/', '_'));
    }
  }
  return [...forms].map((form) => ({ bytes: toBytes(form), wholeWord: form.length < 8 }));
}

/** The value, its lines where it has several (a key in PEM form), and the password inside a URL. */
function partsOf(name: string, value: string): readonly string[] {
  const parts = new Set<string>();
  const whole = value.trim();
  if (isWorthHiding(name, whole)) parts.add(whole);
  const lines = whole.split(/\r?\n/);
  if (lines.length > 1) {
    const shortest = looksSecret(name) ? 4 : 8;
    for (const line of lines.map((text) => text.trim())) {
      if (line.length >= shortest && !line.startsWith('-----') && isWorthHiding(name, line)) parts.add(line);
    }
  }
  for (const [, password = ''] of whole.matchAll(/:\/\/[^\s/@:]{0,256}:([^\s/]{3,512})@/g)) {
    for (const form of [password, decodeUri(password)]) if (isWorthHiding('PASSWORD', form)) parts.add(form);
  }
  return [...parts];
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
