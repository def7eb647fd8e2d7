/** Something that changes whether a container serves, in milliseconds since the epoch. */
export interface ServingChange {
  readonly atMs: number;
  readonly container: string;
  readonly serves: boolean;
}

/** What the engine said of a container, in milliseconds since the epoch. */
export interface ContainerEvent {
  readonly action: string;
  readonly id: string;
  readonly atMs: number;
}

/**
 * When containers serve again that ended after they had served and were started again by Docker: from their health check
 * on, or from their start where they have none. Nobody else looks at them by then.
 * @param served readings of readiness
 * @param events in the order they happened
 */
export function servingAgain(
  served: readonly ServingChange[],
  events: readonly ContainerEvent[],
): readonly ServingChange[] {
  const checked = new Set(events.filter(({ action }) => action.startsWith('health_status')).map(({ id }) => id));
  const ended = new Set<string>();
  const changes: ServingChange[] = [];
  for (const { action, id, atMs } of events) {
    if (action === 'die' && served.some((one) => one.container === id && one.atMs <= atMs)) ended.add(id);
    if (ended.has(id) && action === (checked.has(id) ? 'health_status: healthy' : 'start')) {
      changes.push({ atMs, container: id, serves: true });
    }
  }
  return changes;
}

/**
 * How long nothing served at all.
 * @param initially containers that served when the change began
 * @param changes in any order
 * @returns milliseconds between `fromMs` and `toMs` in which no container served
 */
export function outageMs(
  initially: readonly string[],
  changes: readonly ServingChange[],
  fromMs: number,
  toMs: number,
): number {
  const serving = new Set(initially);
  let emptySince = serving.size === 0 ? fromMs : undefined;
  let total = 0;
  for (const change of [...changes].sort((a, b) => a.atMs - b.atMs)) {
    const atMs = Math.min(Math.max(change.atMs, fromMs), toMs);
    if (change.serves) serving.add(change.container);
    else serving.delete(change.container);
    if (serving.size === 0) emptySince ??= atMs;
    else if (emptySince !== undefined) {
      total += atMs - emptySince;
      emptySince = undefined;
    }
  }
  return total + (emptySince === undefined ? 0 : Math.max(0, toMs - emptySince));
}
