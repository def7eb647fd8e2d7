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

/**
 * @param {object} what
 * @param {string} what.tag
 * @param {string} what.commit
 * @param {Readonly<Record<string, string>>} what.images
 * @param {string} what.run address of the run
 * @param {string} [what.attestation]
 * @param {Api} api
 * @returns {Promise<{ url: string } | { problem: string }>}
 */
export async function recordRelease({ tag, commit, images, run, attestation }, api) {
  const record = { tag, commit, images, run, ...(attestation === undefined ? {} : { attestation }) };
  const existing = await api('GET', `/releases/tags/${encodeURIComponent(tag)}`);
  if (existing.status !== 200 && existing.status !== 404) return refused('the release of the tag', existing);
  if (existing.status === 200) {
    const { body: release } = existing;
    if (release.assets.some(({ name }) => name === RECORD_NAME)) {
      return { problem: `the release of ${tag} has a record already, which is left as it is` };
    }
    const uploaded = await upload(release, record, api);
    return uploaded.status === 201 ? { url: release.html_url } : refused('the record', uploaded);
  }
  const draft = { tag_name: tag, target_commitish: commit, name: tag, body: bodyOf(record), draft: true };
  const made = await api('POST', '/releases', { ...draft, prerelease: tag.includes('-') });
  if (made.status !== 201) return refused('a release for the tag', made);
  const uploaded = await upload(made.body, record, api);
  if (uploaded.status !== 201) return refused('the record', uploaded);
  const published = await api('PATCH', `/releases/${made.body.id}`, { draft: false });
  return published.status === 200
    ? { url: published.body.html_url }
    : refused('the release that was drafted', published);
}

function upload(release, record, api) {
  const address = `${release.upload_url.replace(/\{.*$/, '')}?name=${RECORD_NAME}`;
  return api('POST', address, record);
}

function bodyOf({ images, run }) {
  const lines = Object.entries(images).map(([service, reference]) => `- ${service}: \`${reference}\``);
  return ['Deployed with Rolling Restart:', '', ...lines, '', `Built once, by ${run}.`].join('\n');
}

function refused(what, { status, body }) {
  const hint = status === 403 || status === 404 ? ' (the calling job has to grant contents: write)' : '';
  return { problem: `GitHub did not take or give ${what}: ${status} ${body?.message ?? ''}${hint}` };
}

/** @typedef {import('../github-api.mjs').Api} Api */
