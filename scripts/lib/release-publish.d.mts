import type { Api } from '../../.github/actions/github-api.mjs';
import type { ReleaseFile } from './release-content.mjs';

export function publishRelease(
  release: {
    readonly version: string;
    readonly commit: string;
    readonly notes: string;
    readonly files: readonly ReleaseFile[];
  },
  api: Api,
  say: (line: string) => void,
): Promise<void>;
