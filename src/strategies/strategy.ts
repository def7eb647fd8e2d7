import type { EdgeSpec, EdgeUpgrade } from '../model/edge.js';
import type { OperationOf } from '../operations/operation.js';
import type { StrategyName } from '../model/plan.js';
import type { ServicePlan } from '../operations/plan.js';
import type { CanaryPolicy } from '../model/policy.js';
import type { ReleaseId } from '../model/release.js';
import type { RouterSpec } from '../model/router.js';
import type { ObservedContainer, UpdateConfig } from '../model/service.js';

/** How new replaces old; the way back is the same for all (`undo.ts`). Pure: facts and policy in, operations out; nothing here talks to anything. */
export interface Strategy {
  readonly name: StrategyName;
  plan(change: Change): Planned;
}

export type Planned = Pick<ServicePlan, 'notes' | 'operations' | 'estimatedDowntimeMs'>;

/** What is to become live in place of what. */
export interface Change {
  readonly service: string;
  readonly wanted: ReleaseId;
  /** Name of the image in the compose file, and what it shall name. */
  readonly imageName: string;
  readonly wantedImage: string;
  /** What the name names now. */
  readonly namedImage: string | undefined;
  readonly current: CurrentRelease | undefined;
  readonly observed: readonly ObservedContainer[];
  readonly replicas: number;
  /** The checkout moves with the first service of a run that needs it. */
  readonly checkout: { readonly directory: string; readonly from: string; readonly to: string } | undefined;
  readonly readinessTimeoutMs: number;
  readonly watchMs: number;
  /** Measured on earlier changes of this service: time from stop to ready. */
  readonly knownRestartMs: number | undefined;
  readonly checks: readonly string[];
  /** Name that the compose file gives the container. */
  readonly containerName: string | undefined;
  readonly traffic: Traffic;
  readonly update: UpdateConfig;
  readonly canary: CanaryPolicy;
  readonly hold: { readonly maxMs: number; readonly maxQueue: number };
}

/** What sends requests to the service, now and while it changes. */
export interface Traffic {
  readonly router: RouterSpec;
  readonly drainTimeoutMs: number;
  /** The edge is not there yet and takes the ports over within this change. */
  readonly takeover: Takeover | undefined;
  /** The edge is of another image than the one that is asked for. */
  readonly upgrade?: EdgeUpgrade | undefined;
  /** Ports of an edge that does not have them, or is not on its networks: it is repaired first. */
  readonly repair?: readonly string[] | undefined;
  /** The edge that is there cannot be repaired: it is removed first. */
  readonly discard?: boolean | undefined;
}

export interface Takeover {
  readonly edge: EdgeSpec;
  /** Why the host cannot redirect the ports meanwhile; undefined when it can. */
  readonly redirectProblem: string | undefined;
}

export interface CurrentRelease {
  readonly id: ReleaseId;
  readonly image: string;
  /** `NAME:previous` and our own keeping tag; empty for a release that has them already. */
  readonly keepAs: readonly string[];
}

export interface UndoChange {
  readonly service: string;
  readonly failed: ReleaseId;
  readonly back: ReleaseId;
  /** Image names that have to name other images for it, in order. */
  readonly tags: readonly Pick<OperationOf<'tag-image'>, 'tag' | 'to' | 'from'>[];
  readonly replicas: number;
  readonly checkout: { readonly directory: string; readonly from: string; readonly to: string } | undefined;
  readonly readinessTimeoutMs: number;
  readonly checks: readonly string[];
  /** What is wrong with the release that failed; undefined when nothing is known to be: a cancelled run marks nothing bad. */
  readonly reason: string | undefined;
  readonly containerName: string | undefined;
  readonly router: RouterSpec;
  /** The release that comes back has ports of the host, which only Compose or the edge can give it. */
  readonly publishes: boolean;
  readonly drainTimeoutMs: number;
  /** Containers of the service as they are now. */
  readonly present: readonly PresentContainer[];
  /** How far a take-over got, where one had begun. */
  readonly takeover: TakeoverState | undefined;
}

export interface PresentContainer {
  readonly id: string;
  /** It is of the release that comes back, and was there before or was made for going back. */
  readonly good: boolean;
  readonly running: boolean;
}

export interface TakeoverState {
  readonly ports: readonly string[];
  /** Whether the old container, which has the ports, is still there. */
  readonly oldHasPorts: boolean;
  readonly redirected: boolean;
}
