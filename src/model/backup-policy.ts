/** How data is kept from changing while it is read. */
export const CONSISTENCIES = ['pause', 'stop', 'quiesce'] as const;
export type Consistency = (typeof CONSISTENCIES)[number];

/** How a service's data is backed up: `x-rolling-restart: services: NAME: backup:`, and the inputs before it. */
export interface BackupPolicy {
  readonly consistency: Consistency | undefined;
  /** Paths in the container that are not in a volume: folders that are mounted from the host. */
  readonly paths: readonly string[];
  readonly quiesceCommand: string | undefined;
  readonly resumeCommand: string | undefined;
}

export const NO_BACKUP_POLICY: BackupPolicy = {
  consistency: undefined,
  paths: [],
  quiesceCommand: undefined,
  resumeCommand: undefined,
};
