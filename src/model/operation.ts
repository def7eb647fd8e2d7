import type { Consistency } from './backup-policy.js';
import type { BackupId, BackupReason, DataPlace } from './backup.js';
import type { EdgeSpec } from './edge.js';
import type { ReleaseId } from './release.js';
import { describeHolder, type PortHolder } from './remedies.js';
import type { RouterSpec } from './router.js';
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
  /** What was built goes to the registry that it is deployed from whenever its commit is deployed again. */
  | { readonly kind: 'push-image'; readonly service: string; readonly image: string; readonly reference: string }
  | {
      readonly kind: 'capture-evidence';
      readonly service: string;
      readonly moment: 'before' | 'after';
    }
  /** Once, in a container of the new release that nobody sends requests to. */
  | {
      readonly kind: 'run-release-command';
      readonly service: string;
      readonly release: ReleaseId;
      readonly command: string;
    }
  // Changes.
  /** Only where `remedies` names it: whoever has a port of the host that the service publishes is asked to end. */
  | { readonly kind: 'free-port'; readonly service: string; readonly port: number; readonly holder: PortHolder }
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
  /** Containers that an interrupted recreate of Compose left, by id and name: they serve nobody. */
  | {
      readonly kind: 'remove-leftovers';
      readonly service: string;
      readonly containers: readonly string[];
      readonly names: readonly string[];
    }
  /** Networks that Compose made for the project; whatever is still on one keeps it. */
  | { readonly kind: 'remove-networks'; readonly project: string }
  // Changes that leave what runs running. Containers that are there are known by id when the plan is made; those that it
  // makes are not, and are known as all the others.
  | {
      readonly kind: 'start-beside';
      readonly service: string;
      readonly to: ReleaseId;
      readonly from: ReleaseId | undefined;
      /** Containers to make. */
      readonly count: number;
      /** Containers that are there; whatever else there is of the service is new. */
      readonly beside: readonly string[];
      /** Whether they get the ports of the host that the compose file publishes; not beside a container that has them. */
      readonly published: boolean;
      /** Whether they carry the service's name on its networks from the start. */
      readonly named: boolean;
    }
  | {
      readonly kind: 'shift-traffic';
      readonly service: string;
      readonly router: RouterSpec;
      readonly serve: Serve;
    }
  | {
      readonly kind: 'drain-containers';
      readonly service: string;
      readonly router: RouterSpec;
      readonly containers: ContainerSet;
      readonly timeoutMs: number;
    }
  | { readonly kind: 'stop-containers'; readonly service: string; readonly containers: readonly string[] }
  | { readonly kind: 'start-containers'; readonly service: string; readonly containers: readonly string[] }
  /** What Docker does when they end, or when it starts itself: `always` starts what was stopped, `unless-stopped` not. */
  | {
      readonly kind: 'set-restart-policy';
      readonly service: string;
      readonly containers: readonly string[];
      readonly to: 'always' | 'unless-stopped';
    }
  | { readonly kind: 'retire-containers'; readonly service: string; readonly containers: ContainerSet }
  | {
      readonly kind: 'settle-containers';
      readonly service: string;
      /** Name that the compose file gives the container; undefined: Compose's own scheme. */
      readonly containerName: string | undefined;
      /** Whether they get the service's name on its networks now: before they take requests, since it cuts them off. */
      readonly named: boolean;
      readonly except: readonly string[];
    }
  | {
      readonly kind: 'hold-traffic';
      readonly service: string;
      readonly router: RouterSpec;
      readonly maxMs: number;
      readonly maxQueue: number;
    }
  | { readonly kind: 'release-traffic'; readonly service: string; readonly router: RouterSpec }
  // The managed edge.
  | {
      readonly kind: 'install-edge';
      readonly service: string;
      readonly edge: EdgeSpec;
      /** Containers that it sends to at first: those that run. */
      readonly containers: readonly string[];
    }
  | { readonly kind: 'redirect-ports'; readonly service: string; readonly ports: readonly string[] }
  | { readonly kind: 'open-ports'; readonly service: string; readonly ports: readonly string[] }
  | { readonly kind: 'close-ports'; readonly service: string; readonly ports: readonly string[] }
  | { readonly kind: 'end-redirect'; readonly service: string; readonly ports: readonly string[] }
  | { readonly kind: 'end-takeover'; readonly service: string; readonly timeoutMs: number }
  | { readonly kind: 'remove-edge'; readonly service: string }
  /** For an edge that was stopped, lost a network or a port, or was left in the middle of a take-over. */
  | {
      readonly kind: 'repair-edge';
      readonly service: string;
      readonly ports: readonly string[];
      readonly timeoutMs: number;
    }
  // Data in volumes.
  | ({ readonly kind: 'freeze-data' } & Freeze)
  | ({ readonly kind: 'thaw-data' } & Freeze)
  | {
      readonly kind: 'save-data';
      readonly service: string;
      readonly backup: BackupId;
      /** Folder of the backup on the host. */
      readonly folder: string;
      /** What runs and wrote the data. */
      readonly release: ReleaseId | undefined;
      readonly reason: BackupReason;
      readonly consistency: Consistency;
      readonly places: readonly DataPlace[];
    }
  /** Reads it back whole; only then it is a backup. */
  | { readonly kind: 'keep-backup'; readonly service: string; readonly backup: BackupId; readonly folder: string }
  | ({ readonly kind: 'restore-data' } & DataReturn)
  | { readonly kind: 'delete-backups'; readonly service: string; readonly folders: readonly string[] }
  // Looking. `except`: containers of the service that are not meant.
  | {
      readonly kind: 'await-ready';
      readonly service: string;
      readonly release: ReleaseId | undefined;
      readonly timeoutMs: number;
      readonly except?: readonly string[] | undefined;
      /** How many may fail to become ready in the whole change, and are made once more (`max_failure_ratio`). */
      readonly tolerate?: number | undefined;
    }
  | {
      readonly kind: 'verify';
      readonly service: string;
      readonly release: ReleaseId | undefined;
      readonly checks: readonly string[];
      readonly except?: readonly string[] | undefined;
      /** It takes no requests yet: what is found now keeps it from getting any. */
      readonly candidate?: boolean | undefined;
    }
  | {
      readonly kind: 'watch';
      readonly service: string;
      readonly release: ReleaseId | undefined;
      readonly durationMs: number;
      readonly except?: readonly string[] | undefined;
      /** Between two batches: what is seen counts, and no verdict over the release is passed yet. */
      readonly between?: boolean | undefined;
    }
  | {
      readonly kind: 'analyse-canary';
      readonly service: string;
      readonly router: RouterSpec;
      readonly release: ReleaseId;
      readonly old: readonly string[];
      readonly percent: number;
      readonly durationMs: number;
    }
  // Writing down.
  | { readonly kind: 'accept-release'; readonly service: string; readonly release: ReleaseId }
  // Written before the containers are touched: a run that is killed in between is finished from it.
  | {
      readonly kind: 'record-stop';
      readonly service: string;
      readonly release: ReleaseId;
      readonly reason: string;
    }
  | { readonly kind: 'record-start'; readonly service: string; readonly release: ReleaseId }
  | {
      readonly kind: 'reject-release';
      readonly service: string;
      readonly release: ReleaseId;
      readonly reason: string;
    };

