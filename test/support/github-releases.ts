/** Releases of a repository as GitHub has them, with their files; a part of the double in github.ts. */
import type { GitHubPart } from './github-part.js';

export interface KeptRelease {
  readonly id: number;
  readonly tag: string;
  draft: boolean;
  readonly body: string;
  readonly assets: { readonly id: number; readonly name: string; readonly content: unknown }[];
}

const AT = '2026-11-26T00:00:00Z';
const NOT_FOUND = [404, { message: 'Not Found' }] as const;

/** @param root address that files are uploaded to, below which the repository is */
export function createReleases(root: () => string): GitHubPart<KeptRelease> {
  const kept: KeptRelease[] = [];
  let nextId = 1;
  const answers: readonly (readonly [
    string,
    RegExp,
    (part: string, query: URLSearchParams, body: Readonly<Record<string, unknown>>) => readonly [number, unknown],
  ])[] = [
    [
      'GET',
      /\/releases\/tags\/([^/]+)$/,
      (tag) => {
        // A draft has no tag yet, whatever name it is to get.
        const found = kept.find((one) => one.tag === decodeURIComponent(tag) && !one.draft);
        return found === undefined ? NOT_FOUND : [200, shownRelease(root(), found)];
      },
    ],
    [
      'POST',
      /\/releases$/,
      (_, __, body) => {
        const made: KeptRelease = {
          id: nextId++,
          tag: String(body['tag_name']),
          draft: body['draft'] === true,
          body: typeof body['body'] === 'string' ? body['body'] : '',
          assets: [],
        };
        kept.push(made);
        return [201, shownRelease(root(), made)];
      },
    ],
    [
      'PATCH',
      /\/releases\/(\d+)$/,
      (id, _, body) => {
        const found = kept.find((one) => one.id === Number(id));
        if (found === undefined) return NOT_FOUND;
        if (typeof body['draft'] === 'boolean') found.draft = body['draft'];
        return [200, shownRelease(root(), found)];
      },
    ],
    [
      'POST',
      /\/releases\/(\d+)\/assets$/,
      (id, query, content) => {
        const found = kept.find((one) => one.id === Number(id));
        if (found === undefined) return NOT_FOUND;
        const asset = { id: nextId++, name: query.get('name') ?? '', content };
        found.assets.push(asset);
        return [201, shownAsset(root(), asset)];
      },
    ],
    [
      'GET',
      /\/releases\/assets\/(\d+)$/,
      (id) => {
        const asset = kept.flatMap(({ assets }) => assets).find((one) => one.id === Number(id));
        return asset === undefined ? NOT_FOUND : [200, asset.content];
      },
    ],
  ];
  return {
    kept,
    carryOut(method, pathname, query, body) {
      if (!pathname.includes('/releases')) return undefined;
      for (const [verb, pattern, answer] of answers) {
        const match = verb === method ? pattern.exec(pathname) : null;
        if (match !== null) return answer(match[1] ?? '', query, body);
      }
      return NOT_FOUND;
    },
  };
}

function shownRelease(root: string, { id, tag, draft, body, assets }: KeptRelease): object {
  const url = `${root}/releases/${id}`;
  return {
    id,
    node_id: `R${id}`,
    url,
    html_url: `https://github.test/releases/tag/${tag}`,
    assets_url: `${url}/assets`,
    upload_url: `${url}/assets{?name,label}`,
    tarball_url: null,
    zipball_url: null,
    tag_name: tag,
    target_commitish: 'main',
    name: tag,
    body,
    draft,
    prerelease: false,
    created_at: AT,
    published_at: draft ? null : AT,
    author: someone,
    assets: assets.map((asset) => shownAsset(root, asset)),
  };
}

function shownAsset(root: string, { id, name }: { readonly id: number; readonly name: string }): object {
  const url = `${root}/releases/assets/${id}`;
  return {
    id,
    name,
    url,
    browser_download_url: url,
    node_id: `A${id}`,
    label: null,
    state: 'uploaded',
    content_type: 'application/json',
    size: 1,
    digest: null,
    download_count: 0,
    created_at: AT,
    updated_at: AT,
    uploader: null,
  };
}

/** Whoever the token is of; GitHub says a lot of addresses. */
export const someone = {
  login: 'robot',
  id: 1,
  node_id: 'U1',
  type: 'Bot',
  site_admin: false,
  gravatar_id: null,
  ...Object.fromEntries(
    [
      'avatar_url',
      'url',
      'html_url',
      'followers_url',
      'following_url',
      'gists_url',
      'starred_url',
      'subscriptions_url',
      'organizations_url',
      'repos_url',
      'events_url',
      'received_events_url',
    ].map((key) => [key, 'https://github.test/robot']),
  ),
};
