import { wayBack, type Way } from './undo.js';
import type { JournalRecord } from '../operations/journal.js';
import { blamesRelease } from '../model/errors.js';
import { traitsOf, type Operation, type OperationOf } from '../operations/operation.js';
import { dataBack } from '../operations/restore-data.js';
import type { ReleaseId } from '../model/release.js';
import type { RouterSpec } from '../model/router.js';

/** What is to be done about one service after a run that was killed, or whose undo failed. */
export type Recovery =
  /** Its containers were not touched. */
  | { readonly kind: 'none' }
  /** The new release was verified: it is accepted, only its watch was cut short. */
  | { readonly kind: 'accept'; readonly release: ReleaseId }
  /** The change was not proven: the release before comes back. `bad`: the run itself had found it wrong. */
  | {
      readonly kind: 'go-back';
      readonly back: ReleaseId;
      readonly failed: ReleaseId;
      readonly bad: boolean;
      /** How new was to replace old, and with that how it is undone. */
      readonly way: Way;
      /** Containers that were there before the change. */
      readonly before: readonly string[];
    }
  /** The new release was verified and takes the requests: what it replaced is left to be taken away. */
  | {
      readonly kind: 'finish';
      readonly release: ReleaseId;
      readonly accepted: boolean;
      readonly old: readonly string[];
    }
  /** The change had not got to the new release: what was held, stopped or taken over for it goes back. */
  | EjectRecovery
  | {
      readonly kind: 'resume';
      readonly stopped: readonly string[];
      readonly router: RouterSpec | undefined;
      /** Ports that new connections may be redirected from. */
      readonly redirected: readonly string[];
    }
  /** Its data was kept from changing, or replaced: it goes on, after what was there has been put back. */
  | { readonly kind: 'thaw'; readonly freeze: OperationOf<'freeze-data'> }
  /** The same release was being started again: it is started. */
  | { readonly kind: 'restore'; readonly release: ReleaseId }
  /** It was being stopped on purpose: it is stopped. */
  | { readonly kind: 'stop'; readonly release: ReleaseId }
  /** A first deploy: nothing to go back to. */
  | { readonly kind: 'leave'; readonly release: ReleaseId };

/** The edge was being taken away. */
/** `alone`: only one container may run, and requests were kept waiting. */
export type EjectRecovery =
  /** The service had not got its ports back: the edge takes them again. */
  | { readonly kind: 'reopen-edge'; readonly before: readonly string[]; readonly alone: boolean }
  /** It has them: what is left of the edge goes. */
  | { readonly kind: 'remove-edge'; readonly before: readonly string[]; readonly alone: boolean };

export interface RecoveryPlan {
  readonly services: Readonly<Record<string, Recovery>>;
  /** Tags that were moved for a service that does not stay as the run wanted it: they name what they named before. */
  readonly tags: readonly OperationOf<'tag-image'>[];
  /** Where the checkout was before the run, when it was moved and no service stays on the new commit. */
  readonly checkout: OperationOf<'move-checkout'> | undefined;
  readonly worktrees: readonly OperationOf<'add-worktree'>[];
  /** Folders of backups that were begun; one that is whole has its name, and stays. */
  readonly backups: readonly string[];
  /** Data of before that comes back, with nothing of the service running, before the service itself is recovered. */
  readonly data: readonly OperationOf<'restore-data'>[];
  /** Releases that were gone back from without getting to mark them as bad. */
  readonly left: readonly OperationOf<'reject-release'>[];
}

/**
 * Reads from the journal of a run that was not finished what has to be finished or undone. Pure; every answer may be carried
 * out again, so that a recovery that is itself killed is simply repeated.
 * @param down services that do not run well any more: what was verified then does not count
 * @param ended services whose new release is a job that has ended well: that counts as its verification
 */
export function planRecovery(
  record: JournalRecord,
  down: ReadonlySet<string> = new Set(),
  ended: ReadonlySet<string> = new Set(),
): RecoveryPlan {
  const { entries } = record;
  const names = new Set(
    entries.flatMap(({ operation }) => (touches(operation) && 'service' in operation ? [operation.service] : [])),
  );
  const services = Object.fromEntries(
    [...names].map((service) => [
      service,
      recoverService(entries, service, { down: down.has(service), ended: ended.has(service) }),
    ]),
  );
  const stays = Object.values(services).some(({ kind }) => STAYS.has(kind));
  const deployed = entries.some(({ operation, result }) => operation.kind === 'accept-release' && result === 'done');
  return {
    services,
    tags: [...names].flatMap((service) =>
      TAGS_GO_BACK.has(services[service]?.kind ?? 'none') ? tagBack(entries, service) : [],
    ),
    checkout: stays || deployed ? undefined : checkoutBack(entries),
    worktrees: operations(entries, 'add-worktree'),
    backups: operations(entries, 'save-data').map(({ folder }) => folder),
    data: Object.entries(services).flatMap(([service, recovery]) => dataBackFor(ofService(entries, service), recovery)),
    left: leftReleases(record, services),
  };
}