/** What keeps data from changing, and lets it change again. */
export interface Freeze {
  readonly service: string;
  readonly how: Consistency;
  /** Those that are paused or stopped; for a command those that it is about. */
  readonly containers: readonly string[];
  /** Run on the host with `quiesce`; the first makes the service write everything down and stand still. */
  readonly quiesceCommand: string | undefined;
  readonly resumeCommand: string | undefined;
}

/** A backup that takes the place of the data that is there. */
export interface DataReturn {
  readonly service: string;
  readonly backup: BackupId;
  readonly folder: string;
  /** Where the data belongs now; each is named as in the backup. */
  readonly places: readonly DataPlace[];
  /** Image in whose container the old data is deleted. */
  readonly tool: string;
  /** What was there before, to be put back when this fails; undefined: this is it. */
  readonly safety: { readonly backup: BackupId; readonly folder: string } | undefined;
}

/** Which containers of a service, by what is known of them. */
export type ContainerSet =
  | { readonly are: 'these'; readonly containers: readonly string[] }
  /** All of the service but these. */
  | { readonly are: 'others'; readonly than: readonly string[] };

/** Who gets new requests. */
export type Serve =
  /** These alone; all others are drained. */
  | { readonly who: 'only'; readonly containers: readonly string[] }
  /** All of the service, in equal shares, but these, which are drained. */
  | { readonly who: 'all-but'; readonly containers: readonly string[] }
  /** The new ones get `percent` of the requests and the old ones the rest. */
  | { readonly who: 'new'; readonly old: readonly string[]; readonly percent: number };

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
    case 'run-release-command':
      return `run release-command once in a container of ${operation.release}: ${firstLine(operation.command)}`;
    case 'build-image':
      return `build ${operation.service}${operation.pullBase ? ' on fresh base images' : ''}`;
    case 'pull-image':
      return `pull ${operation.reference} for ${operation.service}`;
    case 'push-image':
      return `push the image of ${operation.service} as ${operation.reference}`;
    case 'capture-evidence':
      return `capture log, stats and inspect output of ${operation.service} (${operation.moment})`;
    case 'free-port':
      return `free port ${operation.port} of the host for ${operation.service}: ${operation.holder.kind === 'process' ? 'end' : 'stop'} ${describeHolder(operation.holder)}`;
    case 'keep-image':
      return `keep image ${short(operation.image)} of ${operation.service} as ${operation.tags.join(', ')}`;
    case 'move-checkout':
      return `move the checkout ${operation.directory} from ${short(operation.from)} to ${short(operation.to)}`;
    case 'tag-image':
      return `tag ${short(operation.to)} as ${operation.tag}${operation.from === undefined ? '' : ` (was ${short(operation.from)})`}`;
    case 'replace-containers':
      if (operation.replicas === 0)
        return `stop and remove the containers of ${operation.service}: release ${operation.to} has none`;
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
    case 'remove-leftovers':
      return `remove ${operation.names.join(', ')}, left by an interrupted recreate of ${operation.service}`;
    case 'remove-networks':
      return `remove the networks of ${operation.project}`;
    case 'start-beside':
      return operation.beside.length === 0
        ? `start ${counted(operation.count)} of ${operation.service}, release ${operation.to}`
        : `start ${counted(operation.count, 'one container', 'containers')} of ${operation.service}, release ${operation.to}, beside what runs`;
    case 'shift-traffic':
      return `${routerWords(operation.router)} ${describeServe(operation.serve)} of ${operation.service}`;
    case 'drain-containers':
      return `drain ${describeSet(operation.containers)} of ${operation.service}: no new requests, those in flight end (at most ${formatDuration(operation.timeoutMs)})`;
    case 'stop-containers':
      return `stop ${counted(operation.containers.length)} of ${operation.service}`;
    case 'start-containers':
      return `start ${counted(operation.containers.length)} of ${operation.service} again`;
    case 'set-restart-policy':
      return `set the restart policy of ${counted(operation.containers.length)} of ${operation.service} to ${operation.to}`;
    case 'retire-containers':
      return `stop and remove ${describeSet(operation.containers)} of ${operation.service}`;
    case 'settle-containers':
      return operation.named
        ? `give the new containers the name ${operation.service} on its networks`
        : `give the container of ${operation.service} its name${operation.containerName === undefined ? '' : ` ${operation.containerName}`}`;
    case 'hold-traffic':
      return `hold new requests to ${operation.service} (at most ${formatDuration(operation.maxMs)}, ${operation.maxQueue} at a time)`;
    case 'release-traffic':
      return `let the held requests to ${operation.service} go on`;
    case 'install-edge':
      return `make the edge of ${operation.service} for port ${operation.edge.ports.map((port) => port.published).join(', ')} (it takes nothing yet)`;
    case 'redirect-ports':
      return `redirect new connections to port ${operation.ports.join(', ')} through the edge of ${operation.service}`;
    case 'open-ports':
      return `open port ${operation.ports.join(', ')} on the edge of ${operation.service}`;
    case 'close-ports':
      return `free port ${operation.ports.join(', ')} from the edge of ${operation.service}`;
    case 'end-redirect':
      return `end the redirect of port ${operation.ports.join(', ')}`;
    case 'end-takeover':
      return `end the take-over container of ${operation.service} when it has nothing in flight (at most ${formatDuration(operation.timeoutMs)})`;
    case 'remove-edge':
      return `remove the edge of ${operation.service}`;
    case 'repair-edge':
      return `repair the edge of ${operation.service}: it has port ${operation.ports.join(', ')} and sends to what runs`;
    case 'freeze-data':
      return `${freezeWords(operation)}, so that its data stands still`;
    case 'thaw-data':
      return thawWords(operation);
    case 'save-data':
      return `back up ${operation.places.map(({ source }) => source).join(', ')} of ${operation.service} as ${operation.backup}`;
    case 'keep-backup':
      return `read backup ${operation.backup} back, all of it, and keep it`;
    case 'restore-data':
      return operation.safety === undefined
        ? `put the data of before back: ${operation.places.map(({ source }) => source).join(', ')} from ${operation.backup}`
        : `replace what is in ${operation.places.map(({ source }) => source).join(', ')} by backup ${operation.backup}, and compare`;
    case 'delete-backups':
      return `delete ${counted(operation.folders.length, 'one old backup', 'old backups')} of ${operation.service}`;
    case 'await-ready':
      return `wait until ${operation.service} is ready (at most ${formatDuration(operation.timeoutMs)})`;
    case 'verify':
      return `verify ${operation.service}${operation.candidate === true ? ' before it gets requests' : ''}: ${operation.checks.join(', ')}`;
    case 'analyse-canary':
      return `compare new and old of ${operation.service} at ${operation.percent} % for ${formatDuration(operation.durationMs)}`;
    case 'watch':
      return operation.durationMs === 0
        ? `read the resource use of ${operation.service} once, without a watch`
        : `watch ${operation.service} for ${formatDuration(operation.durationMs)}`;
    case 'accept-release':
      return `record ${operation.release} as the live release of ${operation.service}`;
    case 'record-stop':
      return `record that ${operation.service} is stopped on purpose: ${operation.reason}`;
    case 'record-start':
      return `record that ${operation.service} is to run`;
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
        : operation.replicas === 0
          ? { kind: 'none', reason: 'the release of before is started again as it was, or not at all if it is a job' }
          : { kind: 'operation', operation: { ...operation, from: operation.to, to: operation.from, force: true } };
    case 'start-beside':
      return {
        kind: 'operation',
        operation: {
          kind: 'retire-containers',
          service: operation.service,
          containers: { are: 'others', than: operation.beside },
        },
      };
    case 'shift-traffic':
      return operation.serve.who === 'new'
        ? {
            kind: 'operation',
            operation: { ...operation, serve: { who: 'only', containers: operation.serve.old } },
          }
        : { kind: 'none', reason: 'traffic goes to what is ready then' };
    case 'stop-containers':
      return { kind: 'operation', operation: { ...operation, kind: 'start-containers' } };
    case 'set-restart-policy':
      return {
        kind: 'operation',
        operation: { ...operation, to: operation.to === 'always' ? 'unless-stopped' : 'always' },
      };
    case 'record-stop':
      return {
        kind: 'operation',
        operation: { kind: 'record-start', service: operation.service, release: operation.release },
      };
    case 'hold-traffic':
      return {
        kind: 'operation',
        operation: { kind: 'release-traffic', service: operation.service, router: operation.router },
      };
    case 'install-edge':
      return { kind: 'operation', operation: { kind: 'remove-edge', service: operation.service } };
    case 'redirect-ports':
      return { kind: 'operation', operation: { ...operation, kind: 'end-redirect' } };
    case 'open-ports':
      return { kind: 'operation', operation: { ...operation, kind: 'close-ports' } };
    case 'close-ports':
      return { kind: 'operation', operation: { ...operation, kind: 'open-ports' } };
    case 'drain-containers':
      return { kind: 'none', reason: 'they run on, and get traffic again when it is shifted back' };
    case 'retire-containers':
      return { kind: 'none', reason: 'going back starts the release again, beside what runs' };
    case 'start-containers':
    case 'settle-containers':
    case 'release-traffic':
    case 'end-redirect':
    case 'end-takeover':
    case 'remove-edge':
      return { kind: 'none', reason: 'it ends a change; going back is a change of its own' };
    case 'repair-edge':
      return { kind: 'none', reason: 'what was broken stays repaired' };
    case 'accept-release':
      return {
        kind: 'operation',
        operation: { kind: 'reject-release', service: operation.service, release: operation.release, reason: 'undone' },
      };
    case 'remove-leftovers':
      return { kind: 'none', reason: 'they served nobody' };
    case 'remove-networks':
      return { kind: 'none', reason: 'they are made again with the first service that is on them' };
    case 'restart-containers':
    case 'kill-containers':
    case 'remove-containers':
      return { kind: 'none', reason: 'a stopped process does not come back; the service is started again' };
    case 'fetch-source':
    case 'build-image':
    case 'pull-image':
    case 'push-image':
    case 'keep-image':
      return { kind: 'none', reason: 'touches nothing that runs' };
    case 'add-worktree':
      return { kind: 'none', reason: 'removed at the end of the run' };
    case 'run-command':
    case 'run-release-command':
      return { kind: 'none', reason: 'your command: what it does outside the project is yours to undo' };
    case 'freeze-data':
      return { kind: 'operation', operation: { ...operation, kind: 'thaw-data' } };
    case 'thaw-data':
      return { kind: 'none', reason: 'it ends what made the data stand still' };
    case 'save-data':
    case 'keep-backup':
      return { kind: 'none', reason: 'touches no data; a backup that is not kept is removed' };
    case 'restore-data':
      return operation.safety === undefined
        ? { kind: 'none', reason: 'it is what undoes a restore' }
        : { kind: 'operation', operation: dataBack(operation, operation.safety) };
    case 'delete-backups':
      return { kind: 'none', reason: 'newer ones are there' };
    case 'capture-evidence':
    case 'await-ready':
    case 'verify':
    case 'watch':
    case 'analyse-canary':
      return { kind: 'none', reason: 'only looks' };
    case 'free-port':
      return { kind: 'none', reason: 'whoever had the port is started again by a person' };
    case 'record-start':
      return { kind: 'none', reason: 'stopping it again is procedure stop' };
    case 'reject-release':
      return { kind: 'none', reason: 'a mark; --force deploys it all the same' };
  }
}

