/**
 * What a release of this project is made of.
 *
 *     node scripts/release.mjs check VERSION          exit 1 unless VERSION (v1.2.3) is what the repository says it is
 *     node scripts/release.mjs assets VERSION FOLDER  writes the notes, the archive and its checksum there
 *
 * `.github/workflows/release-project.yml` uses both; neither touches GitHub.
 */
import { createHash } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { projectRoot } from './lib/files.mjs';

/** What a host needs to use the action without the repository's history; the rest is at the tag. */
const CONTENT = [
  'action.yml',
  'dist',
  '.github/actions',
  '.github/workflows',
  'docs',
  'LICENSE',
  'README.md',
  'CHANGELOG.md',
];

/**
 * @param {string} version as in `v1.2.3`
 * @param {{ packageVersion: string, changelog: string }} repository
 * @returns {string[]} what stands in the way, one text each; empty when it can be released
 */
export function releaseProblems(version, { packageVersion, changelog }) {
  if (!/^v\d+\.\d+\.\d+$/.test(version)) return [`${version} is not a version: write it as v1.2.3`];
  const number = version.slice(1);
  const problems = [];
  if (packageVersion !== number) problems.push(`package.json says ${packageVersion}: set it to ${number}`);
  const section = changelogSection(changelog, number);
  if (section === undefined) problems.push(`CHANGELOG.md has no section "## [${number}] - YEAR-MONTH-DAY"`);
  else if (section === '') problems.push(`the section ${number} of CHANGELOG.md is empty`);
  if ((changelogSection(changelog, 'Unreleased') ?? '') !== '')
    problems.push('CHANGELOG.md has changes under Unreleased: move them to the version, or release them later');
  return problems;
}

/**
 * @param {string} changelog in the form of Keep a Changelog
 * @param {string} name a version without `v`, or `Unreleased`
 * @returns {string | undefined} the text below its heading, trimmed; undefined when there is no such heading
 */
export function changelogSection(changelog, name) {
  const date = name === 'Unreleased' ? '' : String.raw` - \d{4}-\d{2}-\d{2}`;
  const heading = new RegExp(`^## \\[${name.replaceAll('.', '\\.')}\\]${date}$`, 'm').exec(changelog);
  if (heading === null) return undefined;
  const after = changelog.slice(heading.index + heading[0].length);
  const next = /^## \[|^\[[^\]]+\]: /m.exec(after);
  return after.slice(0, next?.index).trim();
}

/** The tag that moves with each release of a major version: `v1` for `v1.2.3`. */
export const movingTag = (version) => version.slice(0, version.indexOf('.'));

/**
 * @param {string} version
 * @param {string} folder
 * @returns {string[]} paths of what was written
 */
export function writeAssets(version, folder) {
  mkdirSync(folder, { recursive: true });
  const archive = join(folder, `rolling-restart-${version}.tar.gz`);
  const prefix = `rolling-restart-${version}/`;
  execFileSync('git', ['archive', '--format=tar.gz', `--prefix=${prefix}`, `--output=${archive}`, 'HEAD', ...CONTENT], {
    cwd: projectRoot,
  });
  const sum = createHash('sha256').update(readFileSync(archive)).digest('hex');
  writeFileSync(`${archive}.sha256`, `${sum}  rolling-restart-${version}.tar.gz\n`);
  const commit = execFileSync('git', ['rev-parse', 'HEAD'], { cwd: projectRoot, encoding: 'utf8' }).trim();
  const section = changelogSection(readFileSync(join(projectRoot, 'CHANGELOG.md'), 'utf8'), version.slice(1)) ?? '';
  const pin = `Pin it by commit: \`@${commit} # ${version}\`. \`${movingTag(version)}\` moves to the newest release of its kind.`;
  writeFileSync(join(folder, 'notes.md'), `${section}\n\n${pin}\n`);
  return [archive, `${archive}.sha256`, join(folder, 'notes.md')];
}

function main([command, version = '', folder = '']) {
  const read = (file) => readFileSync(join(projectRoot, file), 'utf8');
  if (command === 'check') {
    const repository = { packageVersion: JSON.parse(read('package.json')).version, changelog: read('CHANGELOG.md') };
    const problems = releaseProblems(version, repository);
    for (const problem of problems) process.stderr.write(`${problem}\n`);
    process.exitCode = problems.length === 0 ? 0 : 1;
  } else if (command === 'assets' && folder !== '') {
    process.stdout.write(`${writeAssets(version, folder).join('\n')}\n`);
  } else {
    process.stderr.write('node scripts/release.mjs check VERSION | assets VERSION FOLDER\n');
    process.exitCode = 2;
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) main(process.argv.slice(2));
