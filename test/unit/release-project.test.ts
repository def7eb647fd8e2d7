import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  changelogSection,
  movingTag,
  readAssets,
  releaseProblems,
  writeAssets,
} from '../../scripts/lib/release-content.mjs';

const CHANGELOG = `# Changelog

## [Unreleased]

## [1.2.3] - 2026-12-01

### Added

- Something.

## [1.2.2] - 2026-11-01

- Before.
`;

describe('a release of this project', () => {
  it('can be cut when version and changelog say the same', () => {
    expect(releaseProblems('v1.2.3', { packageVersion: '1.2.3', changelog: CHANGELOG })).toEqual([]);
    expect(changelogSection(CHANGELOG, '1.2.3')).toBe('### Added\n\n- Something.');
    expect(changelogSection(CHANGELOG, '1.2.2')).toBe('- Before.');
    expect(movingTag('v12.3.4')).toBe('v12');
  });

  it.each([
    ['1.2.3', '1.2.3', CHANGELOG, 'write it as v1.2.3'],
    ['v1.2', '1.2.3', CHANGELOG, 'write it as v1.2.3'],
    ['v1.2.4', '1.2.3', CHANGELOG, 'set it to 1.2.4'],
    ['v1.2.4', '1.2.4', CHANGELOG, 'has no section'],
    ['v1x2.3', '1.2.3', CHANGELOG, 'write it as'],
    ['v1.2.3', '1.2.3', CHANGELOG.replace('### Added\n\n- Something.\n', ''), 'is empty'],
    ['v1.2.3', '1.2.3', CHANGELOG.replace('## [1.2.3]', '- Left.\n\n## [1.2.3]'), 'under Unreleased'],
  ])('%s is refused for package.json %s', (version, packageVersion, changelog, problem) => {
    expect(releaseProblems(version, { packageVersion, changelog }).join('\n')).toContain(problem);
  });

  it('has an archive with the action and its bundle, and its checksum', () => {
    const folder = mkdtempSync(join(tmpdir(), 'rr-release-'));
    try {
      const [archive = '', sum = '', notes = ''] = writeAssets('v9.9.9', folder);
      const names = execFileSync('tar', ['tzf', archive], { encoding: 'utf8' }).split('\n');
      expect(names).toContain('rolling-restart-v9.9.9/action.yml');
      expect(names).toContain('rolling-restart-v9.9.9/dist/main.js');
      expect(names.some((name) => name.includes('/test/') || name.includes('/src/'))).toBe(false);
      expect(execFileSync('sha256sum', ['--check', sum], { cwd: folder, encoding: 'utf8' })).toContain('OK');
      expect(readFileSync(notes, 'utf8')).toMatch(/Pin it by commit: `@[0-9a-f]{40} # v9\.9\.9`/);
      const read = readAssets('v9.9.9', folder);
      expect(read.notes).toBe(readFileSync(notes, 'utf8'));
      expect(read.files.map(({ name }) => name)).toEqual([basename(archive), basename(sum)]);
      expect(read.files[0]?.content.equals(readFileSync(archive))).toBe(true);
      expect(() => readAssets('v9.9.8', folder)).toThrow('node scripts/release.mjs assets v9.9.8');
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
