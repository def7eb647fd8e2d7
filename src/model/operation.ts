import type { ReleaseId } from './release.js';
import { formatDuration } from './units.js';

/**
 * One step of a plan, as plain data: it is printed, journalled before its effect, executed, and undone from the journal
 * by another process if need be. Everything an operation needs is in it or is named by an id the ledger knows.
 */
export type Operation =
  // Before anything that runs is touched.
  | { readonly kind: 'fetch-source'; readonly directory: string; readonly ref: string }
  | { readonly kind: 'add-worktree'; readonly directory: string; readonly path: string; readonly commit: string }
  | {
      readonly kind: 'run-command';
      readonly name: string;
      readonly command: string;
      readonly directory: string;
    }
  | {
      readonly kind: 'build-image';
      readonly service: string;
      readonly tag: string;
      readonly pullBase: boolean;
    }
  | { readonly kind: 'pull-image'; readonly service: string; readonly reference: string }
  | {
      readonly kind: 'capture-evidence';
      readonly service: string;
      readonly moment: 'before' | 'after';
    }
  // Changes.
  | {
      readonly kind: 'keep-image';
      readonly service: string;
      readonly image: string;
      readonly tags: readonly string[];
    }
  | {
      readonly kind: 'move-checkout';
      readonly directory: string;
      readonly from: string;
      readonly to: string;
    }
  | {
      readonly kind: 'tag-image';
      readonly service: string;
      readonly tag: string;
      /** Image the tag shall name. */
      readonly to: string;
      /** Image the tag names now; undefined when there is no such tag. */
      readonly from: string | undefined;
    }
  | {
      readonly kind: 'replace-containers';
      readonly service: string;
      readonly to: ReleaseId;
      readonly from: ReleaseId | undefined;
      readonly replicas: number;
      /** Replace even when Compose sees no difference. */
      readonly force: boolean;
    }
  | {
      readonly kind: 'restart-containers';
      readonly service: string;
      readonly containers: readonly string[];
      /** What they run, and what is started again. */
      readonly release: ReleaseId | undefined;
    }
  | {
      readonly kind: 'kill-containers';
      readonly service: string;
      readonly containers: readonly string[];
      /** What they run, and what is started again. */
      readonly release: ReleaseId | undefined;
    }
  | {
      readonly kind: 'remove-containers';
      readonly service: string;
      readonly containers: readonly string[];
      /** What they run, and what is started again. */
      readonly release: ReleaseId | undefined;
    }
  // Looking.
  | {
      readonly kind: 'await-ready';
      readonly service: string;
      readonly release: ReleaseId | undefined;
      readonly timeoutMs: number;
    }
  | {
      readonly kind: 'verify';
      readonly service: string;
      readonly release: ReleaseId | undefined;
      readonly checks: readonly string[];
    }
  | {
      readonly kind: 'watch';
      readonly service: string;
      readonly release: ReleaseId | undefined;
      readonly durationMs: number;
    }
  // Writing down.
  | { readonly kind: 'accept-release'; readonly service: string; readonly release: ReleaseId }
  | {
      readonly kind: 'reject-release';
      readonly service: string;
      readonly release: ReleaseId;
      readonly reason: string;
    };

export type OperationKind = Operation['kind'];
export type OperationOf<K extends OperationKind> = Extract<Operation, { kind: K }>;

