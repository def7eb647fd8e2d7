/**
 * Removes what carries the demo's own name from the engine, and nothing else. It asks the engine and not a file: also
 * what a killed demo left is found.
 */
import { run, tryRun } from '../lib/command.mjs';

/** Compose's label, and ours on what outlives a run: records and lock. */
const LABELS = ['com.docker.compose.project', 'rolling-restart.project'];

/** The names this script gives. Anything else is somebody's own and is not touched. */
const OWN_NAME = /^rr-demo-[0-9a-f]{8}$/;

const KINDS = [
  { noun: 'container', list: ['ps', '-aq'], remove: ['rm', '--force', '--volumes'] },
  { noun: 'network', list: ['network', 'ls', '-q'], remove: ['network', 'rm'] },
  { noun: 'volume', list: ['volume', 'ls', '-q'], remove: ['volume', 'rm', '--force'] },
];

const UNTAGGED = ['images', '-q', '--no-trunc'];

/**
 * @param {string} name of the demo's compose project
 * @returns {Promise<string[]>} what was removed: `2 containers`, …
 * @throws {Error} when something of it is still there afterwards
 */
export async function sweep(name) {
  if (!OWN_NAME.test(name))
    throw new Error(`"${name}" is not the name of a demo (rr-demo-, and eight hexadecimal digits)`);
  const removed = [];
  for (const { noun, list, remove } of KINDS)
    removed.push(...(await removeAll(noun, await labelled(list, name), remove)));
  // Tags first: an image that several of them name is gone with the last.
  removed.push(...(await removeAll('image', await tags(name), ['rmi', '--force'])));
  await removeAll('image', await labelled(UNTAGGED, name), ['rmi', '--force']);
  const left = await whatIsLeft(name);
  if (left.length > 0) throw new Error(`still on the engine: ${left.join(', ')}`);
  return removed;
}

async function removeAll(noun, found, remove) {
  if (found.length === 0) return [];
  await tryRun('docker', [...remove, ...found], { timeoutMs: 60_000 });
  return [`${found.length} ${noun}${found.length === 1 ? '' : 's'}`];
}

async function whatIsLeft(name) {
  const found = await Promise.all(KINDS.map(({ list }) => labelled(list, name)));
  return [...found.flat(), ...(await tags(name)), ...(await labelled(UNTAGGED, name))];
}

async function labelled(list, name) {
  const found = await Promise.all(
    LABELS.map((label) => run('docker', [...list, '--filter', `label=${label}=${name}`], { timeoutMs: 30_000 })),
  );
  return [...new Set(found.flatMap(lines))];
}

/** Image names as Compose and we give them. */
async function tags(name) {
  const all = lines(await run('docker', ['images', '--format', '{{.Repository}}:{{.Tag}}'], { timeoutMs: 30_000 }));
  return all.filter((tag) => tag.startsWith(`rolling-restart/${name}-`) || tag.startsWith(`${name}-`));
}

const lines = (text) => text.split('\n').filter((line) => line !== '');
