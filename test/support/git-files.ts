import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** An environment in which git knows nobody: neither the machine's configuration nor the user's. */
export const gitEnvironment: NodeJS.ProcessEnv = {
  ...process.env,
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_NAME: 'Test',
  GIT_AUTHOR_EMAIL: 'test@example.com',
  GIT_COMMITTER_NAME: 'Test',
  GIT_COMMITTER_EMAIL: 'test@example.com',
};

export async function git(directory: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await execute('git', args, { cwd: directory, env: gitEnvironment });
  return stdout.trim();
}

export interface GitFiles {
  readonly root: string;
  /** Bare; what `live` was cloned from. */
  readonly origin: string;
  /** Where commits are made and pushed from. */
  readonly work: string;
  /** The checkout on branch `main`. */
  readonly live: string;
  /** Commits files (null removes one) and pushes to the branch. @returns the commit's id */
  push(files: Readonly<Record<string, string | null>>, branch?: string): Promise<string>;
  cleanup(): Promise<void>;
}

/** A bare origin with a first commit of `app.txt`, and a clone of it. */
export async function makeGitFiles(): Promise<GitFiles> {
  const root = await mkdtemp(join(tmpdir(), `rr-git-${randomBytes(3).toString('hex')}-`));
  const [origin, work, live] = [join(root, 'origin.git'), join(root, 'work'), join(root, 'live')];
  await git(root, 'init', '--quiet', '--bare', '--initial-branch=main', origin);
  await git(root, 'init', '--quiet', '--initial-branch=main', work);
  await git(work, 'remote', 'add', 'origin', origin);
  const push: GitFiles['push'] = async (files, branch = 'main') => {
    for (const [name, content] of Object.entries(files)) {
      const file = join(work, name);
      await mkdir(dirname(file), { recursive: true });
      await (content === null ? rm(file) : writeFile(file, content));
    }
    await git(work, 'add', '--all');
    await git(work, 'commit', '--quiet', '--allow-empty', '--message', `change ${Object.keys(files).join(', ')}`);
    await git(work, 'push', '--quiet', 'origin', `HEAD:refs/heads/${branch}`);
    return git(work, 'rev-parse', 'HEAD');
  };
  await push({ 'app.txt': 'one\n' });
  await git(root, 'clone', '--quiet', origin, live);
  return { root, origin, work, live, push, cleanup: () => rm(root, { recursive: true, force: true, maxRetries: 3 }) };
}

export interface GitServer {
  readonly url: string;
  /** The Authorization headers it got, one a request. */
  readonly seen: readonly (string | undefined)[];
  /** The command line of every process of the machine, as anybody could read it while a request was open. */
  readonly processes: ReadonlySet<string>;
  close(): Promise<void>;
}

/**
 * The repositories below a folder over HTTP, for whoever has the token: git's own `http-backend` as a CGI program, which
 * is how git servers are made.
 */
export async function serveGit(folder: string, token: string): Promise<GitServer> {
  const wanted = `basic ${Buffer.from(`x-access-token:${token}`).toString('base64')}`;
  const seen: (string | undefined)[] = [];
  const processes = new Set<string>();
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { authorization } = request.headers;
    seen.push(authorization);
    for (const line of await commandLines()) processes.add(line);
    if (authorization?.toLowerCase() === wanted.toLowerCase()) {
      backend(folder, request, response);
      return;
    }
    response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="private"' }).end();
  };
  const server: Server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    seen,
    processes,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

async function commandLines(): Promise<readonly string[]> {
  const entries = await readdir('/proc').catch(() => undefined);
  if (entries === undefined) return (await execute('ps', ['-eo', 'args'])).stdout.split('\n');
  const ids = entries.filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(ids.map((id) => readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => '')));
  return lines.map((line) => line.replaceAll('\0', ' '));
}

function backend(folder: string, request: IncomingMessage, response: ServerResponse): void {
  const { pathname, search } = new URL(request.url ?? '/', 'http://localhost');
  const child = spawn('git', ['http-backend'], {
    env: {
      ...gitEnvironment,
      GIT_PROJECT_ROOT: folder,
      GIT_HTTP_EXPORT_ALL: '1',
      PATH_INFO: pathname,
      QUERY_STRING: search.slice(1),
      REQUEST_METHOD: request.method ?? 'GET',
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
      GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
      REMOTE_USER: 'test',
    },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  request.pipe(child.stdin);
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.on('close', () => {
    const output = Buffer.concat(chunks);
    const end = output.indexOf('\r\n\r\n');
    for (const line of output.subarray(0, end).toString().split('\r\n')) {
      const [name = '', value = ''] = line.split(/:\s*/, 2);
      if (name.toLowerCase() === 'status') response.statusCode = Number(value.split(' ')[0]);
      else response.setHeader(name, value);
    }
    response.end(output.subarray(end + 4));
  });
}
