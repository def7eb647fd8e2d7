/** A stream that a person or another program reads, as long as it does. */
export interface OutputStream {
  on(event: 'error', listener: (error: Error) => void): unknown;
}

/** A reader that went away (`| head`), and a terminal that did (a connection that was lost). */
const GONE: ReadonlySet<unknown> = new Set(['EPIPE', 'EIO']);

/**
 * A change goes on when nobody reads its words any more: an unheard error of stdout would end the process in the middle of it,
 * with the lock held and nothing undone. The report is in its file, and what was done is in the ledger.
 */
export function outliveReader(...streams: readonly OutputStream[]): void {
  for (const stream of streams) {
    stream.on('error', (error) => {
      if (!GONE.has('code' in error ? error.code : undefined)) throw error;
    });
  }
}
