import { describe, expect, it } from 'vitest';
import { writtenFiles, type FilesystemChange } from '../../src/model/written-files.js';

const changes = (...lines: readonly string[]): readonly FilesystemChange[] =>
  lines.map((line) => ({ path: line.slice(2), kind: { C: 0, A: 1, D: 2 }[line.slice(0, 1)] as 0 | 1 | 2 }));

describe('what only the writable layer of a container has', () => {
  it.each([
    ['nothing', [], []],
    [
      'a file, without the folders above it',
      ['C /tmp', 'A /tmp/kept', 'C /tmp/deep', 'A /tmp/deep/er'],
      ['/tmp/deep/er', '/tmp/kept'],
    ],
    ['a changed file of the image', ['C /etc', 'C /etc/motd'], ['/etc/motd']],
    ['a deleted file, which nobody misses', ['C /app', 'D /app/old'], []],
    [
      'a mount point, what is in it, and the folders that were made for it',
      ['A /data', 'A /srv', 'A /srv/state', 'A /srv/state/db'],
      [],
    ],
  ])('%s', (_, lines, expected) => {
    expect(writtenFiles(changes(...lines), ['/data', '/srv/state'])).toEqual(expected);
  });
});
