import type { ImageFacts } from '../model/image.js';
import type { Lifetime } from '../model/job.js';
import type { Decision } from '../model/plan.js';
import type { ServicePolicy } from '../model/project-policy.js';
import type { Release, ReleaseWithDefinition, ServiceHistory } from '../model/release.js';
import type { ObservedContainer, ServiceDefinition } from '../model/service.js';
import type { Keeping } from '../strategies/losses.js';
import type { Traffic } from '../strategies/strategy.js';
import type { DataChange } from '../strategies/with-data.js';
import type { Remedied } from '../strategies/with-remedies.js';

export interface IdentifiedContainer extends ObservedContainer {
  /** Identity of its image; undefined when the engine does not have the image any more. */
  readonly fingerprint: string | undefined;
}

/** What runs of a service now, and which release of the ledger that is. */
export interface Current {
  readonly containers: readonly IdentifiedContainer[];
  readonly image: ImageFacts | undefined;
  readonly history: ServiceHistory;
  /** The release of the ledger that runs; undefined when what runs is not in it, or nothing runs. */
  readonly release: Release | undefined;
  readonly files: Readonly<Record<string, string>> | undefined;
  /** The same release with its definition; undefined also when the ledger cannot read it. A secret. */
  readonly definition: ReleaseWithDefinition | undefined;
}

/** A release that is built or pulled, compared with what runs, and not live yet. */
export interface Candidate {
  readonly service: string;
  readonly definition: ServiceDefinition;
  /** What the wanted compose file says of how the service is changed; for a kept release, what the live one says. */
  readonly policy: ServicePolicy;
  readonly release: ReleaseWithDefinition;
  /** The ledger has it already: going back to a kept release adds no record. */
  readonly recorded: boolean;
  readonly decision: Decision;
  /** What differs in the configuration, as lines of a diff, secrets hidden; empty or missing when nothing is known to. */
  readonly diff?: readonly string[] | undefined;
  readonly current: Current;
  readonly replicas: number;
  readonly lifetime: Lifetime;
  readonly traffic: Traffic;
  /** Networks and volumes that the engine has with another definition, one sentence each. */
  readonly keptDefinitions: readonly string[];
  /** What a change of it has to keep. */
  readonly keeping: Keeping;
  /** Id that the compose file's image name had before anything was pulled or built. */
  readonly namedImage: string | undefined;
  /** What is done to its data on the way. */
  readonly data?: DataChange | undefined;
  /** What `remedies` has done before it is changed. */
  readonly remedied?: Remedied | undefined;
}
