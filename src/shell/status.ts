import type { Drift } from '../model/drift.js';
import { formatDuration } from '../model/units.js';
import type { Finding } from '../model/finding.js';
import { describeOwner } from '../steps/project-owner.js';
import { lookAtService, type KeptRelease, type ServiceStatus } from './service-status.js';
import { servicesOf } from './services.js';
import type { Shell, ShellCommand } from './shell-command.js';

/** What is live, since when, what there is to go back to, who holds the lock, and what somebody changed by hand. */
export const status: ShellCommand = {
  name: 'status',

  async perform(shell) {
    const services: ServiceStatus[] = [];
    const hashes = await hashesOf(shell);
    for (const service of await servicesOf(shell)) services.push(await lookAtService(shell, service, hashes[service]));
    const [lock, checkout] = [await lockOf(shell), checkoutOf(shell)];
    const drifts = services.flatMap(({ drift }) => drift);
    const modified = checkout?.modified ?? [];
    const owner = shell.opened === undefined ? undefined : await describeOwner({ ...shell, opened: shell.opened });
    const kept = services.flatMap(({ goBackTo }) => goBackTo);
    const found = drifts.length + (modified.length === 0 ? 0 : 1) + (owner === undefined ? 0 : 1);
    return {
      green: true,
      headline: `${shell.project}: ${found === 0 ? 'everything is as it was deployed' : `${found} ${found === 1 ? 'thing is' : 'things are'} not as deployed`}`,
      tables: [
        ...(services.length === 0 ? [] : [{ title: 'Live', columns: LIVE, rows: services.map(liveRow) }]),
        ...containerTable(services),
        ...servingTable(services),
        ...(kept.length === 0 ? [] : [{ title: 'Releases to go back to', columns: KEPT, rows: kept.map(keptRow) }]),
        ...driftTable(services, modified),
        {
          title: 'Lock',
          columns: LOCK,
          rows: [lock === undefined ? ['nobody', '–', '–', '–', '–'] : lockRow(lock)],
        },
      ],
      nextSteps: [...(owner === undefined ? [] : [owner]), ...new Set(drifts.map(remedy)), ...lockSteps(lock)],
      value: { project: shell.project, services, lock: lock ?? null, checkout: checkout ?? null },
    };
  },
};

/** Compose's hash of every service as the files on the host are now. */
async function hashesOf({ opened, compose }: Shell): Promise<Readonly<Record<string, string>>> {
  return opened === undefined ? {} : compose.documentHashes(opened.live.document, opened.place.directory);
}

const LIVE = ['Service', 'Release', 'Since', 'By', 'Commit', 'Version', 'Image'];
const KEPT = ['Service', 'Release', 'Live at', 'Commit', 'Version', 'Image', 'Mark'];
const SERVING = ['Service', 'Serves', 'Why'];
const CONTAINERS = ['Service', 'Container', 'State', 'Health', 'Restarts', 'Started'];
const LOCK = ['Held by', 'Procedure', 'For', 'Its process', 'Run'];

interface LockStatus {
  readonly run: string;
  readonly procedure: string;
  readonly actor: string;
  readonly runUrl: string | null;
  readonly host: string;
  readonly pid: number;
  readonly since: string;
  readonly heldForMs: number | null;
  /** Null: it cannot be seen from here. */
  readonly alive: boolean | null;
}

async function lockOf({ clock, locks }: Shell): Promise<LockStatus | undefined> {
  const holder = await locks.holder();
  if (holder === undefined) return undefined;
  const { run, procedure, actor, runUrl, host, pid, since, alive } = holder;
  const heldForMs = clock.now() - Date.parse(since);
  return {
    ...{ run, procedure, actor, host, pid, since },
    runUrl: runUrl ?? null,
    heldForMs: Number.isNaN(heldForMs) ? null : Math.max(0, heldForMs),
    alive: alive ?? null,
  };
}

