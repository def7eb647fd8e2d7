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
