/**
 * Weights (1 to 100, or 0) that give the new containers together `percent` of the requests.
 * @param percent 0 to 100
 */
export function shares(
  percent: number,
  newOnes: number,
  oldOnes: number,
): { readonly new: number; readonly old: number } {
  if (newOnes === 0 || percent <= 0) return { new: 0, old: 100 };
  if (oldOnes === 0 || percent >= 100) return { new: 100, old: 0 };
  // One of each kind: percent to 100 - percent. Several share what their kind gets.
  const [ofNew, ofOld] = [percent / newOnes, (100 - percent) / oldOnes];
  const largest = Math.max(ofNew, ofOld);
  const scaled = (share: number): number => Math.max(1, Math.round((share / largest) * 100));
  return { new: scaled(ofNew), old: scaled(ofOld) };
}
