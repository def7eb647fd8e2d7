import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { ComposeTarget } from '../model/ports/engine.js';
import type { ComposeProject } from '../model/service.js';
import type { Viewing } from './session.js';

/**
 * Hands a rendered document to Compose as a file. It holds every environment value, so it is private and short-lived.
 */
export async function withRendered<T>(
  viewing: Pick<Viewing, 'request' | 'project' | 'opened'>,
  document: Readonly<Record<string, unknown>>,
  body: (target: ComposeTarget) => Promise<T>,
): Promise<T> {
  const folder = path.join(viewing.request.stateDir, 'rendered');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const file = path.join(folder, `${viewing.project}-${randomBytes(6).toString('hex')}.json`);
  await writeFile(file, JSON.stringify(document), { mode: 0o600 });
  try {
    return await body({
      files: [file],
      directory: viewing.request.workingDirectory,
      projectDirectory: viewing.opened.place.directory,
      projectName: viewing.project,
      envFiles: [],
    });
  } finally {
    await rm(file, { force: true });
  }
}

/** @returns Compose's own hash of every service of a rendered project */
export async function renderedHashes(
  viewing: Viewing,
  project: ComposeProject,
): Promise<Readonly<Record<string, string>>> {
  return viewing.compose.documentHashes(project.document, viewing.opened.place.directory);
}

/** Files that a killed run left behind; younger ones may belong to a check or a dry run beside this one. */
const STALE_MS = 10 * 60_000;

/** Takes rendered definitions away that nobody needs any more: they hold secrets. */
export async function removeStaleRendered(viewing: Pick<Viewing, 'request' | 'project'>): Promise<void> {
  const folder = path.join(viewing.request.stateDir, 'rendered');
  for (const name of await readdir(folder).catch(() => [])) {
    const file = path.join(folder, name);
    const facts = await stat(file).catch(() => undefined);
    if (facts !== undefined && Date.now() - facts.mtimeMs > STALE_MS) await rm(file, { force: true });
  }
}
