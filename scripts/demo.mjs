/**
 * `npm run demo`: the whole of it in about a minute, on a service of its own that is gone afterwards.
 *
 *     npm run demo                        see `--help`
 *     npm run demo -- --verbose           every line of every run
 *     npm run demo -- --keep              leave the service running, to look around
 *     npm run demo -- --remove NAME       remove what an earlier demo left
 *
 * Plain Node and the committed bundle: it runs in a fresh clone, before `npm ci`.
 */
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 12)) {
  console.error(`The demo needs Node 20.12 or newer, and this is ${process.version}.`);
  process.exit(1);
}
const { main } = await import('./demo/main.mjs');
process.exitCode = await main(process.argv.slice(2));
