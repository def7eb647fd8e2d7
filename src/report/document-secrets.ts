import { composeNames } from '../model/compose-names.js';
import { argumentSecrets } from './secret-arguments.js';
import { looksSecret, type NamedSecret } from './secret-names.js';
import { patternSpans } from './secret-patterns.js';

/**
 * The secrets of a rendered compose project: values of variables and build arguments, contents of configs and secrets, any
 * field or label with a secret-like name, arguments of commands and health checks, and what shows itself in any text.
 */
export function documentSecrets(document: Readonly<Record<string, unknown>>): readonly NamedSecret[] {
  const found: NamedSecret[] = [];
  visit(document, [], found);
  const names = new Set(composeNames(document).map(({ name }) => name));
  return found.filter(({ from }) => from === undefined || !names.has(from));
}

function visit(value: unknown, path: readonly string[], found: NamedSecret[]): void {
  if (typeof value === 'string') visitText(undollar(value), path, found);
  else if (typeof value === 'number' && isEnvironment(path.slice(0, -1))) visitText(String(value), path, found);
  else if (Array.isArray(value)) visitList(value, path, found);
  else if (typeof value === 'object' && value !== null) {
    for (const [key, inner] of Object.entries(value)) visit(inner, [...path, key], found);
  }
}

function visitList(items: readonly unknown[], path: readonly string[], found: NamedSecret[]): void {
  const texts = items.filter((item) => typeof item === 'string').map(undollar);
  if (ARGUMENTS.has(path.at(-1) ?? '')) {
    found.push(...argumentSecrets(texts), ...argumentSecrets(texts.flatMap((text) => text.split(/\s+/))));
  }
  for (const item of items) {
    const [, name, value] = typeof item === 'string' ? (/^([\w.-]+)=(.*)$/s.exec(undollar(item)) ?? []) : [];
    if (name !== undefined && value !== undefined) visitText(value, [...path, name], found);
    else visit(item, path, found);
  }
}

function visitText(text: string, path: readonly string[], found: NamedSecret[]): void {
  const key = path.at(-1) ?? '';
  if (isEnvironment(path.slice(0, -1)) || looksSecret(key)) found.push({ name: key, value: text });
  if (key === 'content' && isObjectOf(path)) found.push(...contentSecrets(text));
  if (ARGUMENTS.has(key)) found.push(...argumentSecrets(text.split(/\s+/)));
  for (const { start, end } of patternSpans(text)) {
    found.push({ name: 'SECRET', value: text.slice(start, end), from: text });
  }
}

/**
 * Of a file that is written in the compose file: the whole of a single word, and of several lines what looks like a
 * generated key. Whole lines are not hidden: `level: info` stands in every log.
 */
function contentSecrets(content: string): readonly NamedSecret[] {
  const words = content.split(/[\s"'`,;=]+|:\s/).filter((word) => word !== '');
  const single = words.length === 1;
  return words.flatMap((word) => (single || isGenerated(word) ? [{ name: 'content', value: word }] : []));
}

/** Long, of letters and digits mixed, and neither a path, an address nor a version. */
function isGenerated(word: string): boolean {
  return (
    /^[\w.+/=-]{16,}$/.test(word) &&
    /\d/.test(word) &&
    /[A-Za-z]/.test(word) &&
    !/^[./]|\/\/|^\w+(?:\.\w+)+$/.test(word)
  );
}

export const ARGUMENTS: ReadonlySet<string> = new Set([
  ...['Args', 'Cmd', 'Entrypoint', 'Test', 'command', 'entrypoint', 'test', 'Healthcheck'],
]);

/** `Config.Env`, and `environment` and `build.args` of a service, as a list or a map. */
export function isEnvironment(path: readonly string[]): boolean {
  const key = path.at(-1);
  return key === 'Env' || key === 'environment' || (key === 'args' && path.at(-2) === 'build');
}

/** A field of an entry of a top-level `configs:` or `secrets:`. */
export function isObjectOf(path: readonly string[]): boolean {
  return path.length >= 3 && ['configs', 'secrets'].includes(path.at(-3) ?? '');
}

/** `config` writes `$` as `$$`. */
function undollar(text: string): string {
  return text.replaceAll('$$', '$');
}
