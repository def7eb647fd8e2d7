import { describe, expect, it } from 'vitest';
import { findCircle, parseSource, partOf, readSources, type SourceFile } from '../support/source-imports.js';

/**
 * The house (ARCHITECTURE.md, "Who imports whom"): what each part of `src` may import besides itself. Nothing is listed
 * that is above the part, and no adapter lists another one but for `host`, which knows processes.
 */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  model: [],
  operations: ['model'],
  strategies: ['operations', 'model'],
  run: ['operations', 'model'],
  steps: ['strategies', 'run', 'operations', 'model'],
  procedures: ['steps', 'run', 'operations', 'model'],
  shell: ['procedures', 'steps', 'run', 'operations', 'model'],
  // Adapters: they implement the interfaces of model/ports.
  action: ['model'],
  backups: ['model'],
  engine: ['model', 'host'],
  github: ['model'],
  host: ['model'],
  ledger: ['model', 'host'],
  notify: ['model'],
  probe: ['model'],
  report: ['model'],
  routers: ['model'],
  source: ['model', 'host'],
  // What puts the parts together.
  'wiring.ts': [
    'backups',
    'engine',
    'github',
    'host',
    'ledger',
    'notify',
    'probe',
    'report',
    'routers',
    'run',
    'source',
    'operations',
    'model',
  ],
  'publish.ts': ['action', 'report', 'run', 'model'],
  // The doors.
  'main.ts': ['wiring.ts', 'publish.ts', 'procedures', 'action', 'github', 'report', 'model'],
  'post.ts': ['wiring.ts', 'publish.ts', 'procedures', 'action', 'github', 'report', 'model'],
  'cli.ts': ['wiring.ts', 'publish.ts', 'procedures', 'shell', 'action', 'github', 'report', 'model'],
  // The bundle: all doors in one program.
  'program.ts': ['main.ts', 'post.ts', 'cli.ts'],
};

/** Packages that only some parts may import. */
const ONLY_IN: Readonly<Record<string, readonly string[]>> = {
  '@actions/core': ['action'],
  '@actions/exec': ['engine', 'host', 'source'],
  '@actions/github': ['github'],
  dockerode: ['engine'],
  nodemailer: ['notify'],
  'tar-stream': ['backups', 'engine'],
  // A child belongs to a process group that we end: one file starts children.
  'node:child_process': ['host'],
};

/** Types and rules without I/O: of Node they use hashes, and the type of a stream. */
const PURE = { parts: ['model', 'strategies'], packages: ['node:crypto', 'node:stream'] } as const;

const DOORS = ['main.ts', 'post.ts', 'cli.ts'];
const DOOR_LINES = 70;

const sources = readSources();

describe('imports of src', () => {
  it('finds the house and every part of it', () => {
    const parts = [...new Set(sources.map((source) => partOf(source.path)))];
    expect(parts.filter((part) => !(part in MAY_IMPORT))).toEqual([]);
    expect(Object.keys(MAY_IMPORT).filter((part) => !parts.includes(part))).toEqual([]);
  });

  it('run downwards only', () => {
    expect(upwards(sources)).toEqual([]);
  });

  it('lead to files that are there', () => {
    const paths = new Set(sources.map((source) => source.path));
    const lost = sources.flatMap(({ path, files }) =>
      files.filter((file) => !paths.has(file)).map((file) => `${path} → ${file}`),
    );
    expect(lost).toEqual([]);
  });

  it('make no circle', () => {
    expect(findCircle(sources)).toBeUndefined();
  });

  it('reach the engine, the runner and child processes through one part each', () => {
    expect(misplacedPackages(sources)).toEqual([]);
  });

  it('leave the model and the strategies without I/O', () => {
    expect(impure(sources)).toEqual([]);
  });
});

describe('doors', () => {
  it('are thin', () => {
    const thick = sources.filter(({ path, lines }) => DOORS.includes(path) && lines >= DOOR_LINES);
    expect(thick.map(({ path, lines }) => `${path}: ${lines} lines`)).toEqual([]);
  });

  it('are imported by the program alone', () => {
    const users = sources.filter(({ files }) => files.some((file) => DOORS.includes(file)));
    expect(users.map(({ path }) => path)).toEqual(['program.ts']);
  });
});

/** The rules above are only worth something when they see what they forbid. */
describe('these rules', () => {
  it('see imports of every form', () => {
    const text = [
      "import { a } from './a.js';",
      "import type { B } from '../model/b.js';",
      "export * from './c.js';",
      "export type D = import('./d.js').D;",
      "const e = await import('./e.js');",
      "import 'node:fs';",
    ].join('\n');
    const { files, packages } = parseSource('steps/x.ts', text);
    expect(files).toEqual(['steps/a.ts', 'model/b.ts', 'steps/c.ts', 'steps/d.ts', 'steps/e.ts']);
    expect(packages).toEqual(['node:fs']);
  });

  it('see an import upwards and one between adapters', () => {
    const found = upwards([
      parseSource('model/a.ts', "import type { B } from '../steps/b.js';"),
      parseSource('ledger/c.ts', "import { d } from '../engine/d.js';"),
      parseSource('steps/e.ts', "import { f } from '../model/f.js';"),
    ]);
    expect(found).toEqual(['model/a.ts → steps/b.ts', 'ledger/c.ts → engine/d.ts']);
  });

  it('see packages out of place', () => {
    const used = [
      parseSource('steps/a.ts', "import Docker from 'dockerode';"),
      parseSource('report/b.ts', "import { info } from '@actions/core';"),
      parseSource('engine/c.ts', "import type Docker from 'dockerode';"),
    ];
    expect(misplacedPackages(used)).toEqual(['steps/a.ts imports dockerode', 'report/b.ts imports @actions/core']);
    const model = parseSource('model/a.ts', "import { readFile } from 'node:fs/promises';");
    expect(impure([model])).toEqual(['model/a.ts imports node:fs/promises']);
  });

  it('see a circle, also one of types alone', () => {
    const circle = findCircle([
      parseSource('steps/a.ts', "import { b } from './b.js';"),
      parseSource('steps/b.ts', "import { c } from './c.js';"),
      parseSource('steps/c.ts', "import type { A } from './a.js';"),
    ]);
    expect(circle).toEqual(['steps/a.ts', 'steps/b.ts', 'steps/c.ts', 'steps/a.ts']);
  });
});

function upwards(files: readonly SourceFile[]): readonly string[] {
  return files.flatMap(({ path, files: imported }) => {
    const part = partOf(path);
    const allowed = [part, ...(MAY_IMPORT[part] ?? [])];
    return imported.filter((file) => !allowed.includes(partOf(file))).map((file) => `${path} → ${file}`);
  });
}

function misplacedPackages(files: readonly SourceFile[]): readonly string[] {
  return files.flatMap(({ path, packages }) =>
    packages.filter((name) => ONLY_IN[name]?.includes(partOf(path)) === false).map((name) => `${path} imports ${name}`),
  );
}

function impure(files: readonly SourceFile[]): readonly string[] {
  return files
    .filter(({ path }) => PURE.parts.some((part) => part === partOf(path)))
    .flatMap(({ path, packages }) =>
      packages.filter((name) => !PURE.packages.some((pure) => pure === name)).map((name) => `${path} imports ${name}`),
    );
}
