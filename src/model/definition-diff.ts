/**
 * What of a service's definition differs between two releases, as the lines of a unified diff without context: one line
 * for each key, named by its path, as in `environment.LOG_LEVEL: debug`.
 */

/** A definition as it is, and as it may be shown: the same structure, secrets replaced. */
export interface ShownDefinition {
  readonly raw: unknown;
  readonly shown: unknown;
}

/** A leaf of a definition. */
interface Leaf {
  readonly raw: string;
  readonly shown: string;
}

/**
 * @param before the service's part of the definition that runs
 * @param after the same of the wanted one
 * @returns lines that begin with `- ` or `+ `, sorted by key; empty when both are the same
 */
export function definitionDiff(before: ShownDefinition, after: ShownDefinition): readonly string[] {
  const [old, wanted] = [leavesOf(before), leavesOf(after)];
  const paths = [...new Set([...old.keys(), ...wanted.keys()])].sort();
  return paths.flatMap((path) => {
    const [from, to] = [old.get(path), wanted.get(path)];
    if (from?.raw === to?.raw) return [];
    const hidden = from !== undefined && to !== undefined && from.shown === to.shown ? ' (another value, hidden)' : '';
    return [
      ...(from === undefined ? [] : [`- ${path}: ${from.shown}`]),
      ...(to === undefined ? [] : [`+ ${path}: ${to.shown}${hidden}`]),
    ];
  });
}

/**
 * Files that a service mounts, by content hash. Their hashes are not shown: that of a short secret gives it away.
 * @param before undefined when nothing is known about them
 * @param name how a path is shown
 */
export function filesDiff(
  before: Readonly<Record<string, string>> | undefined,
  after: Readonly<Record<string, string>>,
  name: (path: string) => string,
): readonly string[] {
  if (before === undefined) return [];
  const paths = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return paths.flatMap((path) => {
    if (before[path] === after[path]) return [];
    if (before[path] === undefined) return [`+ file ${name(path)}`];
    if (after[path] === undefined) return [`- file ${name(path)}`];
    return [`- file ${name(path)}: contents of before`, `+ file ${name(path)}: other contents`];
  });
}

/** Raw and shown are walked side by side: their keys stand in the same order. */
function leavesOf({ raw, shown }: ShownDefinition): ReadonlyMap<string, Leaf> {
  const leaves = new Map<string, Leaf>();
  const add = (path: string, leaf: Leaf): void => {
    // The same item twice in a list: the second one counts as well.
    let free = path;
    for (let count = 2; leaves.has(free); count += 1) free = `${path} (${count})`;
    leaves.set(free, leaf);
  };
  const walk = (path: string, value: unknown, visible: unknown): void => {
    if (Array.isArray(value)) {
      const items = value as readonly unknown[];
      const shownItems: readonly unknown[] = Array.isArray(visible) ? visible : [];
      if (items.length > 0 && isOrdered(path)) add(path, leafOf(value, visible));
      // The place of an item in other lists means nothing: it is named by what it is.
      else items.forEach((item, index) => add(`${path}[] ${itemName(item)}`.trim(), leafOf(item, shownItems[index])));
    } else if (value !== null && typeof value === 'object') {
      const inner = Object.entries(value as Readonly<Record<string, unknown>>);
      const values: readonly unknown[] =
        visible !== null && typeof visible === 'object' ? Object.values(visible as Record<string, unknown>) : [];
      inner.forEach(([key, one], index) => walk(path === '' ? key : `${path}.${key}`, one, values[index]));
    } else if (value !== null || path.startsWith('environment.')) {
      add(path, leafOf(value, visible));
    }
  };
  walk('', raw, shown);
  return leaves;
}

/** The order of the words of a command is the command. */
function isOrdered(path: string): boolean {
  return /(?:^|\.)(?:command|entrypoint|test)$/.test(path);
}

/** What an entry of a list is recognised by, so that a changed one shows as changed: its target. */
function itemName(item: unknown): string {
  if (item === null || typeof item !== 'object') return '';
  const { target, source } = item as { readonly target?: unknown; readonly source?: unknown };
  const name = target ?? source;
  return typeof name === 'string' || typeof name === 'number' ? String(name) : '';
}

function leafOf(raw: unknown, shown: unknown): Leaf {
  return { raw: JSON.stringify(raw), shown: written(shown) };
}

/** `config` writes `$` as `$$`; a person wrote one. */
function written(value: unknown): string {
  if (value === undefined) return '';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.replaceAll('$$', '$').replaceAll(/[\r\n]+/g, '⏎');
}
