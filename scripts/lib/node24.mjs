/** The Node that runners execute actions with (`using: node24`), to run the compiled bundle as they do. */
import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './command.mjs';
import { cacheFolder, withLock } from './files.mjs';

/**
 * A Node 24 (or the newer one that runs this script). The npm packages hold nothing but the program.
 *
 * @param {{ log?: (line: string) => void }} [options]
 * @returns {Promise<string>} path of the executable
 * @throws {Error} when it cannot be installed, or does not run here
 */
export async function ensureNode24({ log = () => {} } = {}) {
  if (Number.parseInt(process.versions.node, 10) >= 24) return process.execPath;
  if (process.platform !== 'linux' || !['x64', 'arm64'].includes(process.arch)) {
    throw new Error(
      `there is no npm package of Node 24 for ${process.platform}-${process.arch}: run this with Node 24.`,
    );
  }
  const name = `node-linux-${process.arch}`;
  const folder = join(cacheFolder(), 'node24');
  const program = join(folder, 'node_modules', name, 'bin', 'node');
  await withLock('node24', async () => {
    if (existsSync(program)) return;
    log('fetching Node 24, which runners execute actions with');
    const half = `${folder}.part`;
    rmSync(half, { recursive: true, force: true });
    rmSync(folder, { recursive: true, force: true });
    await run('npm', ['install', '--prefix', half, '--ignore-scripts', '--no-audit', '--no-fund', `${name}@24`], {
      timeoutMs: 300_000,
    });
    renameSync(half, folder);
  });
  const version = await run(program, ['--version']);
  if (!version.startsWith('v24.')) throw new Error(`${program} is ${version}, not Node 24`);
  return program;
}
