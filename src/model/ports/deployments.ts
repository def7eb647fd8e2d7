import type { DeploymentOrigin, DeploymentStart, DeploymentStatus } from '../deployment.js';

/**
 * The forge's own records of what was deployed where. Each rejects with what went wrong, and ends after some seconds: who
 * calls it tells of it and goes on, since no deploy fails because the forge is down.
 */
export interface Deployments {
  /** Makes the record of a run, without a status; gives the one that is there already when the answer to a first try was lost. */
  begin(start: DeploymentStart): Promise<DeploymentId>;
  report(id: DeploymentId, status: DeploymentStatus): Promise<void>;
  /** @returns the record of a run that has not been given an end; undefined when there is none */
  unfinished(environment: string, run: string): Promise<DeploymentId | undefined>;
  /** Older records of the same project on the same host are no longer what is live. @returns how many were changed */
  retireOthers(environment: string, id: DeploymentId, place: Place, status: DeploymentStatus): Promise<number>;
  /** @returns the newest other record of the same place with that commit which once was live */
  liveBefore(environment: string, id: DeploymentId, place: Place, commit: string): Promise<DeploymentId | undefined>;
}

export type DeploymentId = number;

/** Two hosts may be one environment: each has its own records in it. */
export type Place = Pick<DeploymentOrigin, 'project' | 'host'>;
