import type { JournalRecord } from './ports/ledger.js';
import type { Operation, OperationOf } from './operation.js';
import type { ReleaseId } from './release.js';

/** What is to be done about one service after a run that was killed. */
export type Recovery =
  /** Its containers were not touched. */
  | { readonly kind: 'none' }
  /** The new release was verified: it is accepted, only its watch was cut short. */
  | { readonly kind: 'accept'; readonly release: ReleaseId }
  /** The change was not proven: the release before comes back. `bad`: the run itself had found it wrong. */
  | { readonly kind: 'go-back'; readonly back: ReleaseId; readonly failed: ReleaseId; readonly bad: boolean }
  /** The same release was being started again: it is started. */
  | { readonly kind: 'restore'; readonly release: ReleaseId }
  /** A first deploy: nothing to go back to. */
  | { readonly kind: 'leave'; readonly release: ReleaseId };

export interface RecoveryPlan {
  readonly services: Readonly<Record<string, Recovery>>;
  /** Tags that were moved for a service whose containers were not touched: they name what they named before. */
  readonly tags: readonly OperationOf<'tag-image'>[];
  /** Where the checkout was before the run, when it was moved and no service stays on the new commit. */
  readonly checkout: OperationOf<'move-checkout'> | undefined;
  readonly worktrees: readonly OperationOf<'add-worktree'>[];
  /** Releases that were gone back from without getting to mark them as bad. */
  readonly left: readonly OperationOf<'reject-release'>[];
  /** Tags of images that were built and did not become a release. */
  readonly builtTags: readonly string[];
}

/**
 * Reads from the journal of a run that never ended what has to be finished or undone. Pure; every answer may be carried
 * out again, so that a recovery that is itself killed is simply repeated.
 * @param down services that do not run well any more: what was verified then does not count
 */
export function planRecovery(record: JournalRecord, down: ReadonlySet<string> = new Set()): RecoveryPlan {
  const { entries } = record;
  const names = new Set(
    entries.flatMap(({ operation }) =>
      CHANGES_SERVICE.has(operation.kind) && 'service' in operation ? [operation.service] : [],
    ),
  );
  const services = Object.fromEntries(
    [...names].map((service) => [service, recoverService(entries, service, down.has(service))]),
  );
  const stays = Object.values(services).some((recovery) => recovery.kind === 'accept' || recovery.kind === 'leave');
  const deployed = entries.some(({ operation, result }) => operation.kind === 'accept-release' && result === 'done');
  return {
    services,
    tags: [...names].flatMap((service) => (services[service]?.kind === 'none' ? tagBack(entries, service) : [])),
    checkout: stays || deployed ? undefined : checkoutBack(entries),
    worktrees: operations(entries, 'add-worktree'),
    left: leftReleases(record, services),
    builtTags: operations(entries, 'build-image').flatMap(({ service, tag }) => {
      const kind = services[service]?.kind ?? 'none';
      return kind === 'accept' || kind === 'leave' || wasAccepted(entries, service) ? [] : [tag];
    }),
  };
}

type Entries = JournalRecord['entries'];

const CHANGES_SERVICE: ReadonlySet<Operation['kind']> = new Set([
  'replace-containers',
  'tag-image',
  'restart-containers',
  'kill-containers',
  'remove-containers',
]);

function recoverService(entries: Entries, service: string, down: boolean): Recovery {
  const own = entries.filter(({ operation }) => 'service' in operation && operation.service === service);
  const replacements = own.flatMap((entry, index) =>
    entry.operation.kind === 'replace-containers' ? [{ operation: entry.operation, index }] : [],
  );
  const last = replacements.at(-1);
  if (last === undefined) return recoverRestart(own);
  const { to, from } = last.operation;
  if (to === from) return recoverRestart(own);
  const after = own.slice(last.index + 1).filter((entry) => entry.result === 'done');
  if (after.some(({ operation }) => operation.kind === 'accept-release' && operation.release === to)) {
    return { kind: 'none' };
  }
  const goingBack = replacements.slice(0, -1).some(({ operation }) => operation.from === to);
  if (!down && after.some(({ operation }) => operation.kind === 'verify')) return { kind: 'accept', release: to };
  const bad = foundWrong(own);
  if (goingBack && from !== undefined) return { kind: 'go-back', back: to, failed: from, bad };
  return from === undefined ? { kind: 'leave', release: to } : { kind: 'go-back', back: from, failed: to, bad };
}

/** A run goes back because of what it saw, or because it was cancelled or killed: only the first is the release's fault. */
function foundWrong(own: Entries): boolean {
  return own.some(({ operation, result }) => LOOKING.has(operation.kind) && result === 'failed');
}

const LOOKING: ReadonlySet<Operation['kind']> = new Set(['await-ready', 'verify', 'watch']);

/** A rollback leaves a release for good; any other run does when it found the release wrong. */
function leftReleases(
  { entries, opening }: JournalRecord,
  services: RecoveryPlan['services'],
): readonly OperationOf<'reject-release'>[] {
  const rejected = new Set(operations(entries, 'reject-release').map(({ release }) => release));
  return Object.entries(services).flatMap(([service, recovery]) => {
    const own = entries.filter(({ operation }) => 'service' in operation && operation.service === service);
    const changes = operations(own, 'replace-containers');
    const last = changes.at(-1);
    const stays = recovery.kind === 'accept' || wasAccepted(entries, service);
    if (!stays || last?.from === undefined || last.from === last.to || rejected.has(last.from)) return [];
    const wrong = foundWrong(own) && changes.slice(0, -1).some(({ from }) => from === last.to);
    if (opening.procedure !== 'rollback' && !wrong) return [];
    const reason = `${opening.procedure} of ${opening.invocation.actor} went back from it to ${last.to}`;
    return [{ kind: 'reject-release' as const, service, release: last.from, reason }];
  });
}

/** A restart ends with a verification; before that the containers may be gone. */
function recoverRestart(own: Entries): Recovery {
  const first = own.find(({ operation }) => RESTARTING.has(operation.kind));
  if (first === undefined || !('release' in first.operation) || first.operation.release === undefined) {
    return { kind: 'none' };
  }
  const verified = own.some(({ operation, result }) => operation.kind === 'verify' && result === 'done');
  return verified ? { kind: 'none' } : { kind: 'restore', release: first.operation.release };
}

const RESTARTING: ReadonlySet<Operation['kind']> = new Set([
  'restart-containers',
  'kill-containers',
  'remove-containers',
]);

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
