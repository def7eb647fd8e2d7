export const RECORD_NAME: string;
export function checksums(images: Readonly<Record<string, string>>): string;
export interface Recorded {
  readonly tag: string;
  readonly commit: string;
  readonly images: Readonly<Record<string, string>>;
  readonly run: string;
  readonly attestation?: string;
}
export type Api = (
  method: string,
  path: string,
  body?: object,
) => Promise<{ readonly status: number; readonly body: unknown }>;
export function recordRelease(
  what: Recorded,
  api: Api,
): Promise<{ readonly url: string } | { readonly problem: string }>;
export function createApi(access: { apiUrl: string; repository: string; token: string }): Api;
