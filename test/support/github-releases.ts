/** Releases of a repository as GitHub has them, with their files; a part of the double in github.ts. */
import type { FileRequest, GitHubPart } from './github-part.js';
import type { KeptTag } from './github-refs.js';

export interface KeptRelease {
  readonly id: number;
  readonly tag: string;
  /** Branch or commit that the tag is put on when it is published and has none. */
  readonly target?: string;
  draft: boolean;
  immutable?: boolean;
  readonly body: string;
  readonly assets: KeptAsset[];
}

/** Its content is a Buffer, but for JSON, which is kept as what is in it. */
interface KeptAsset {
  readonly id: number;
  readonly name: string;
  readonly content: unknown;
  /** `open`: an upload that broke off; another of that name is refused as long as it is there. */
  readonly state?: 'uploaded' | 'open';
}

/** What a repository is set to. */
export interface ReleaseSettings {
  /** Releases that are published from now on are never changed. */
  immutableReleases: boolean;
}

const AT = '2026-11-26T00:00:00Z';
const NOT_FOUND = [404, { message: 'Not Found' }] as const;

/**
 * @param root address that files are uploaded to, below which the repository is
 * @param tags of the repository: publishing puts one on the commit
 */
export function createReleases(
  root: () => string,
  tags: KeptTag[],
  settings: ReleaseSettings,
): GitHubPart<KeptRelease> {
  const kept: KeptRelease[] = [];
  let nextId = 1;
  const publish = (release: KeptRelease): void => {
    release.draft = false;
    release.immutable ??= settings.immutableReleases;
    if (tags.some(({ name }) => name === release.tag)) return;
    tags.push({ name: release.tag, sha: release.target ?? '' });
  };
  const answers: readonly (readonly [
    string,
    RegExp,
    (
      part: string,
      query: URLSearchParams,
      body: Readonly<Record<string, unknown>>,
      file: FileRequest,
    ) => readonly [number, unknown],
  ])[] = [
    [
      'GET',
      /\/releases$/,
      (_, query) => {
        const size = Number(query.get('per_page') ?? 30);
        const from = (Number(query.get('page') ?? 1) - 1) * size;
        return [
          200,
          [...kept]
            .reverse()
            .slice(from, from + size)
            .map((one) => shownRelease(root(), one)),
        ];
      },
    ],
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
          ...(typeof body['target_commitish'] === 'string' ? { target: body['target_commitish'] } : {}),
          draft: true,
          body: typeof body['body'] === 'string' ? body['body'] : '',
          assets: [],
        };
        kept.push(made);
        if (body['draft'] !== true) publish(made);
        return [201, shownRelease(root(), made)];
      },
    ],
    [
      'PATCH',
      /\/releases\/(\d+)$/,
      (id, _, body) => {
        const found = kept.find((one) => one.id === Number(id));
        if (found === undefined) return NOT_FOUND;
        if (body['draft'] === false) publish(found);
        return [200, shownRelease(root(), found)];
      },
    ],
    [
      'DELETE',
      /\/releases\/(\d+)$/,
      (id) => {
        const index = kept.findIndex((one) => one.id === Number(id));
        if (index === -1) return NOT_FOUND;
        kept.splice(index, 1);
        return [204, undefined];
      },
    ],
    [
      'POST',
      /\/releases\/(\d+)\/assets$/,
      (id, query, json, { bytes }) => {
        const found = kept.find((one) => one.id === Number(id));
        if (found === undefined) return NOT_FOUND;
        if (found.immutable === true) return [422, { message: 'Cannot upload assets to an immutable release.' }];
        if (found.assets.some(({ name }) => name === query.get('name')))
          return [422, { message: 'Validation Failed', errors: [{ code: 'already_exists' }] }];
        const asset = { id: nextId++, name: query.get('name') ?? '', content: bytes ?? json };
        found.assets.push(asset);
        return [201, shownAsset(root(), asset)];
      },
    ],
    [
      'GET',
      /\/releases\/assets\/(\d+)$/,
      (id, _, __, { wanted }) => {
        const asset = kept.flatMap(({ assets }) => assets).find((one) => one.id === Number(id));
        if (asset === undefined) return NOT_FOUND;
        return [200, wanted ? asset.content : shownAsset(root(), asset)];
      },
    ],
    [
      'DELETE',
      /\/releases\/assets\/(\d+)$/,
      (id) => {
        const owner = kept.find(({ assets }) => assets.some((one) => one.id === Number(id)));
        if (owner === undefined) return NOT_FOUND;
        if (owner.immutable === true) return [422, { message: 'Cannot delete assets of an immutable release.' }];
        owner.assets.splice(
          owner.assets.findIndex((one) => one.id === Number(id)),
          1,
        );
        return [204, undefined];
      },
    ],
  ];
  return {
    kept,
    carryOut(method, pathname, query, body, file) {
      if (!pathname.includes('/releases')) return undefined;
      for (const [verb, pattern, answer] of answers) {
        const match = verb === method ? pattern.exec(pathname) : null;
        if (match !== null) return answer(match[1] ?? '', query, body, file);
      }
      return NOT_FOUND;
    },
  };
}

function shownRelease(
  root: string,
  { id, tag, target = 'main', draft, immutable = false, body, assets }: KeptRelease,
): object {
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
    target_commitish: target,
    name: tag,
    body,
    draft,
    immutable,
    prerelease: false,
    created_at: AT,
    published_at: draft ? null : AT,
    author: someone,
    assets: assets.map((asset) => shownAsset(root, asset)),
  };
}

function shownAsset(root: string, { id, name, content, state = 'uploaded' }: KeptAsset): object {
  const url = `${root}/releases/assets/${id}`;
  return {
    id,
    name,
    url,
    browser_download_url: url,
    node_id: `A${id}`,
    label: null,
    state,
    content_type: Buffer.isBuffer(content) ? 'application/octet-stream' : 'application/json',
    size: Buffer.isBuffer(content) ? content.length : 1,
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
