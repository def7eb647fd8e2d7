import type { Api } from '../github-api.mjs';

export const RECORD_NAME: string;
export function checksums(images: Readonly<Record<string, string>>): string;
export interface Recorded {
  readonly tag: string;
  readonly commit: string;
  readonly images: Readonly<Record<string, string>>;
  readonly run: string;
  readonly attestation?: string;
  readonly pushed?: boolean;
}
export function recordRelease(
  what: Recorded,
  api: Api,
): Promise<{ readonly url: string; readonly how: 'made' | 'known' | 'draft' } | { readonly problem: string }>;