/** Operations after which something that runs, or the checkout it runs from, may be different. */
const CHANGING: ReadonlySet<OperationKind> = new Set([
  'free-port',
  'move-checkout',
  'tag-image',
  'replace-containers',
  'restart-containers',
  'kill-containers',
  'remove-containers',
  'remove-networks',
  'start-beside',
  'shift-traffic',
  'stop-containers',
  'start-containers',
  'retire-containers',
  'hold-traffic',
  'install-edge',
  'redirect-ports',
  'open-ports',
  'close-ports',
  'remove-edge',
  'repair-edge',
  'freeze-data',
  'thaw-data',
  'restore-data',
]);

/** @returns whether the operation changes what runs */
export function changesService(operation: Operation): boolean {
  return CHANGING.has(operation.kind);
}

/** Nothing is decided by whether they ended: recovery does the same after their beginning as after their end. */
const END_DECIDES_NOTHING: ReadonlySet<OperationKind> = new Set([
  'fetch-source',
  'add-worktree',
  'build-image',
  'pull-image',
  'push-image',
  'capture-evidence',
  'keep-image',
  'tag-image',
  'await-ready',
]);

/** @returns whether it makes a difference to a recovery that the operation came to its end */
export function endDecides({ kind }: Operation): boolean {
  return !END_DECIDES_NOTHING.has(kind);
}

