/** A part of the double of GitHub in github.ts: some of its addresses, with what they keep. */
export interface GitHubPart<Kept> {
  readonly kept: Kept[];
  /** @returns status and answer; undefined for an address that is another part's */
  carryOut(
    method: string,
    pathname: string,
    query: URLSearchParams,
    body: Readonly<Record<string, unknown>>,
    file: FileRequest,
  ): readonly [number, unknown] | undefined;
}

/** What of a request matters only where files come and go. */
export interface FileRequest {
  /** What came, where it was said not to be JSON. */
  readonly bytes: Buffer | undefined;
  /** Whether the content of a file is asked for, and not what GitHub says of it. */
  readonly wanted: boolean;
}
