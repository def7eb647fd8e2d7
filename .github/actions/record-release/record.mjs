/**
 * The record beside a release: tag, commit, image and run. src/github/recorded-images.ts reads it.
 * https://docs.github.com/rest/releases; a release that is immutable takes no files once it is published, so one that is made
 * here is drafted, filled and then published.
 */

/** As src/github/recorded-images.ts has it; a test holds the two together. */
export const RECORD_NAME = 'rolling-restart.json';

/**
 * What `sha256sum` would write of the images: `actions/attest-build-provenance` reads it as a list of subjects.
 *
 * @param {Readonly<Record<string, string>>} images
 */
export function checksums(images) {
  const lines = Object.values(images).map((reference) => {
    const [name, digest] = reference.split('@sha256:');
    return `${digest}  ${name}\n`;
  });
  return [...new Set(lines)].join('');
}

/** Begins the text of a release that is made here; a draft with it is ours to publish. */
const OURS = 'Deployed with Rolling Restart:';

/**
 * Records the images of a tag beside its release, whoever pushed them. What an earlier attempt has left is taken up: a draft, half
 * an upload, a record without some of the services. A record that says something else is left as it is.
 *
 * @param {object} what
 * @param {string} what.tag
 * @param {string} what.commit
 * @param {Readonly<Record<string, string>>} what.images
 * @param {string} what.run address of the run
 * @param {string} [what.attestation]
 * @param {boolean} [what.pushed] whether this run has pushed any of them
 * @param {import('../github-api.mjs').Api} api
 * @returns {Promise<{ url: string, how: 'made' | 'known' | 'draft' } | { problem: string }>} `draft`: a person's, to be published
 */
export async function recordRelease({ tag, commit, images, run, attestation, pushed = true }, api) {
  const record = { tag, commit, images, run, ...(attestation === undefined ? {} : { attestation }) };
  const published = await api('GET', `/releases/tags/${encodeURIComponent(tag)}`);
  if (published.status === 200) return putBeside(published.body, record, api);
  if (published.status !== 404) return refused('the release of the tag', published);
  // A draft is not found by its tag.
  const listed = await api('GET', '/releases?per_page=100');
  if (listed.status !== 200) return refused('the releases', listed);
  const draft = listed.body.find((one) => one.draft && one.tag_name === tag);
  if (draft !== undefined && !(draft.body ?? '').startsWith(OURS)) {
    const put = await putBeside(draft, record, api);
    return 'url' in put ? { ...put, how: 'draft' } : put;
  }
  let release = draft;
  if (release === undefined) {
    const about = { tag_name: tag, target_commitish: commit, name: tag, body: bodyOf(record, pushed), draft: true };
    const made = await api('POST', '/releases', { ...about, prerelease: tag.includes('-') });
    if (made.status !== 201) return refused('a release for the tag', made);
    release = made.body;
  }
  const put = await putBeside(release, record, api);
  if ('problem' in put) return put;
  // The run of an older tag that is run again does not make it the latest release.
  const done = await api('PATCH', `/releases/${release.id}`, { draft: false, make_latest: 'legacy' });
  return done.status === 200
    ? { url: done.body.html_url, how: 'made' }
    : refused('the release that was drafted (the next attempt publishes it)', done);
}

/** What is beside a release already stays, unless it is of the same commit and lacks something. */
async function putBeside(release, record, api) {
  const asset = release.assets.find(({ name }) => name === RECORD_NAME);
  let wanted = record;
  if (asset !== undefined && asset.state === 'uploaded') {
    const read = await api('GET', `/releases/assets/${asset.id}`, undefined, { file: true });
    if (read.status !== 200) return refused('the record that is there', read);
    const known = recordIn(read.body);
    if (known?.commit !== record.commit)
      return { problem: `the release of ${record.tag} has a record of another commit, which is left as it is` };
    const names = Object.keys(record.images);
    const other = names.find((name) => (known.images[name] ?? record.images[name]) !== record.images[name]);
    if (other !== undefined)
      return {
        problem: `the release of ${record.tag} has a record with another image of ${other}, which is left as it is`,
      };
    if (names.every((name) => Object.hasOwn(known.images, name))) return { url: release.html_url, how: 'known' };
    wanted = { ...known, ...record, images: { ...known.images, ...record.images } };
  }
  if (asset !== undefined) {
    // A broken upload is in the way of the next one, and a file is not replaced otherwise.
    const deleted = await api('DELETE', `/releases/assets/${asset.id}`);
    if (deleted.status !== 204) return refused('the new record in the place of the old one', deleted);
  }
  const address = `${release.upload_url.replace(/\{.*$/, '')}?name=${RECORD_NAME}`;
  const uploaded = await api('POST', address, wanted);
  return uploaded.status === 201 ? { url: release.html_url, how: 'made' } : refused('the record', uploaded);
}

/** @param {Buffer} content */
function recordIn(content) {
  try {
    const { commit, images, ...more } = JSON.parse(content.toString());
    return typeof images === 'object' && images !== null ? { commit, images, ...more } : undefined;
  } catch {
    return undefined;
  }
}

function bodyOf({ images, run }, pushed) {
  const lines = Object.entries(images).map(([service, reference]) => `- ${service}: \`${reference}\``);
  const by = pushed ? `Built once, by ${run}.` : `Built once, by an earlier run; recorded by ${run}.`;
  return [OURS, '', ...lines, '', by].join('\n');
}

function refused(what, { status, body }) {
  const hint = status === 403 || status === 404 ? ' (the calling job has to grant contents: write)' : '';
  return { problem: `GitHub did not take or give ${what}: ${status} ${body?.message ?? ''}${hint}` };
}

/** @typedef {import('../github-api.mjs').Api} Api */
