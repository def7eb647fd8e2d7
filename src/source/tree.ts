import { randomBytes } from 'node:crypto';
import { ProcedureError } from '../model/errors.js';
import type { TreeFile } from '../model/ports/source.js';
import type { GitCli } from './git-cli.js';

/** Longer files are none that Compose reads. */
const LONGEST_BYTES = 256 * 1024;
const MOST_BYTES = 64 * 1024 * 1024;
const LINK = '120000';
const FILES: ReadonlySet<string> = new Set(['100644', '100755', LINK]);

/**
 * The files of a commit as git has them, by path below the top level: no worktree, and so no hook, no filter, no submodule
 * and nothing written. Bytes that are no text come out as something else, which nobody reads who reads compose files.
 */
export async function readTree(git: GitCli, directory: string, commit: string): Promise<ReadonlyMap<string, TreeFile>> {
  const args = ['ls-tree', '-r', '-z', '--long', '--full-tree', commit];
  const listed = await git.text({ directory, args }, `The files of ${commit.slice(0, 12)} cannot be listed`);
  let left = MOST_BYTES;
  const wanted = listed.split('\0').flatMap((line) => {
    const [, mode = '', object = '', size = '', path = ''] = /^(\d+) blob ([0-9a-f]+) +(\d+)\t([^]*)$/.exec(line) ?? [];
    const bytes = Number(size);
    if (!FILES.has(mode) || bytes > LONGEST_BYTES || bytes > left) return [];
    left -= bytes;
    return [{ mode, object, path }];
  });
  // Between any two contents stands the answer to a question that no commit knows: lengths are in bytes, and this is text.
  const nonce = randomBytes(16).toString('hex');
  const input = wanted.map(({ object }, index) => `${object}\nend-${nonce}-${index}\n`).join('');
  const output = await git.text({ directory, args: ['cat-file', '--batch'], input }, 'The files cannot be read');
  const files = new Map<string, TreeFile>();
  let at = 0;
  wanted.forEach(({ mode, path }, index) => {
    const begin = output.indexOf('\n', at) + 1;
    const mark = `\nend-${nonce}-${index} missing`;
    const end = output.indexOf(mark, begin - 1);
    if (begin === 0 || end === -1) {
      throw new ProcedureError('E_SOURCE', `git did not give ${path} of ${commit.slice(0, 12)}`, {
        next: 'Look whether the checkout is whole: git fsck. Nothing was changed.',
      });
    }
    const content = output.slice(begin, end);
    files.set(path, mode === LINK ? { link: content } : { content: Buffer.from(content) });
    at = end + mark.length + 1;
  });
  return files;
}
