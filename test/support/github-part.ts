/** A part of the double of GitHub in github.ts: some of its addresses, with what they keep. */
export interface GitHubPart<Kept> {
  readonly kept: Kept[];
  /** @returns status and answer; undefined for an address that is another part's */
  carryOut(
    method: string,
    pathname: string,
    query: URLSearchParams,
    body: Readonly<Record<string, unknown>>,
  ): readonly [number, unknown] | undefined;
}
