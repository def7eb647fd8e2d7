import { MASK } from './secret-index.js';
import { isOrdinary, looksSecret } from './secret-names.js';

/**
 * Inspect and config output: hides values by where they stand, and then everything else by value.
 *
 * Fields: Config.Env, Args, Config.Cmd of `docker inspect`; environment, build.args, command, entrypoint,
 * configs.*.content and secrets.*.content of `docker compose config`; any field with a secret-like name. Labels stay, but
 * for known values.
 */
export function redactJson(value: unknown, text: (plain: string) => string): unknown {
  return walk(value, [], text);
}

type Text = (plain: string) => string;

function walk(value: unknown, path: readonly string[], text: Text): unknown {
  if (typeof value === 'string') return text(value);
  if (value === null || typeof value !== 'object') return value;
  const key = path.at(-1) ?? '';
  if (Array.isArray(value)) {
    const items = value as readonly unknown[];
    if (isEnvironment(path)) return items.map((item) => (typeof item === 'string' ? assignment(item) : item));
    if (ARGUMENTS.has(key)) return redactArguments(items, path, text);
    return items.map((item) => walk(item, path, text));
  }
  const named = value as Readonly<Record<string, unknown>>;
  return Object.fromEntries(
    Object.entries(named).map(([name, inner]) => [text(name), redactField(name, inner, path, text)]),
  );
}

function redactField(name: string, value: unknown, path: readonly string[], text: Text): unknown {
  const scalar = typeof value === 'string' || typeof value === 'number';
  if (scalar && isEnvironment(path)) return isOrdinary(name, String(value)) ? value : MASK;
  if (scalar && name === 'content' && isObjectOf(path)) return MASK;
  if (typeof value === 'string' && value !== '' && !isInLabels(path) && looksSecret(name) && !isOrdinary(name, value)) {
    return MASK;
  }
  return walk(value, [...path, name], text);
}

/** `Config.Env`, and `environment` and `build.args` of a service, as a list or a map. */
function isEnvironment(path: readonly string[]): boolean {
  const key = path.at(-1);
  return key === 'Env' || key === 'environment' || (key === 'args' && path.at(-2) === 'build');
}

/** An entry of a top-level `configs:` or `secrets:`. */
function isObjectOf(path: readonly string[]): boolean {
  return path.length >= 2 && ['configs', 'secrets'].includes(path.at(-2) ?? '');
}

function isInLabels(path: readonly string[]): boolean {
  return path.some((key) => key === 'Labels' || key === 'labels');
}

/** `NAME=value` */
function assignment(item: string): string {
  const equals = item.indexOf('=');
  if (equals === -1) return item;
  const name = item.slice(0, equals);
  return isOrdinary(name, item.slice(equals + 1)) ? item : `${name}=${MASK}`;
}

const ARGUMENTS = new Set(['Args', 'Cmd', 'Entrypoint', 'Test', 'command', 'entrypoint', 'test', 'Healthcheck']);

/** `--password=x`, `--password x`, `API_KEY=x`: hidden by the name in front. */
function redactArguments(items: readonly unknown[], path: readonly string[], text: Text): readonly unknown[] {
  let hideNext = false;
  return items.map((item) => {
    if (typeof item !== 'string') return walk(item, path, text);
    if (hideNext && !item.startsWith('-')) {
      hideNext = false;
      return MASK;
    }
    const [, name = '', value] = /^-{0,2}([A-Za-z][\w.-]*)(?:=(.*))?$/s.exec(item) ?? [];
    hideNext = item.startsWith('-') && value === undefined && looksSecret(name);
    if (value !== undefined && looksSecret(name) && !isOrdinary(name, value)) {
      return `${item.slice(0, item.indexOf('='))}=${MASK}`;
    }
    return text(item);
  });
}