type Entries = JournalRecord['entries'];

/** `free-port` does not count: nobody starts again what was ended, and the service was not touched yet. */
function touches(operation: Operation): boolean {
  const { recovery } = traitsOf(operation);
  return recovery === 'change' || recovery === 'intent';
}

/** The same containers end and are started again, or the same release is created again after they were removed. */
function restarts(operation: Operation): boolean {
  const { containers } = traitsOf(operation);
  return containers === 'restarts' || containers === 'kills' || containers === 'removes';
}

/** The release that the run was deploying stays. */
const STAYS: ReadonlySet<Recovery['kind']> = new Set(['accept', 'finish', 'leave']);

/** What runs in the end is what ran before: the name in the new file names what it named. */
const TAGS_GO_BACK: ReadonlySet<Recovery['kind']> = new Set(['none', 'resume', 'thaw', 'go-back']);

function recoverService(
  entries: Entries,
  service: string,
  { down, ended }: { readonly down: boolean; readonly ended: boolean },
): Recovery {
  const own = ofService(entries, service);
  const mark = own.findLast(({ operation }) => traitsOf(operation).recovery === 'intent')?.operation;
  if (mark?.kind === 'record-stop') return recoverStop(own, mark.release);
  const ejecting = recoverEject(own);
  if (ejecting !== undefined) return ejecting;
  const replacements = own.flatMap((entry, index) =>
    entry.operation.kind === 'replace-containers' || entry.operation.kind === 'start-beside'
      ? [{ operation: entry.operation, index }]
      : [],
  );
  const last = replacements.at(-1);
  // Its containers are gone, and not only stopped.
  if (last === undefined && operations(own, 'remove-containers').length > 0) return recoverRestart(own);
  if (last === undefined) {
    return recoverBefore(own) ?? recoverData(own) ?? recoverStart(own, mark) ?? recoverRestart(own);
  }
  const { to, from } = last.operation;
  const restarting = restartsService(own);
  if (to === from && (last.operation.kind === 'replace-containers' || restarting)) return recoverRestart(own, to);
  if (last.operation.kind === 'start-beside') return recoverBeside(own, down);
  const after = own.slice(last.index + 1).filter((entry) => entry.result === 'done');
  if (after.some(({ operation }) => operation.kind === 'accept-release' && operation.release === to)) {
    return { kind: 'none' };
  }
  const goingBack = replacements.slice(0, -1).some(({ operation }) => operation.from === to);
  const verified = ended || after.some(({ operation }) => operation.kind === 'verify');
  if (!down && verified) return { kind: 'accept', release: to };
  const common = { kind: 'go-back', way: 'compose', before: [] } as const;
  if (goingBack && from !== undefined) return { ...common, bad: foundWrong(own, from), back: to, failed: from };
  if (from === undefined) return { kind: 'leave', release: to };
  return { ...common, bad: foundWrong(own, to), back: from, failed: to };
}

/** Whoever stopped it wants it stopped: also when that was interrupted, or was the end of a start that failed. */
function recoverStop(own: Entries, release: ReleaseId): Recovery {
  const stopped = own.some(
    ({ operation, result }) => operation.kind === 'verify' && operation.checks.includes('stopped') && result === 'done',
  );
  return stopped ? { kind: 'none' } : { kind: 'stop', release };
}

function recoverStart(own: Entries, mark: Operation | undefined): Recovery | undefined {
  if (mark?.kind !== 'record-start') return undefined;
  const verified = own.some(({ operation, result }) => operation.kind === 'verify' && result === 'done');
  return verified ? { kind: 'none' } : { kind: 'restore', release: mark.release };
}

