import type { Redactor } from '../model/ports/progress.js';
import { ARGUMENTS, isEnvironment, isObjectOf } from './document-secrets.js';
import { redactArguments } from './secret-arguments.js';
import { MASK } from './secret-index.js';
import { isOrdinary, looksSecret } from './secret-names.js';

/**
 * Inspect and config output: hides values by where they stand, and then everything else by value.
 *
 * Fields: Config.Env, Args, Config.Cmd of `docker inspect`; environment, build.args, command, entrypoint,
 * configs.*.content and secrets.*.content of `docker compose config`; any field or label with a secret-like name. What
 * stands there is hidden also when it equals a name that is never hidden in free text.
 */
export function redactJson(value: unknown, by: ByValue): unknown {
  return walk(value, [], by);
}

/** Hides by value, in a whole text and in one that Docker may have cut. */
type ByValue = Pick<Redactor, 'text' | 'cutText'>;

function walk(value: unknown, path: readonly string[], by: ByValue): unknown {
  // Docker keeps the first 4 KiB of what a health check says.
  if (typeof value === 'string') return path.at(-1) === 'Output' ? by.cutText(value) : by.text(value);
  if (value === null || typeof value !== 'object') return value;
  const key = path.at(-1) ?? '';
  if (Array.isArray(value)) {
    const items = value as readonly unknown[];
    if (isEnvironment(path)) return items.map((item) => (typeof item === 'string' ? assignment(item) : item));
    if (ARGUMENTS.has(key) && items.every((item) => typeof item === 'string')) return redactArguments(items, by.text);
    return items.map((item) => walk(item, path, by));
  }
  const named = value as Readonly<Record<string, unknown>>;
  return Object.fromEntries(
    Object.entries(named).map(([name, inner]) => [by.text(name), redactField(name, inner, path, by)]),
  );
}

function redactField(name: string, value: unknown, path: readonly string[], by: ByValue): unknown {
  const scalar = typeof value === 'string' || typeof value === 'number';
  if (scalar && isEnvironment(path)) return isOrdinary(name, String(value)) ? value : MASK;
  if (scalar && name === 'content' && isObjectOf([...path, name])) return MASK;
  if (typeof value === 'string' && value !== '' && looksSecret(name) && !isOrdinary(name, value)) return MASK;
  return walk(value, [...path, name], by);
}

/** `NAME=value` */
function assignment(item: string): string {
  const equals = item.indexOf('=');
  if (equals === -1) return item;
  const name = item.slice(0, equals);
  return isOrdinary(name, item.slice(equals + 1)) ? item : `${name}=${MASK}`;
}
