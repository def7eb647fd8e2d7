/** What the engine and the checkout show of a project at one moment, as far as a run may change it. */
export interface LiveState {
  readonly services: Readonly<Record<string, ServiceState>>;
  /** Commit of the checkout; undefined where there is none. */
  readonly commit: string | undefined;
  /** Image id by name; undefined where the name names nothing. */
  readonly tags: Readonly<Record<string, string | undefined>>;
}

export interface ServiceState {
  readonly containers: readonly ContainerFacts[];
  /** The managed edge has its ports. */
  readonly edge: boolean;
}

export interface ContainerFacts {
  readonly id: string;
  readonly running: boolean;
  readonly startedAt: string;
  readonly imageId: string;
  readonly composeHash: string;
}

/** `again`: the same, in containers that were made or started anew. */
export type Difference = 'same' | 'again' | 'other';

/** @returns how what is there now differs from what was there before */
export function differenceOf(before: LiveState, after: LiveState): Difference {
  if (before.commit !== after.commit || !sameTags(before.tags, after.tags)) return 'other';
  const services = Object.keys({ ...before.services, ...after.services });
  const found = services.map((name) => serviceDifference(before.services[name], after.services[name]));
  return found.includes('other') ? 'other' : found.includes('again') ? 'again' : 'same';
}

function sameTags(before: LiveState['tags'], after: LiveState['tags']): boolean {
  return Object.keys(before).every((name) => before[name] === after[name]);
}

const NOTHING: ServiceState = { containers: [], edge: false };

function serviceDifference(before = NOTHING, after = NOTHING): Difference {
  if (before.edge !== after.edge || !sameList(before.containers, after.containers, contentOf)) return 'other';
  return sameList(before.containers, after.containers, instanceOf) ? 'same' : 'again';
}

/** What it is, whichever container it is. */
function contentOf({ running, imageId, composeHash }: ContainerFacts): string {
  return `${running ? 'running' : 'not running'} ${imageId} ${composeHash}`;
}

function instanceOf({ id, startedAt }: ContainerFacts): string {
  return `${id} ${startedAt}`;
}

function sameList<T>(one: readonly T[], other: readonly T[], key: (item: T) => string): boolean {
  const [left, right] = [one.map(key).sort(), other.map(key).sort()];
  return left.length === right.length && left.every((item, index) => item === right[index]);
}
