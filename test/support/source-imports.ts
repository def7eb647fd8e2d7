import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

/** What a source file imports; type-only imports count like all others. */
export interface SourceFile {
  /** Relative to `src`, as in `steps/roll-out.ts`. */
  readonly path: string;
  /** Files of `src` that it imports, written like `path`. */
  readonly files: readonly string[];
  /** Packages and Node's own modules that it imports. */
  readonly packages: readonly string[];
  readonly lines: number;
}

const SOURCE = fileURLToPath(new URL('../../src/', import.meta.url));

/** Reads every file of `src`. */
export function readSources(): readonly SourceFile[] {
  return readdirSync(SOURCE, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .sort()
    .map((file) => parseSource(file, readFileSync(path.join(SOURCE, file), 'utf8')));
}

/** @param file relative to `src` */
export function parseSource(file: string, text: string): SourceFile {
  const imported = ts.preProcessFile(text, true, true).importedFiles.map(({ fileName }) => fileName);
  const relative = imported.filter((name) => name.startsWith('.'));
  return {
    path: file,
    files: relative.map((name) => path.posix.join(path.posix.dirname(file), name).replace(/\.js$/, '.ts')),
    packages: imported.filter((name) => !name.startsWith('.')),
    lines: text.trimEnd().split('\n').length,
  };
}

/** @returns the first folder of a path; the file itself for one that lies in `src` */
export function partOf(file: string): string {
  return file.split('/')[0] ?? file;
}

/** @returns a circle of imports, its first file at both ends; undefined when there is none */
export function findCircle(sources: readonly SourceFile[]): readonly string[] | undefined {
  const imports = new Map(sources.map((source) => [source.path, source.files]));
  const finished = new Set<string>();
  const visit = (file: string, above: readonly string[]): readonly string[] | undefined => {
    const seenAt = above.indexOf(file);
    if (seenAt !== -1) return [...above.slice(seenAt), file];
    if (finished.has(file)) return undefined;
    for (const next of imports.get(file) ?? []) {
      const circle = visit(next, [...above, file]);
      if (circle !== undefined) return circle;
    }
    finished.add(file);
    return undefined;
  };
  for (const { path: file } of sources) {
    const circle = visit(file, []);
    if (circle !== undefined) return circle;
  }
  return undefined;
}
