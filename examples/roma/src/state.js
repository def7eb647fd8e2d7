import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * What outlives the container: one line of JSON for every boot and for every
 * entry a user added, in `state.jsonl`. Lines are only ever appended, so two
 * releases that run side by side during a deploy do not lose each other's.
 *
 * @param {string} directory made when it is missing
 */
export function openState(directory) {
  const file = join(directory, 'state.jsonl');
  mkdirSync(directory, { recursive: true });

  const records = () =>
    existsSync(file)
      ? readFileSync(file, 'utf8')
          .split('\n')
          .filter(Boolean)
          .map((line) => JSON.parse(line))
      : [];
  const append = (record) => {
    const withTime = { ...record, time: new Date().toISOString() };
    appendFileSync(file, `${JSON.stringify(withTime)}\n`);
    return withTime;
  };

  return {
    /** Counts this boot and returns its number, from 1. */
    boot(version) {
      append({ type: 'boot', version });
      return records().filter((record) => record.type === 'boot').length;
    },
    addEntry: (text) => append({ type: 'entry', text }),
    entries: () => records().filter((record) => record.type === 'entry'),
  };
}
