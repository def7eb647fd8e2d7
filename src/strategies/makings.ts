import type { Operation, OperationKind } from '../model/operation.js';

/** How a plan comes to the containers of a service. */
export type Making =
  /** Compose makes a container in the place of each, and hands over what it can. */
  | { readonly how: 'in-place'; readonly replicas: number }
  /** Compose makes containers after the ones before were removed: there is nothing to hand over. */
  | { readonly how: 'anew' }
  /** A copy is made through the API, whether the one before still runs or not. */
  | { readonly how: 'copy'; readonly published: boolean }
  /** The same container is stopped and started. */
  | { readonly how: 'restart' };

type Effect = 'replaces' | 'copies' | 'removes' | 'ends' | 'starts' | 'restarts' | 'thaws' | 'none';

/** What each kind of operation does to containers of the service: a new kind has to be sorted in. */
const EFFECTS: Readonly<Record<OperationKind, Effect>> = {
  'replace-containers': 'replaces',
  'start-beside': 'copies',
  'remove-containers': 'removes',
  'kill-containers': 'ends',
  'stop-containers': 'ends',
  'start-containers': 'starts',
  'restart-containers': 'restarts',
  'thaw-data': 'thaws',
  'retire-containers': 'none',
  'settle-containers': 'none',
  'set-restart-policy': 'none',
  'run-release-command': 'none',
  'freeze-data': 'none',
  'save-data': 'none',
  'keep-backup': 'none',
  'restore-data': 'none',
  'delete-backups': 'none',
  'fetch-source': 'none',
  'add-worktree': 'none',
  'run-command': 'none',
  'build-image': 'none',
  'pull-image': 'none',
  'push-image': 'none',
  'capture-evidence': 'none',
  'free-port': 'none',
  'keep-image': 'none',
  'move-checkout': 'none',
  'tag-image': 'none',
  'remove-networks': 'none',
  'shift-traffic': 'none',
  'drain-containers': 'none',
  'hold-traffic': 'none',
  'release-traffic': 'none',
  'install-edge': 'none',
  'redirect-ports': 'none',
  'open-ports': 'none',
  'close-ports': 'none',
  'end-redirect': 'none',
  'end-takeover': 'none',
  'remove-edge': 'none',
  'repair-edge': 'none',
  'remove-leftovers': 'none',
  'await-ready': 'none',
  verify: 'none',
  watch: 'none',
  'analyse-canary': 'none',
  'accept-release': 'none',
  'record-stop': 'none',
  'record-start': 'none',
  'reject-release': 'none',
};

const MAKES: ReadonlySet<Effect> = new Set(['replaces', 'copies', 'restarts']);

/**
 * @returns whether the operation creates containers or restarts them. Starting and unpausing the same containers is not among it:
 * an undo does that, and nothing may keep it from doing so.
 */
export function makesContainers({ kind }: Operation): boolean {
  return MAKES.has(EFFECTS[kind]);
}

/** @returns every way in which operations come to containers of their service */
export function makingsOf(operations: readonly Operation[], removedFirst: boolean): readonly Making[] {
  const found: Making[] = [];
  let [removed, ended] = [removedFirst, false];
  for (const operation of operations) {
    const effect = EFFECTS[operation.kind];
    removed ||= effect === 'removes';
    ended ||= effect === 'ends';
    if (operation.kind === 'replace-containers') {
      found.push(removed ? { how: 'anew' } : { how: 'in-place', replicas: operation.replicas });
    }
    if (operation.kind === 'start-beside') found.push({ how: 'copy', published: operation.published });
    const thaws = operation.kind === 'thaw-data' && operation.how === 'stop';
    if (effect === 'restarts' || thaws || (effect === 'starts' && ended)) found.push({ how: 'restart' });
  }
  return found;
}
