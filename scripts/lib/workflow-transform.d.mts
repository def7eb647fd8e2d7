export const EXAMPLE_REPOSITORY: string;
export const EXAMPLE_COMMIT: string;
export function transformForAct(text: string, at?: { repository?: string; commit?: string }): string;
export function inlineCalls(text: string, read: (file: string) => string): string;
export function layRepositoryForAct(
  target: string,
  options?: { bundle?: string; nested?: boolean; commit?: string },
): void;
export function fillCaller(
  text: string,
  replaced: Readonly<Record<string, string | number | boolean>>,
  event: string,
): string;
export function layUploadArtifact(target: string, artifacts: string): void;
export function layAttest(target: string, artifacts: string): void;
export function laySetupNode(target: string): void;
export function pinnedReference(workflow: string, action: string): string;
