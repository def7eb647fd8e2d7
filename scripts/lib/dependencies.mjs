/** The project's npm packages, as its lock file has them. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './command.mjs';
import { projectRoot, withLock } from './files.mjs';

/**
 * Runs `npm ci` unless `node_modules` already is what the lock file says.
 *
 * @param {{ log?: (line: string) => void }} [options]
 * @returns {Promise<'installed' | 'present'>}
 */
export async function ensureDependencies({ log = () => {} } = {}) {
  if (isInstalled()) return 'present';
  return withLock('dependencies', async () => {
    if (isInstalled()) return 'present';
    log('installing the npm packages');
    await run('npm', ['ci', '--no-audit', '--no-fund'], { cwd: projectRoot, timeoutMs: 600_000 });
    return 'installed';
  });
}

/**
 * Compares what npm noted in `node_modules` with the lock file. By content: file times say nothing after a checkout,
 * and `npm ci` would needlessly take the packages from under another command that runs.
 */
function isInstalled() {
  const noted = readPackages(join(projectRoot, 'node_modules', '.package-lock.json'));
  const locked = readPackages(join(projectRoot, 'package-lock.json'));
  if (!noted || !locked) return false;
  const same = (one, other) => one.version === other.version && one.integrity === other.integrity;
  return Object.entries(locked).every(([path, wanted]) => {
    if (!path.startsWith('node_modules/')) return true;
    const found = noted[path];
    // Packages for other platforms are in the lock file and not installed here.
    return found ? same(found, wanted) : wanted.optional || wanted.devOptional || wanted.peer;
  });
}

function readPackages(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).packages : undefined;
}
