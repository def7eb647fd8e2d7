import { z } from 'zod';
import type { Ask } from './issues.js';

/** What `record-release` puts beside a release: the image of each service, by digest. */
export const RECORD_NAME = 'rolling-restart.json';

/** Deployments of one commit that are looked at, newest first. */
const LOOKED_AT = 10;

const images = z.record(z.string(), z.string());
const recordSchema = z.looseObject({ commit: z.string(), images });
const releaseSchema = z.looseObject({ assets: z.array(z.looseObject({ id: z.number(), name: z.string() })) });
const deploymentsSchema = z.array(z.looseObject({ payload: z.unknown() }));
const payloadSchema = z.looseObject({ 'rolling-restart': z.looseObject({ images }) });

/** @property problem why not all was told, where images are missing */
interface FoundImages {
  readonly images: Readonly<Record<string, string>>;
  readonly problem?: Error;
}

/**
 * The images that were built for a commit: beside the release of one of its tags, and what is missing there in a deployment
 * of it. A record of another commit counts for nothing, since a tag may have been moved.
 * https://docs.github.com/rest/releases, https://docs.github.com/rest/deployments. Needs `contents: read`, `deployments: read`.
 * What GitHub does not tell at one place is asked for at the other.
 * @param names tags that the commit may have; other names are simply not found
 * @param services those whose images are wanted
 */
export async function findRecordedImages(
  ask: Ask,
  commit: string,
  names: readonly string[],
  services: readonly string[],
): Promise<FoundImages> {
  let problem: Error | undefined;
  let known: Readonly<Record<string, string>> = {};
  const isWhole = (): boolean => services.every((service) => Object.hasOwn(known, service));
  for (const tag of names.flatMap(tagName)) {
    try {
      const record = await besideRelease(ask, tag);
      if (record?.commit === commit) known = { ...record.images, ...known };
    } catch (error) {
      problem ??= asError(error);
    }
    if (isWhole()) return { images: known };
  }
  try {
    const { data } = await ask('GET /repos/{owner}/{repo}/deployments', { sha: commit, per_page: LOOKED_AT });
    for (const { payload } of deploymentsSchema.parse(data)) {
      const parsed = payloadSchema.safeParse(typeof payload === 'string' ? fromJson(payload) : payload);
      known = { ...parsed.data?.['rolling-restart'].images, ...known };
      if (isWhole()) return { images: known };
    }
  } catch (error) {
    problem ??= asError(error);
  }
  return problem === undefined ? { images: known } : { images: known, problem };
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

async function besideRelease(ask: Ask, tag: string): Promise<z.infer<typeof recordSchema> | undefined> {
  let release;
  try {
    release = releaseSchema.parse((await ask('GET /repos/{owner}/{repo}/releases/tags/{tag}', { tag })).data);
  } catch (error) {
    if (error instanceof Error && 'status' in error && error.status === 404) return undefined;
    throw error;
  }
  const asset = release.assets.find(({ name }) => name === RECORD_NAME);
  if (asset === undefined) return undefined;
  const { data } = await ask('GET /repos/{owner}/{repo}/releases/assets/{asset_id}', {
    asset_id: asset.id,
    headers: { accept: 'application/octet-stream' },
  });
  return recordSchema.safeParse(contentOf(data)).data;
}

/** Octokit gives bytes as bytes, text as text, and JSON as what is in it. */
function contentOf(data: unknown): unknown {
  if (data instanceof ArrayBuffer) return fromJson(new TextDecoder().decode(data));
  return typeof data === 'string' ? fromJson(data) : data;
}

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A branch and a commit have no release of their own. */
function tagName(name: string): readonly string[] {
  if (name.startsWith('refs/')) return name.startsWith('refs/tags/') ? [name.slice('refs/tags/'.length)] : [];
  return /^[0-9a-f]{40}$/.test(name) ? [] : [name];
}
