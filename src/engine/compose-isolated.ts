import { readdir, readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { pack } from 'tar-stream';
import { runChild, type ChildResult } from '../host/child.js';
import { lastLines } from '../host/tail.js';
import { ProcedureError } from '../model/errors.js';
import { helperLabels } from '../model/own-names.js';
import type { IsolatedCompose, TreeEntry } from '../model/ports/isolated-compose.js';
import type { EngineClient } from './client.js';
import type { CliCall } from './compose-cli.js';
import { parseProject } from './compose-model.js';
import { BY_THE_CLI, composeProgram } from './compose-program.js';
import { renderDocument } from './compose-render.js';
import { removeContainer } from './containers.js';
import { readLogs } from './logs.js';
import { putArchive } from './put-archive.js';
import { createFromEmptyImage } from './records.js';

/** Where the program lies in its container; no tree has a folder of that name at its root. */
const PROGRAM = '/.rolling-restart-compose';
const START_MS = 30_000;
const RENDER_MS = 60_000;
const LDD_MS = 10_000;
const SHOWN_LINES = 30;
/** Nobody: it owns nothing, and may write nowhere. */
const NOBODY = '65534:65534';
const MEMORY_BYTES = 512 * 1024 * 1024;
const PROCESSES = 256;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Compose's own program in a container with nothing in it but that program, the libraries that it is linked with, and the
 * tree: whatever a compose file names (`env_file`, `extends`, `include`, or what Compose will learn to read one day) is a
 * path into that, and there is no network to fetch from. Nothing of the tree is executed.
 */
export function createIsolatedCompose(client: EngineClient, run: string, environment: Environment): IsolatedCompose {
  let program: Promise<Program> | undefined;
  return {
    async render(target, tree, { project, signal }) {
      const { files, variables } = await (program ??= readProgram(environment));
      const archive = await treeArchive(files, tree);
      const labels = helperLabels({ work: 'render', project, lifeMs: START_MS + RENDER_MS }, run, Date.now());
      const render = (call: CliCall): Promise<ChildResult> =>
        runInContainer(client, { call, archive, variables, labels, signal });
      return parseProject(await renderDocument({ run: render }, target, nowhere));
    },
  };
}

/** The files that lie at these paths on the host are those of another commit. */
const nowhere = (): Promise<undefined> => Promise.resolve(undefined);

interface Program {
  readonly files: ReadonlyMap<string, TreeEntry>;
  readonly variables: Readonly<Record<string, string>>;
}

async function readProgram(environment: Environment): Promise<Program> {
  const { command, environment: variables } = await composeProgram(environment);
  if (command === BY_THE_CLI.command) {
    throw new ProcedureError('E_ENGINE_UNREACHABLE', "Compose's own program is not found, to render by itself", {
      next: 'Install the Compose plugin of Docker as a file in one of the folders that Docker looks in. Nothing was changed.',
    });
  }
  const files = new Map<string, TreeEntry>([[PROGRAM, { content: await readFile(command) }]]);
  // Docker's own build is linked with nothing; those of distributions are.
  const { stdout } = await runChild({ command: 'ldd', args: [command], env: { ...environment }, timeoutMs: LDD_MS });
  for (const [, library] of stdout.matchAll(/(?:=>\s*|^\s*)(\/\S+)\s+\(0x/gm)) {
    if (library !== undefined) files.set(library, { content: await readFile(library) });
  }
  return { files, variables };
}

/**
 * What the kernel shows to every container of the machine, such as its command line; what is left of /proc is about the
 * program itself.
 */
async function kernelPaths(): Promise<readonly string[]> {
  const names = await readdir('/proc').catch(() => ['cmdline', 'version', 'cpuinfo', 'meminfo', 'sys']);
  const ofProcesses = new Set(['self', 'thread-self', 'mounts', 'net']);
  const kernel = names.filter((name) => !/^\d+$/.test(name) && !ofProcesses.has(name));
  return ['/sys', ...kernel.map((name) => `/proc/${name}`)];
}

/** The loader of programs is a library that is executed itself. */
async function treeArchive(
  program: ReadonlyMap<string, TreeEntry>,
  tree: ReadonlyMap<string, TreeEntry>,
): Promise<Buffer> {
  const archive = pack();
  const owner = { uid: 0, gid: 0, mtime: new Date(0) };
  for (const [path, entry] of [...tree, ...program]) {
    const name = path.replace(/^\/+/, '');
    if ('link' in entry) archive.entry({ ...owner, name, type: 'symlink', linkname: entry.link });
    else archive.entry({ ...owner, name, mode: program.has(path) ? 0o755 : 0o644 }, entry.content);
  }
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

interface Rendering {
  readonly call: CliCall;
  readonly archive: Buffer;
  readonly variables: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

async function runInContainer(
  client: EngineClient,
  { call, archive, variables, labels, signal }: Rendering,
): Promise<ChildResult> {
  const id = await createFromEmptyImage(client, {
    name: undefined,
    labels,
    mounts: [],
    program: {
      command: [PROGRAM, ...call.args],
      environment: { ...variables, HOME: '/', PATH: '/' },
      directory: call.directory ?? '/',
      user: NOBODY,
      memoryBytes: MEMORY_BYTES,
      processes: PROCESSES,
      maskedPaths: await kernelPaths(),
    },
  });
  try {
    await putArchive(client, 'give Compose the tree', { container: id, folder: '/', archive });
    await client.call(
      `start ${call.title} in a container of its own`,
      async (docker, abortSignal) => {
        await docker.getContainer(id).start({ abortSignal });
      },
      { timeoutMs: START_MS, signal },
    );
    const ended = (await client.call(
      call.title,
      (docker, abortSignal) => docker.getContainer(id).wait({ abortSignal }) as Promise<unknown>,
      { timeoutMs: RENDER_MS, signal },
    )) as { readonly StatusCode: number };
    const [stdout, stderr] = await Promise.all([
      text(await readLogs(client, id, { only: 'stdout', signal })),
      text(await readLogs(client, id, { only: 'stderr', signal })),
    ]);
    if (stderr.startsWith(`exec ${PROGRAM}`)) {
      throw new ProcedureError('E_ENGINE', `Compose cannot be run in a container of its own: ${stderr.trim()}`, {
        next: 'The engine has to be of the architecture that the runner is of. Nothing was changed.',
      });
    }
    return { exitCode: ended.StatusCode, endedBy: undefined, stdout, stderr, shown: lastLines(stderr, SHOWN_LINES) };
  } finally {
    await removeContainer(client, id);
  }
}
