import { lstat, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { ComposeTarget } from '../model/ports/engine.js';
import type { TreeEntry } from '../model/ports/isolated-compose.js';
import { standInFile } from '../model/stand-in.js';
import type { Viewing } from './session.js';

const LONGEST_VARIABLES_BYTES = 64 * 1024;

/**
 * The files of a commit by the paths that they would have in the live checkout, and stand-ins for the variable files of
 * the host that git does not track. Nothing else of the host is among them.
 */
export async function isolatedTree(
  viewing: Viewing,
  { top, commit, target }: { readonly top: string; readonly commit: string; readonly target: ComposeTarget },
): Promise<ReadonlyMap<string, TreeEntry>> {
  const tree = new Map<string, TreeEntry>();
  for (const name of await variableFiles(viewing, top, target)) {
    const content = await standInOf(name);
    if (content !== undefined) tree.set(name, { content: Buffer.from(content) });
  }
  for (const [name, file] of await viewing.source.files(top, commit)) tree.set(path.join(top, name), file);
  return tree;
}

/** Those that the inputs name, and whatever the checkout has beside git. */
async function variableFiles(
  { source }: Viewing,
  top: string,
  { envFiles }: ComposeTarget,
): Promise<readonly string[]> {
  const untracked = (await source.untracked(top)).filter((name) => !name.endsWith('/'));
  return [...new Set([...untracked.map((name) => path.join(top, name)), ...envFiles])];
}

async function standInOf(file: string): Promise<string | undefined> {
  const facts = await lstat(file).catch(() => undefined);
  if (facts?.isFile() !== true || facts.size > LONGEST_VARIABLES_BYTES) return undefined;
  const text = await readFile(file, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : standInFile(text);
}