function checkoutOf({ opened }: Shell): { commit: string | null; modified: readonly string[] } | undefined {
  const checkout = opened?.checkout;
  return checkout && { commit: checkout.commit ?? null, modified: checkout.modified };
}

function liveRow(one: ServiceStatus): readonly string[] {
  const stopped = one.stopped === null ? '' : ` (stopped on purpose since ${one.stopped.since})`;
  return [
    one.service,
    `${one.release ?? 'none in the ledger'}${stopped}`,
    one.since ?? '–',
    one.by ?? '–',
    one.commit?.slice(0, 12) ?? '–',
    one.version ?? '–',
    one.image ?? '–',
  ];
}

function keptRow(one: KeptRelease): readonly string[] {
  const { service, release, liveAt, commit, version, image, bad } = one;
  return [
    service,
    release,
    liveAt,
    commit?.slice(0, 12) ?? '–',
    version ?? '–',
    image === 'there' ? 'there' : 'gone',
    bad ? 'bad' : 'good',
  ];
}

function containerTable(services: readonly ServiceStatus[]): readonly Finding[] {
  const rows = services.flatMap(({ service, containers }) =>
    containers.map((one) => [service, one.name, one.state, one.health, String(one.restarts), one.startedAt]),
  );
  return rows.length === 0 ? [] : [{ title: 'Containers', columns: CONTAINERS, rows }];
}

/** Where everything serves there is nothing to read. */
function servingTable(services: readonly ServiceStatus[]): readonly Finding[] {
  const rows = services.flatMap(({ service, serving: { state, why } }) =>
    state === 'not-serving' || state === 'unknown'
      ? why.map((one) => [service, state === 'unknown' ? 'not known' : 'no', one])
      : [],
  );
  return rows.length === 0 ? [] : [{ title: 'Does not serve', columns: SERVING, rows }];
}

function driftTable(services: readonly ServiceStatus[], modified: readonly string[]): readonly Finding[] {
  const rows = services.flatMap(({ service, drift }) => drift.map(({ kind, text }) => [service, kind, text]));
  if (modified.length > 0) {
    const more = modified.length > 10 ? ` and ${modified.length - 10} more` : '';
    rows.push(['–', 'checkout', `tracked files were modified: ${modified.slice(0, 10).join(', ')}${more}`]);
  }
  return rows.length === 0 ? [] : [{ title: 'Changed by hand', columns: ['Service', 'What', 'How'], rows }];
}

function lockRow(lock: LockStatus): readonly string[] {
  const held = lock.heldForMs === null ? lock.since : formatDuration(lock.heldForMs);
  const process = `${lock.pid} on ${lock.host}`;
  const alive = lock.alive === null ? 'cannot be seen from here' : lock.alive ? 'alive' : 'gone';
  return [lock.actor, lock.procedure, held, `${process}, ${alive}`, lock.runUrl ?? lock.run];
}

function lockSteps(lock: LockStatus | undefined): readonly string[] {
  if (lock?.alive !== false) return [];
  return ['The process that holds the lock is gone: the next procedure takes it over and repairs what it left.'];
}

function remedy({ kind }: Drift): string {
  switch (kind) {
    case 'unrecorded':
      return 'Deploy it with code-update: what runs is taken into the ledger first, so that there is a way back.';
    case 'files':
    case 'configuration':
      return 'To apply the compose files as they are: config-change. To put back what was deployed: rollback --rollback-to release:ID.';
    case 'image':
    case 'image-name':
      return 'To put back what was deployed: rollback --rollback-to release:ID. To deploy the checkout: code-update.';
    case 'started':
      return 'If it is meant to run: start.';
    case 'nothing-runs':
    case 'state':
    case 'count':
      return 'To make it run as it was deployed: health-restart, or emergency when it is frozen.';
    case 'no-requests':
      return 'To repair the way of the requests: code-update.';
    case 'restart-policy':
    case 'name':
      return 'To have the container made anew as it was deployed: emergency.';
  }
}