/** @returns one line for the plan, the log and the timeline */
export function describeOperation(operation: Operation): string {
  switch (operation.kind) {
    case 'fetch-source':
      return `fetch ${operation.ref} into ${operation.directory}`;
    case 'add-worktree':
      return `take commit ${short(operation.commit)} as a worktree (build context)`;
    case 'run-command':
      return `run ${operation.name}: ${firstLine(operation.command)}`;
    case 'build-image':
      return `build ${operation.service}${operation.pullBase ? ' on fresh base images' : ''}`;
    case 'pull-image':
      return `pull ${operation.reference} for ${operation.service}`;
    case 'capture-evidence':
      return `capture log, stats and inspect output of ${operation.service} (${operation.moment})`;
    case 'keep-image':
      return `keep image ${short(operation.image)} of ${operation.service} as ${operation.tags.join(', ')}`;
    case 'move-checkout':
      return `move the checkout ${operation.directory} from ${short(operation.from)} to ${short(operation.to)}`;
    case 'tag-image':
      return `tag ${short(operation.to)} as ${operation.tag}${operation.from === undefined ? '' : ` (was ${short(operation.from)})`}`;
    case 'replace-containers':
      if (operation.from === undefined)
        return `start ${counted(operation.replicas)} of ${operation.service}, release ${operation.to}`;
      return operation.from === operation.to
        ? `recreate ${counted(operation.replicas)} of ${operation.service}, release ${operation.to}`
        : `replace ${counted(operation.replicas)} of ${operation.service}: stop ${operation.from}, start ${operation.to}`;
    case 'restart-containers':
      return `restart ${counted(operation.containers.length)} of ${operation.service} in place`;
    case 'kill-containers':
      return `kill ${counted(operation.containers.length)} of ${operation.service}`;
    case 'remove-containers':
      return `remove ${counted(operation.containers.length)} of ${operation.service}`;
    case 'await-ready':
      return `wait until ${operation.service} is ready (at most ${formatDuration(operation.timeoutMs)})`;
    case 'verify':
      return `verify ${operation.service}: ${operation.checks.join(', ')}`;
    case 'watch':
      return operation.durationMs === 0
        ? `read the resource use of ${operation.service} once, without a watch`
        : `watch ${operation.service} for ${formatDuration(operation.durationMs)}`;
    case 'accept-release':
      return `record ${operation.release} as the live release of ${operation.service}`;
    case 'reject-release':
      return `mark ${operation.release} of ${operation.service} as bad`;
  }
}

/** What takes an operation back, or why nothing does. */
export type Compensation =
  { readonly kind: 'operation'; readonly operation: Operation } | { readonly kind: 'none'; readonly reason: string };

/** @returns how the operation is undone; printed beside it in the plan and used by the undo planner */
export function compensationOf(operation: Operation): Compensation {
  switch (operation.kind) {
    case 'move-checkout':
      return { kind: 'operation', operation: { ...operation, from: operation.to, to: operation.from } };
    case 'tag-image':
      return operation.from === undefined
        ? { kind: 'none', reason: 'the tag did not exist; it stays' }
        : { kind: 'operation', operation: { ...operation, from: operation.to, to: operation.from } };
    case 'replace-containers':
      return operation.from === undefined
        ? { kind: 'none', reason: 'nothing ran before: there is nothing to go back to' }
        : { kind: 'operation', operation: { ...operation, from: operation.to, to: operation.from, force: true } };
    case 'accept-release':
      return {
        kind: 'operation',
        operation: { kind: 'reject-release', service: operation.service, release: operation.release, reason: 'undone' },
      };
    case 'restart-containers':
    case 'kill-containers':
    case 'remove-containers':
      return { kind: 'none', reason: 'a stopped process does not come back; the service is started again' };
    case 'fetch-source':
    case 'build-image':
    case 'pull-image':
    case 'keep-image':
      return { kind: 'none', reason: 'touches nothing that runs' };
    case 'add-worktree':
      return { kind: 'none', reason: 'removed at the end of the run' };
    case 'run-command':
      return { kind: 'none', reason: 'your command: what it does outside the project is yours to undo' };
    case 'capture-evidence':
    case 'await-ready':
    case 'verify':
    case 'watch':
      return { kind: 'none', reason: 'only looks' };
    case 'reject-release':
      return { kind: 'none', reason: 'a mark; --force deploys it all the same' };
  }
}

/** Operations after which something that runs, or the checkout it runs from, may be different. */
const CHANGING: ReadonlySet<OperationKind> = new Set([
  'move-checkout',
  'tag-image',
  'replace-containers',
  'restart-containers',
  'kill-containers',
  'remove-containers',
]);

/** @returns whether the operation changes what runs */
export function changesService(operation: Operation): boolean {
  return CHANGING.has(operation.kind);
}

/** Commits and digests as people read them. */
export function short(id: string): string {
  const bare = id.replace(/^sha256:/, '');
  return /^[0-9a-f]{40,64}$/.test(bare) ? bare.slice(0, 12) : id;
}

function counted(count: number): string {
  return count === 1 ? 'the container' : `${count} containers`;
}

function firstLine(command: string): string {
  const [first = '', ...rest] = command.trim().split('\n');
  return rest.length === 0 ? first : `${first} …`;
}
