/**
 * Cuts a release of this project; `.github/workflows/release-project.yml` uses all three.
 *
 *     node scripts/release.mjs check VERSION           exit 1 unless VERSION (v1.2.3) is what the repository says it is
 *     node scripts/release.mjs assets VERSION FOLDER   writes the notes, the archive and its checksum there
 *     node scripts/release.mjs publish VERSION FOLDER  publishes them and moves the major tag; may be repeated
 *
 * Only `publish` asks GitHub, as the job's GITHUB_REPOSITORY, with the token in GH_TOKEN or GITHUB_TOKEN.
 */
import { createApi } from '../.github/actions/github-api.mjs';
import { annotate } from '../.github/actions/runner.mjs';
import { readAssets, releaseProblems, releasedCommit, writeAssets } from './lib/release-content.mjs';
import { publishRelease } from './lib/release-publish.mjs';

const RELEASED = 'refs/heads/main';
const say = (line) => process.stdout.write(`${line}\n`);

const commands = {
  check: (version) => check(version),
  assets: (version, folder) => writeAssets(version, folder).forEach(say),
  publish: async (version, folder) => {
    check(version);
    await publishRelease({ version, commit: releasedCommit(), ...readAssets(version, folder) }, github(), say);
  },
};

function check(version) {
  const problems = [...refProblems(process.env.GITHUB_REF), ...releaseProblems(version)];
  if (problems.length > 0) throw new Error(problems.join('\n'));
}

/** In a workflow; a person at a shell knows what is checked out. */
function refProblems(ref = RELEASED) {
  return ref === RELEASED
    ? []
    : [`Releases are cut from main, and this run is one of ${ref}: choose main, and run it again.`];
}

function github() {
  const { GH_TOKEN, GITHUB_TOKEN, GITHUB_REPOSITORY: repository, GITHUB_API_URL: apiUrl } = process.env;
  const token = GH_TOKEN || GITHUB_TOKEN;
  if (!token) throw new Error('Set GH_TOKEN to a token that may write the contents of the repository.');
  if (!repository) throw new Error('Set GITHUB_REPOSITORY to OWNER/NAME.');
  return createApi({ apiUrl: apiUrl || 'https://api.github.com', repository, token });
}

const [name = '', version = '', folder = ''] = process.argv.slice(2);
if (!Object.hasOwn(commands, name) || version === '' || (name !== 'check' && folder === '')) {
  process.stderr.write('node scripts/release.mjs check VERSION | assets VERSION FOLDER | publish VERSION FOLDER\n');
  process.exitCode = 2;
} else {
  try {
    await commands[name](version, folder);
  } catch (error) {
    if (process.env.GITHUB_ACTIONS === 'true') annotate('error', `Release ${version}`, error.message);
    else process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
