/** What the platform takes for one step's summary. https://docs.github.com/actions: step summary limit, 1 MiB */
export const SUMMARY_LIMIT_BYTES = 1024 * 1024;

const REST = '\n\n---\n\nThe rest did not fit into the summary (1 MiB). The JSON report has all of it.\n';

/** For what `closeDetails` adds. */
const CLOSING_BYTES = 16;

/**
 * Shortens a summary at the last section heading that still fits; a summary over the limit would be dropped as a whole.
 * @returns at most `limitBytes` bytes of UTF-8
 */
export function fitSummary(markdown: string, limitBytes: number = SUMMARY_LIMIT_BYTES): string {
  if (Buffer.byteLength(markdown) <= limitBytes) return markdown;
  const room = limitBytes - Buffer.byteLength(REST) - CLOSING_BYTES;
  const bytes = Buffer.from(markdown).subarray(0, Math.max(0, room));
  // A character cut in half at the end becomes U+FFFD, which can be longer than what was cut: it goes.
  const cut = bytes.toString('utf8').replace(/\ufffd+$/, '');
  const heading = cut.lastIndexOf('\n## ');
  const kept = closeDetails(closeFence(cut.slice(0, Math.max(0, heading > 0 ? heading : cut.lastIndexOf('\n')))));
  return kept + REST.slice(0, limitBytes);
}

/** A fence that the cut left open would swallow the note that follows. */
function closeFence(markdown: string): string {
  let open = '';
  for (const [, fence = ''] of markdown.matchAll(/^(`{3,})/gm)) {
    if (open === '') open = fence;
    else if (fence.length >= open.length) open = '';
  }
  return open === '' ? markdown : markdown.slice(0, markdown.lastIndexOf(`\n${open}`));
}

/** The note would be hidden inside a folded part. */
function closeDetails(markdown: string): string {
  const opened = markdown.match(/^<details/gm)?.length ?? 0;
  const closed = markdown.match(/^<\/details>/gm)?.length ?? 0;
  return opened > closed ? `${markdown}\n\n</details>` : markdown;
}
