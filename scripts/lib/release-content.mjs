/** What a release of this project is made of. GitHub is not asked here. */
import { createHash } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { projectRoot } from './files.mjs';

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

const NOTES = 'notes.md';

/**
 * @param {string} version as in `v1.2.3`
 * @param {{ packageVersion: string, changelog: string }} [repository] default: this one
 * @returns {string[]} what stands in the way, one text each; empty when it can be released
 */
export function releaseProblems(version, { packageVersion, changelog } = ownRepository()) {
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

/** The commit that is checked out, which is the one that is archived. */
export const releasedCommit = () => git('rev-parse', 'HEAD').trim();

/**
 * @param {string} version
 * @param {string} folder
 * @returns {string[]} paths of what was written
 */
export function writeAssets(version, folder) {
  mkdirSync(folder, { recursive: true });
  const [archiveName, checksumName] = assetNames(version);
  const archive = join(folder, archiveName);
  const output = `--output=${resolve(archive)}`;
  git('archive', '--format=tar.gz', `--prefix=rolling-restart-${version}/`, output, 'HEAD', ...CONTENT);
  const sum = createHash('sha256').update(readFileSync(archive)).digest('hex');
  const checksum = join(folder, checksumName);
  writeFileSync(checksum, `${sum}  ${archiveName}\n`);
  const section = changelogSection(ownRepository().changelog, version.slice(1)) ?? '';
  const pin = `Pin it by commit: \`@${releasedCommit()} # ${version}\`. \`${movingTag(version)}\` moves to the newest release of its kind.`;
  const notes = join(folder, NOTES);
  writeFileSync(notes, `${section}\n\n${pin}\n`);
  return [archive, checksum, notes];
}

/**
 * @param {string} version
 * @param {string} folder that `writeAssets` filled
 * @returns {{ notes: string, files: { name: string, content: Buffer }[] }}
 */
export function readAssets(version, folder) {
  try {
    const files = assetNames(version).map((name) => ({ name, content: readFileSync(join(folder, name)) }));
    return { notes: readFileSync(join(folder, NOTES), 'utf8'), files };
  } catch (error) {
    const remedy = `make them with: node scripts/release.mjs assets ${version} ${folder}`;
    throw new Error(`The assets of ${version} cannot be read (${error.message}): ${remedy}`, { cause: error });
  }
}

/** The archive and its checksum. */
function assetNames(version) {
  const archive = `rolling-restart-${version}.tar.gz`;
  return [archive, `${archive}.sha256`];
}

function ownRepository() {
  const read = (file) => readFileSync(join(projectRoot, file), 'utf8');
  return { packageVersion: JSON.parse(read('package.json')).version, changelog: read('CHANGELOG.md') };
}

function git(...args) {
  return execFileSync('git', args, { cwd: projectRoot, encoding: 'utf8' });
}
