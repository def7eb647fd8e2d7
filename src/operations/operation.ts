import * as z from 'zod';
import { acceptRelease } from './accept-release.js';
import { addWorktree } from './add-worktree.js';
import { analyseCanary } from './analyse-canary.js';
import { awaitReady } from './await-ready.js';
import { buildImage } from './build-image.js';
import { captureEvidence } from './capture-evidence.js';
import { closePorts } from './close-ports.js';
import { deleteBackups } from './delete-backups.js';
import { drainContainers } from './drain-containers.js';
import { endRedirect } from './end-redirect.js';
import { endTakeover } from './end-takeover.js';
import { freePort } from './free-port.js';
import { freezeData } from './freeze-data.js';
import { holdTraffic } from './hold-traffic.js';
import { installEdge } from './install-edge.js';
import { keepBackup } from './keep-backup.js';
import { keepImage } from './keep-image.js';
import { killContainers } from './kill-containers.js';
import { moveCheckout } from './move-checkout.js';
import { openPorts } from './open-ports.js';
import { pullImage } from './pull-image.js';
import { pushImage } from './push-image.js';
import { recordStart } from './record-start.js';
import { recordStop } from './record-stop.js';
import { redirectPorts } from './redirect-ports.js';
import { rejectRelease } from './reject-release.js';
import { releaseTraffic } from './release-traffic.js';
import { removeContainers } from './remove-containers.js';
import { removeEdge } from './remove-edge.js';
import { removeLeftovers } from './remove-leftovers.js';
import { removeNetworks } from './remove-networks.js';
import { repairEdge } from './repair-edge.js';
import { replaceContainers } from './replace-containers.js';
import { restartContainers } from './restart-containers.js';
import { restoreData } from './restore-data.js';
import { retireContainers } from './retire-containers.js';
import { runCommand } from './run-command.js';
import { runReleaseCommand } from './run-release-command.js';
import { saveData } from './save-data.js';
import { setRestartPolicy } from './set-restart-policy.js';
import { settleContainers } from './settle-containers.js';
import { shiftTraffic } from './shift-traffic.js';
import { startBeside } from './start-beside.js';
import { startContainers } from './start-containers.js';
import { stopContainers } from './stop-containers.js';
import { tagImage } from './tag-image.js';
import { thawData } from './thaw-data.js';
import { verify } from './verify.js';
import { watch } from './watch.js';
import type { Definition, Traits, Undo } from './definition.js';

/**
 * Every kind of operation. A plan is a list of them: it is shown, journalled before each effect, performed, and undone from the
 * journal by another process if need be. A new kind is a new file and a line here.
 */
const DEFINITIONS = {
  'add-worktree': addWorktree,
  'run-command': runCommand,
  'build-image': buildImage,
  'pull-image': pullImage,
  'push-image': pushImage,
  'capture-evidence': captureEvidence,
  'run-release-command': runReleaseCommand,
  'free-port': freePort,
  'keep-image': keepImage,
  'move-checkout': moveCheckout,
  'tag-image': tagImage,
  'replace-containers': replaceContainers,
  'restart-containers': restartContainers,
  'kill-containers': killContainers,
  'remove-containers': removeContainers,
  'remove-leftovers': removeLeftovers,
  'remove-networks': removeNetworks,
  'start-beside': startBeside,
  'shift-traffic': shiftTraffic,
  'drain-containers': drainContainers,
  'stop-containers': stopContainers,
  'start-containers': startContainers,
  'set-restart-policy': setRestartPolicy,
  'retire-containers': retireContainers,
  'settle-containers': settleContainers,
  'hold-traffic': holdTraffic,
  'release-traffic': releaseTraffic,
  'install-edge': installEdge,
  'redirect-ports': redirectPorts,
  'open-ports': openPorts,
  'close-ports': closePorts,
  'end-redirect': endRedirect,
  'end-takeover': endTakeover,
  'remove-edge': removeEdge,
  'repair-edge': repairEdge,
  'freeze-data': freezeData,
  'thaw-data': thawData,
  'save-data': saveData,
  'keep-backup': keepBackup,
  'restore-data': restoreData,
  'delete-backups': deleteBackups,
  'await-ready': awaitReady,
  verify: verify,
  watch: watch,
  'analyse-canary': analyseCanary,
  'accept-release': acceptRelease,
  'record-stop': recordStop,
  'record-start': recordStart,
  'reject-release': rejectRelease,
} as const;

type Definitions = typeof DEFINITIONS;
type OperationIn<D> = D extends { readonly describe: (operation: infer O) => string } ? O : never;

export type OperationKind = keyof Definitions;

/** One step of a plan, as plain data. Everything it needs is in it, or is named by an id that the ledger knows. */
export type Operation = { [K in OperationKind]: OperationIn<Definitions[K]> }[OperationKind];
export type OperationOf<K extends OperationKind> = Extract<Operation, { kind: K }>;

type DefinitionOf<K extends OperationKind> = Definition<OperationOf<K>, Operation>;

/** The same table, typed so that it can be read by a kind that is known at run time only. */
const BY_KIND: { readonly [K in OperationKind]: DefinitionOf<K> } = DEFINITIONS;

export const OPERATION_KINDS = Object.keys(DEFINITIONS) as readonly OperationKind[];

/** Reads operations from JSON. Fields that a newer version wrote are left out; a kind that it added is refused. */
export const operationSchema = z.discriminatedUnion(
  'kind',
  OPERATION_KINDS.map((kind) => z.object(BY_KIND[kind].shape)) as unknown as readonly [OperationObject],
) as unknown as z.ZodType<Operation>;
type OperationObject = z.ZodObject<{ readonly kind: z.ZodLiteral<OperationKind> }>;

/** @returns one line for the plan, the log and the timeline */
export function describeOperation(operation: Operation): string {
  return describe(operation);
}

function describe<K extends OperationKind>(operation: OperationOf<K>): string {
  return BY_KIND[operation.kind].describe(operation);
}

/** What takes an operation back, or why nothing does. */
export type Compensation = Undo<Operation>;

/** @returns how the operation is undone; printed beside it in the plan and used by the undo planner */
export function compensationOf(operation: Operation): Compensation {
  return undo(operation);
}

function undo<K extends OperationKind>(operation: OperationOf<K>): Compensation {
  return BY_KIND[operation.kind].undo(operation);
}

/** @returns what holds for every operation of the kind */
export function traitsOf({ kind }: { readonly kind: OperationKind }): Traits {
  return BY_KIND[kind].traits;
}

/** @returns whether the operation may change what runs, or the checkout it runs from */
export function changesService(operation: Operation): boolean {
  return traitsOf(operation).changes !== 'nothing';
}

/** @returns whether new containers of the service exist afterwards */
export function createsContainers({ kind }: Operation): boolean {
  const { containers } = BY_KIND[kind].traits;
  return containers === 'replaces' || containers === 'copies';
}

/** @returns whether new containers, or the same ones, are started. Unpausing is not among it */
export function startsContainers(operation: Operation): boolean {
  const { containers } = traitsOf(operation);
  return createsContainers(operation) || containers === 'restarts' || containers === 'starts';
}
