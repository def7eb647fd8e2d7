export interface ReleaseFile {
  readonly name: string;
  readonly content: Buffer;
}
export function releaseProblems(
  version: string,
  repository?: { readonly packageVersion: string; readonly changelog: string },
): string[];
export function changelogSection(changelog: string, name: string): string | undefined;
export function movingTag(version: string): string;
export function releasedCommit(): string;
export function writeAssets(version: string, folder: string): string[];
export function readAssets(version: string, folder: string): { notes: string; files: ReleaseFile[] };
