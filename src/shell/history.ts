import { changesOf, newestFirst, type Change } from '../model/history.js';
import { formatDuration } from '../model/units.js';
import { servicesOf } from './services.js';
import type { Shell, ShellCommand } from './shell-command.js';

/** The last changes of a project, from the ledger on its engine: whoever made them, and wherever. */
export const history: ShellCommand = {
  name: 'history',

  async perform(shell) {
    const all: Change[] = [];
    for (const service of await servicesOf(shell)) all.push(...(await changesIn(shell, service)));
    const changes = newestFirst(all).slice(0, shell.options.limit);
    const more = all.length - changes.length;
    return {
      green: true,
      headline:
        changes.length === 0
          ? `${shell.project}: nothing was changed from here yet`
          : `${shell.project}: the last ${changes.length} changes${more === 0 ? '' : `, and ${more} older ones (--limit)`}`,
      tables:
        changes.length === 0 ? [] : [{ title: 'Changes, newest first', columns: COLUMNS, rows: changes.map(row) }],
      nextSteps: [],
      value: { project: shell.project, changes, older: more },
    };
  },
};

const COLUMNS = ['When', 'Service', 'What', 'Outcome', 'Release', 'By', 'Took', 'Outage', 'Why'];

async function changesIn({ ledger }: Shell, service: string): Promise<readonly Change[]> {
  const [kept, rows] = await Promise.all([ledger.history(service), ledger.sloRecords(service)]);
  return changesOf(service, kept, rows);
}

function row(change: Change): readonly string[] {
  const { at, service, what, outcome, release, by, timeMs, downtimeMs, reason } = change;
  const time = (ms: number | undefined): string => (ms === undefined ? '–' : formatDuration(ms));
  return [at, service, what, outcome ?? '–', release ?? '–', by ?? '–', time(timeMs), time(downtimeMs), reason ?? ''];
}
