/** Tags of a repository as GitHub's Git database has them; a part of the double in github.ts. */
import type { GitHubPart } from './github-part.js';

export interface KeptTag {
  readonly name: string;
  sha: string;
  /** With an annotated tag, whose own id `sha` is then. */
  readonly commit?: string;
}

const AT = '2026-11-26T00:00:00Z';

/** @param root address of the repository */
export function createTags(root: string): GitHubPart<KeptTag> {
  const kept: KeptTag[] = [];
  return {
    kept,
    carryOut(method, pathname, _, body) {
      const [, id] = /\/git\/tags\/(\w+)$/.exec(pathname) ?? [];
      if (id !== undefined) {
        const found = kept.find(({ sha, commit }) => sha === id && commit !== undefined);
        return found === undefined ? [404, { message: 'Not Found' }] : [200, shownAnnotated(root, found)];
      }
      const [, name] = /\/git\/refs?\/tags\/(.+)$/.exec(pathname) ?? [];
      if (name !== undefined) {
        const found = kept.find((tag) => tag.name === name);
        if (found === undefined)
          return method === 'GET' ? [404, { message: 'Not Found' }] : [422, { message: 'Reference does not exist' }];
        if (method === 'PATCH') found.sha = String(body['sha']);
        return [200, shown(root, found)];
      }
      if (!pathname.endsWith('/git/refs')) return undefined;
      const made = { name: String(body['ref']).replace(/^refs\/tags\//, ''), sha: String(body['sha']) };
      if (kept.some((tag) => tag.name === made.name)) return [422, { message: 'Reference already exists' }];
      kept.push(made);
      return [201, shown(root, made)];
    },
  };
}

function shown(root: string, { name, sha, commit }: KeptTag): object {
  const type = commit === undefined ? 'commit' : 'tag';
  return {
    ref: `refs/tags/${name}`,
    node_id: `REF_${name}`,
    url: `${root}/git/refs/tags/${name}`,
    object: { type, sha, url: `${root}/git/${type}s/${sha}` },
  };
}

function shownAnnotated(root: string, { name, sha, commit = '' }: KeptTag): object {
  return {
    node_id: `TAG_${name}`,
    tag: name,
    sha,
    url: `${root}/git/tags/${sha}`,
    message: name,
    tagger: { date: AT, email: 'somebody@example.invalid', name: 'Somebody' },
    object: { sha: commit, type: 'commit', url: `${root}/git/commits/${commit}` },
  };
}