function recoverEject(own: Entries): EjectRecovery | undefined {
  const closing = own.findIndex(({ operation }) => operation.kind === 'close-ports');
  if (closing === -1) return undefined;
  const after = own.slice(closing + 1);
  const before = operations(own, 'start-beside')[0]?.beside ?? [];
  const undone = after.some(({ operation }) => operation.kind === 'open-ports');
  const has = !undone && after.some(({ operation }) => operation.kind === 'end-redirect');
  const alone = own.some(({ operation }) => operation.kind === 'hold-traffic');
  return { kind: has ? 'remove-edge' : 'reopen-edge', before, alone };
}

/** New containers were started while the old ones were there: which set has proven itself decides. */
function recoverBeside(own: Entries, down: boolean): Recovery {
  const starts = operations(own, 'start-beside');
  const [first] = starts;
  if (first === undefined) return { kind: 'none' };
  const { to, from, beside: before } = first;
  const from1 = own.findIndex(({ operation }) => operation === first);
  const after = own.slice(from1 + 1);
  const done = after.filter(({ result }) => result === 'done').map(({ operation }) => operation);
  // Only a way back sends the requests to some containers alone, or starts the release of before.
  const undoing =
    after.some(failedLooking) ||
    starts.some((start) => start.to === from && start.to !== to) ||
    after.some(({ operation }) => operation.kind === 'shift-traffic' && operation.serve.who === 'only');
  const accepted = done.some((operation) => operation.kind === 'accept-release' && operation.release === to);
  if (accepted) return { kind: 'finish', release: to, accepted: true, old: before };
  const verified = done.some((operation) => operation.kind === 'verify' && operation.candidate !== true);
  if (verified && !undoing && !down) return { kind: 'finish', release: to, accepted: false, old: before };
  if (undoing && from !== to && done.some((one) => one.kind === 'accept-release' && one.release === from)) {
    return { kind: 'none' };
  }
  if (from === undefined) return { kind: 'leave', release: to };
  return {
    kind: 'go-back',
    back: from,
    failed: to,
    bad: foundWrong(own, to),
    way: wayBack(own.map(({ operation }) => operation)),
    before,
  };
}

/** Killed before anything new was started: requests may be held, containers stopped, ports redirected. */
function recoverBefore(own: Entries): Recovery | undefined {
  const held = operations(own, 'hold-traffic').at(-1);
  const stopped = operations(own, 'stop-containers').flatMap(({ containers }) => containers);
  // A start and a restart in place repair the edge first: what they started is looked at, and not only its way.
  const edge = own.some(
    ({ operation: { kind } }) => kind === 'install-edge' || (kind === 'repair-edge' && !restartsService(own)),
  );
  if (held === undefined && stopped.length === 0 && !edge) return undefined;
  const router: RouterSpec | undefined = held?.router ?? (stopped.length > 0 || edge ? { kind: 'edge' } : undefined);
  const redirected = operations(own, 'redirect-ports').flatMap(({ ports }) => ports);
  return { kind: 'resume', stopped, router, redirected };
}

/** Killed while its data stood still, or was being replaced. A restore ends with a verification. */
function recoverData(own: Entries): Recovery | undefined {
  const freeze = operations(own, 'freeze-data').at(-1);
  const replacing = own.findLastIndex(({ operation }) => operation.kind === 'restore-data');
  if (freeze === undefined) return undefined;
  if (replacing !== -1) return provenAfter(own, replacing) ? { kind: 'none' } : { kind: 'thaw', freeze };
  const since = own.findLastIndex(({ operation }) => operation === freeze);
  const thawed = own.slice(since).some(({ operation, result }) => operation.kind === 'thaw-data' && result === 'done');
  return thawed ? undefined : { kind: 'thaw', freeze };
}

function provenAfter(own: Entries, index: number): boolean {
  return own.slice(index).some(({ operation, result }) => operation.kind === 'verify' && result === 'done');
}

/** What a backup was put in the place of comes back, unless the release stays that it was put there for. */
function dataBackFor(own: Entries, recovery: Recovery): readonly OperationOf<'restore-data'>[] {
  const index = own.findLastIndex(({ operation }) => operation.kind === 'restore-data');
  const entry = own[index];
  if (entry?.operation.kind !== 'restore-data' || STAYS.has(recovery.kind) || recovery.kind === 'none') return [];
  const { operation, result } = entry;
  if (operation.safety !== undefined) return [dataBack(operation, operation.safety)];
  return result === 'done' ? [] : [operation];
}

/**
 * A run goes back because of what it saw of the release, or for another reason: only the first is the release's fault.
 * What was looked at on the way back says nothing of the release that was left.
 * @param failed the release that the run was deploying
 */