/** @returns what puts the data of before a restore back */
export function dataBack(
  { service, places, tool }: DataReturn,
  safety: NonNullable<DataReturn['safety']>,
): OperationOf<'restore-data'> {
  return { kind: 'restore-data', service, places, tool, ...safety, safety: undefined };
}

function freezeWords({ how, service, containers }: Freeze): string {
  switch (how) {
    case 'pause':
      return `pause ${counted(containers.length)} of ${service}`;
    case 'stop':
      return `stop ${counted(containers.length)} of ${service}`;
    case 'quiesce':
      return `run quiesce-command for ${service}`;
  }
}

function thawWords({ how, service, containers }: Freeze): string {
  switch (how) {
    case 'pause':
      return `let ${counted(containers.length)} of ${service} go on`;
    case 'stop':
      return `start ${counted(containers.length)} of ${service} again`;
    case 'quiesce':
      return `run resume-command for ${service}`;
  }
}

/** Commits and digests as people read them. */
export function short(id: string): string {
  const bare = id.replace(/^sha256:/, '');
  return /^[0-9a-f]{40,64}$/.test(bare) ? bare.slice(0, 12) : id;
}

function counted(count: number, one = 'the container', more = 'containers'): string {
  return count === 1 ? one : `${count} ${more}`;
}

function describeSet(set: ContainerSet): string {
  return set.are === 'these'
    ? counted(set.containers.length, 'the old container', 'old containers')
    : 'the new containers';
}

function describeServe(serve: Serve): string {
  switch (serve.who) {
    case 'only':
      return `sends requests only to ${counted(serve.containers.length)}`;
    case 'all-but':
      if (serve.containers.length === 0) return 'sends requests to every container';
      return `sends requests to all but ${counted(serve.containers.length, 'one container', 'old containers')}`;
    case 'new':
      return serve.percent === 100
        ? 'sends all requests to the new containers'
        : `sends ${serve.percent} % of the requests to the new containers`;
  }
}

function routerWords(router: RouterSpec): string {
  switch (router.kind) {
    case 'edge':
      return 'the edge';
    case 'haproxy':
      return `HAProxy (backend ${router.backend})`;
    case 'caddy':
      return `Caddy (${router.id})`;
    case 'discovery':
      return 'the discovering proxy';
    case 'none':
      return 'no router: the engine alone';
  }
}

function firstLine(command: string): string {
  const [first = '', ...rest] = command.trim().split('\n');
  return rest.length === 0 ? first : `${first} …`;
}
