/** A stream that a person or another program reads, as long as it does. */
export interface OutputStream {
  on(event: 'error', listener: (error: Error) => void): unknown;
}

/**
 * A change goes on when nobody can read its words any more: the reader went away (`| head`), the connection was lost, the
 * disk of the log is full. An unheard error of stdout would end the process in the middle of the change, with the lock held
 * and nothing undone. The report is in its file, and what was done is in the ledger.
 */
export function outliveReader(...streams: readonly OutputStream[]): void {
  for (const stream of streams) stream.on('error', () => undefined);
}
