/**
 * @returns the beginning of a text that is too long, and how much is missing. To be called on what was redacted: half of a
 * secret is not recognised any more.
 */
export function shortened(text: string, limit: number): string {
  if (text.length <= limit) return text;
  return `${text.slice(0, limit).replace(/[\ud800-\udbff]$/, '')} … (cut, ${text.length} characters)`;
}
