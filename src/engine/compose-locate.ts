import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Document, LineCounter, Node } from 'yaml';
import type { ComposeTarget } from '../model/ports/engine.js';

type Yaml = typeof import('yaml');

/** What Compose reads where no file is named, and what it lays over it (compose-spec, 03-compose-file). */
const DEFAULT_FILES: readonly (readonly string[])[] = [
  ['compose.yaml', 'compose.yml', 'docker-compose.yml', 'docker-compose.yaml'],
  ['compose.override.yml', 'compose.override.yaml', 'docker-compose.override.yml', 'docker-compose.override.yaml'],
];

/** Where the trouble is in one file. */
interface Place {
  readonly line: number;
  /** How much of what Compose names was found; the file with most of it is meant. */
  readonly depth: number;
}

/**
 * Compose names the place of a mistake in its model, and for a syntax error a line that is often another one. A person wants
 * the file and the line.
 * @param stderr of `docker compose config`
 * @returns `compose.yaml:12`, the file as it lies below the project directory; undefined when it cannot be told
 */
export async function locateMistake(target: ComposeTarget, stderr: string): Promise<string | undefined> {
  const named = /validating ([^:]+): /.exec(stderr)?.[1];
  const files = named === undefined ? await filesOf(target) : [named];
  let best: (Place & { readonly file: string }) | undefined;
  for (const file of files) {
    const text = await readFile(file, 'utf8').catch(() => undefined);
    const place = text === undefined ? undefined : await placeIn(text, stderr);
    if (place !== undefined && place.depth > (best?.depth ?? -1)) best = { ...place, file };
  }
  if (best === undefined) return undefined;
  const below = path.relative(target.directory, best.file);
  return `${below.startsWith('..') ? best.file : below}:${best.line}`;
}

async function filesOf({ files, directory, document }: ComposeTarget): Promise<readonly string[]> {
  if (document !== undefined) return [];
  if (files.length > 0) return files.filter((file) => file !== '-').map((file) => path.resolve(directory, file));
  const found: string[] = [];
  for (const names of DEFAULT_FILES) {
    for (const name of names) {
      const file = path.join(directory, name);
      const isThere = await readFile(file).then(
        () => true,
        () => false,
      );
      if (!isThere) continue;
      found.push(file);
      break;
    }
  }
  return found;
}

/** @returns the place in one file; exported for its table of what the versions of Compose say */
export async function placeIn(text: string, stderr: string): Promise<Place | undefined> {
  // Only where something is wrong: reading the package takes longer than the whole start of a run.
  const yaml = await import('yaml');
  const lines = new yaml.LineCounter();
  const document = yaml.parseDocument(text, { lineCounter: lines, merge: true });
  if (/(?:^|\s)yaml: /m.test(stderr)) return syntaxPlace(yaml, document, lines, stderr);
  const asked = askedFor(stderr);
  return asked === undefined ? undefined : walk(yaml, document, lines, asked);
}

const CERTAIN = 1_000;

function syntaxPlace(yaml: Yaml, document: Document.Parsed, lines: LineCounter, stderr: string): Place | undefined {
  const [error] = document.errors;
  const line = error?.linePos?.[0].line;
  if (error !== undefined && line !== undefined) {
    const open = error.code === 'MISSING_CHAR' ? quoteLeftOpen(yaml, document, lines, error.pos[0]) : undefined;
    return { line: open ?? line, depth: CERTAIN };
  }
  // Go's parser is stricter in places: its own line is better than none.
  const said = /line (\d+)/.exec(stderr)?.[1];
  return said === undefined ? undefined : { line: Number(said), depth: 0 };
}

/** A quote that is not closed is noticed where the text ends; the mistake is where it begins. */
function quoteLeftOpen(yaml: Yaml, document: Document.Parsed, lines: LineCounter, at: number): number | undefined {
  let line: number | undefined;
  yaml.visit(document, {
    Scalar(_key, { type, range }) {
      if (range === undefined || range === null || !(type ?? '').startsWith('QUOTE') || range[0] > at || range[1] < at)
        return;
      line ??= lines.linePos(range[0]).line;
    },
  });
  return line;
}

interface Asked {
  readonly tokens: readonly string[];
  /** A key that may not be there. */
  readonly property: string | undefined;
}

/** The forms of Compose 2.24 to 5: `services.app.ports must be a list`, `services.app additional properties 'x' not allowed`. */
function askedFor(stderr: string): Asked | undefined {
  const property = /additional propert(?:y|ies) '?([^\s',]+)'?/i.exec(stderr)?.[1];
  const [, service, rest = ''] = /service "([^"]+)" ([^:\n]*)/.exec(stderr) ?? [];
  if (service !== undefined) {
    const key = /depends on/.test(rest)
      ? 'depends_on'
      : (/undefined (volume|network|secret|config)/.exec(rest)?.[1] ?? '');
    return { tokens: ['services', service, key === 'depends_on' || key === '' ? key : `${key}s`], property: undefined };
  }
  const where = /(?:^|[\s:])((?:services|volumes|networks|configs|secrets|include)\.[^\s:]+)/m.exec(stderr)?.[1];
  if (where !== undefined) return { tokens: where.split('.'), property };
  return property === undefined ? undefined : { tokens: [], property };
}

function walk(
  yaml: Yaml,
  document: Document.Parsed,
  lines: LineCounter,
  { tokens, property }: Asked,
): Place | undefined {
  let node: Node | null = document.contents;
  let line: number | undefined;
  let depth = 0;
  const lineOf = (one: unknown): number | undefined => {
    const start = yaml.isNode(one) ? one.range?.[0] : undefined;
    return start === undefined ? undefined : lines.linePos(start).line;
  };
  let left = tokens;
  while (left.length > 0) {
    const step = stepInto(yaml, node, left);
    if (step === undefined) break;
    line = lineOf(step.at) ?? line;
    node = step.node;
    left = left.slice(step.taken);
    depth += step.taken;
  }
  if (property !== undefined && left.length === 0) {
    const step = stepInto(yaml, node, [property]);
    if (step !== undefined) return { line: lineOf(step.at) ?? line ?? 1, depth: depth + 1 };
  }
  return line === undefined ? undefined : { line, depth };
}

interface Step {
  /** What has the line. */
  readonly at: unknown;
  readonly node: Node | null;
  /** How many of the words it stands for: a name may hold dots. */
  readonly taken: number;
}

function stepInto(yaml: Yaml, node: Node | null, words: readonly string[]): Step | undefined {
  if (yaml.isMap(node)) {
    for (let taken = words.length; taken > 0; taken -= 1) {
      const name = words.slice(0, taken).join('.');
      const pair = node.items.find(({ key }) => yaml.isScalar(key) && String(key.value) === name);
      if (pair !== undefined) return { at: pair.key, node: yaml.isNode(pair.value) ? pair.value : null, taken };
    }
  }
  const index = Number(words[0]);
  if (yaml.isSeq(node) && Number.isInteger(index)) {
    const item = node.items[index];
    return item === undefined ? undefined : { at: item, node: yaml.isNode(item) ? item : null, taken: 1 };
  }
  return undefined;
}
