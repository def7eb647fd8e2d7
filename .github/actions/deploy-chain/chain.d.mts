export interface Host {
  readonly runner: string;
  readonly 'working-directory': string;
  readonly environment: string;
  readonly 'environment-url': string;
}
export interface HostResult {
  readonly runner: string;
  readonly environment: string;
  readonly 'working-directory': string;
  readonly begun: boolean;
  readonly outcome?: string;
  readonly release?: string;
  readonly 'previous-release'?: string;
  readonly 'image-digest'?: string;
  readonly report?: string;
}
export const MAX_HOSTS: number;
export const HOST_FIELDS: readonly string[];
export const SEVERITY: readonly string[];
export function readHosts(
  text: string,
  inputs: { readonly defaults: Readonly<Record<string, string>>; readonly ref: string },
): { hosts: Host[]; problems: string[] };
export function summarize(
  needs: Readonly<
    Record<string, { readonly result: string; readonly outputs?: Readonly<Record<string, string>> | null }>
  >,
  commit: string,
): { outcome: string; hosts: HostResult[]; markdown: string; failure: string | undefined };
