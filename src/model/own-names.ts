/** Labels of everything that Rolling Restart leaves on an engine: what it is found by, and cleaned up. */
export const PROJECT_LABEL = 'rolling-restart.project';
export const SERVICE_LABEL = 'rolling-restart.service';
/** On the containers and the volume of an edge; its value is the role. */
export const EDGE_LABEL = 'rolling-restart.edge';

/** The compose projects of edges begin with it. */
export const EDGE_PROJECT_PREFIX = 'rolling-restart-edge-';

/** The empty image that records are opened with; one for all projects of an engine. */
export const RECORDS_IMAGE = { repository: 'rolling-restart/records', tag: '1' } as const;
export const RECORDS_IMAGE_NAME = `${RECORDS_IMAGE.repository}:${RECORDS_IMAGE.tag}`;

/** On a container that works for one run and goes with it; its value says for what. */
export const HELPER_LABEL = 'rolling-restart.helper';
const RUN_LABEL = 'rolling-restart.run';
const UNTIL_LABEL = 'rolling-restart.until';

/** A container that is made to do one thing, and is nobody's service. */
export interface Helper {
  readonly work: 'iptables' | 'image-probe' | 'data' | 'host-view' | 'render' | 'template' | 'release-command';
  readonly project: string;
  readonly service?: string | undefined;
  /** How long it may be needed, in milliseconds. */
  readonly lifeMs: number;
}

/**
 * What every helper is found by: a run that is killed leaves it, and nothing that the engine can be told removes one that was
 * never started. Each goes with its run (recovery), or when its time is over (any later run), or with the project (uninstall).
 * @param nowMs milliseconds since the epoch
 */
export function helperLabels(
  { work, project, service, lifeMs }: Helper,
  run: string,
  nowMs: number,
): Readonly<Record<string, string>> {
  return {
    [PROJECT_LABEL]: project,
    ...(service === undefined ? {} : { [SERVICE_LABEL]: service }),
    [HELPER_LABEL]: work,
    [RUN_LABEL]: run,
    [UNTIL_LABEL]: new Date(nowMs + lifeMs).toISOString(),
  };
}

/** @returns the labels without those of a helper: a container that is copied from one is none */
export function withoutHelperLabels(labels: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const own = new Set([PROJECT_LABEL, SERVICE_LABEL, HELPER_LABEL, RUN_LABEL, UNTIL_LABEL]);
  return Object.fromEntries(Object.entries(labels).filter(([name]) => !own.has(name)));
}

/** @returns whether nobody needs a helper with these labels any more: its run is over, or its time */
export function isLeftHelper(labels: Readonly<Record<string, string>>, runs: readonly string[], now: number): boolean {
  return runs.includes(labels[RUN_LABEL] ?? '') || !(Date.parse(labels[UNTIL_LABEL] ?? '') > now);
}