function foundWrong(own: Entries, failed: ReleaseId): boolean {
  return own.some(
    (entry) =>
      failedLooking(entry) &&
      'release' in entry.operation &&
      entry.operation.release === failed &&
      (entry.error === undefined || blamesRelease(entry.error)),
  );
}

function failedLooking({ operation, result }: Entries[number]): boolean {
  return traitsOf(operation).recovery === 'verdict' && result === 'failed';
}

/** A rollback leaves a release for good; any other run does when it found the release wrong. */
function leftReleases(
  { entries, opening }: JournalRecord,
  services: RecoveryPlan['services'],
): readonly OperationOf<'reject-release'>[] {
  const rejected = new Set(operations(entries, 'reject-release').map(({ release }) => release));
  return Object.entries(services).flatMap(([service, recovery]) => {
    const own = entries.filter(({ operation }) => 'service' in operation && operation.service === service);
    const changes = own.flatMap(({ operation }) =>
      operation.kind === 'replace-containers' || operation.kind === 'start-beside' ? [operation] : [],
    );
    const last = changes.at(-1);
    const stays = recovery.kind === 'accept' || recovery.kind === 'finish' || wasAccepted(entries, service);
    if (!stays || last?.from === undefined || last.from === last.to) return [];
    const accepted = operations(own, 'accept-release').at(-1)?.release;
    if (last.kind === 'start-beside' && accepted === last.from) {
      // The old set was still there and took the requests back: what was left is the new one.
      if (!foundWrong(own, last.to) || rejected.has(last.to)) return [];
      const reason = `${opening.procedure} of ${opening.invocation.actor} found it wrong and went back to ${last.from}`;
      return [{ kind: 'reject-release' as const, service, release: last.to, reason }];
    }
    if (rejected.has(last.from)) return [];
    const wrong = foundWrong(own, last.from) && changes.slice(0, -1).some(({ from }) => from === last.to);
    if (opening.procedure !== 'rollback' && !wrong) return [];
    const reason = `${opening.procedure} of ${opening.invocation.actor} went back from it to ${last.to}`;
    return [{ kind: 'reject-release' as const, service, release: last.from, reason }];
  });
}

/**
 * A restart ends with a verification; before that the containers may be gone.
 * @param again the release whose containers were being created once more, also by an earlier recovery
 */
function recoverRestart(own: Entries, again?: ReleaseId): Recovery {
  const first = own.find(({ operation }) => restarts(operation) || operation.kind === 'record-start');
  const named = first !== undefined && 'release' in first.operation ? first.operation.release : undefined;
  const release = named ?? again;
  if (release === undefined) return { kind: 'none' };
  const verified = own.some(({ operation, result }) => operation.kind === 'verify' && result === 'done');
  return verified ? { kind: 'none' } : { kind: 'restore', release };
}

function restartsService(own: Entries): boolean {
  return own.some(({ operation }) => restarts(operation) || traitsOf(operation).recovery === 'intent');
}

function ofService(entries: Entries, service: string): Entries {
  return entries.filter(({ operation }) => 'service' in operation && operation.service === service);
}

function tagBack(entries: Entries, service: string): readonly OperationOf<'tag-image'>[] {
  const first = operations(entries, 'tag-image').find((operation) => operation.service === service);
  if (first?.from === undefined) return [];
  // An accepted service keeps its tag: only one whose containers were never touched gets here with nothing accepted.
  return wasAccepted(entries, service) ? [] : [{ ...first, to: first.from, from: first.to }];
}

function wasAccepted(entries: Entries, service: string): boolean {
  return entries.some(
    ({ operation, result }) =>
      operation.kind === 'accept-release' && operation.service === service && result === 'done',
  );
}

function checkoutBack(entries: Entries): OperationOf<'move-checkout'> | undefined {
  const moves = operations(entries, 'move-checkout');
  const [first] = moves;
  const last = moves.at(-1);
  if (first === undefined || last === undefined) return undefined;
  const done = entries.findLast(({ operation }) => operation === last)?.result === 'done';
  if (last.to === first.from && done) return undefined;
  return { kind: 'move-checkout', directory: first.directory, from: last.to, to: first.from };
}

function operations<K extends Operation['kind']>(entries: Entries, kind: K): readonly OperationOf<K>[] {
  return entries.flatMap(({ operation }) => (operation.kind === kind ? [operation as OperationOf<K>] : []));
}
