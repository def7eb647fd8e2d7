/** Something that changes whether a container serves, in milliseconds since the epoch. */
export interface ServingChange {
  readonly atMs: number;
  readonly container: string;
  readonly serves: boolean;
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
