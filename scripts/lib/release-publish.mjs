/**
 * Puts a release of this project on GitHub: `vX.Y.Z`, which is never changed, and `vX`, which moves.
 * https://docs.github.com/rest/releases, https://docs.github.com/rest/git/refs. Needs `contents: write`.
 */
import { createHash } from 'node:crypto';
import { movingTag } from './release-content.mjs';

/** @typedef {import('../../.github/actions/github-api.mjs').Api} Api */

const PAGE = 100;
/** GitHub lists 10,000 releases at most. */
const PAGES = 100;
const AGAIN = 'Run the job again: it begins anew.';

/**
 * May be repeated: what an attempt left as a draft is made anew, and what is published is only looked at.
 *
 * @param {object} release
 * @param {string} release.version as in `v1.2.3`
 * @param {string} release.commit
 * @param {string} release.notes
 * @param {readonly { name: string, content: Buffer }[]} release.files
 * @param {Api} api of the repository
 * @param {(line: string) => void} say
 * @returns {Promise<void>} throws an error that says what is in the way and what to do
 */
export async function publishRelease({ version, commit, notes, files }, api, say) {
  const all = await releases(api);
  const ofVersion = all.filter(({ tag_name }) => tag_name === version);
  const before = ofVersion.find(({ draft }) => !draft);
  refuseOther({ version, commit, isPublished: before !== undefined, tagged: await taggedCommit(version, api) });

  if (before === undefined) {
    for (const draft of ofVersion) await deleteDraft(draft, api, say);
    const draft = await fillDraft({ version, commit, notes, files }, api, say);
    const published = await api('PATCH', `/releases/${draft.id}`, { draft: false, make_latest: 'legacy' });
    if (published.status !== 200) throw refused(`publish ${version}`, published, AGAIN);
    say(`${version} is published: ${published.body.html_url}`);
    refuseMutable(published.body);
  } else {
    await lookAtPublished(before, files, api);
    say(`${version} is published from this commit already, and has what it should: ${before.html_url}`);
    refuseMutable(before);
  }

  const newer = newest(
    all.filter(({ draft }) => !draft).map(({ tag_name }) => tag_name),
    version,
  );
  // An old run that is run again must not take everybody back.
  if (newer === version) await moveTag(movingTag(version), commit, api, say);
  else say(`${movingTag(version)} stays at ${newer}, which is newer`);
}

/** Of the first page first; drafts are among them, which the address of a tag does not give. */
async function releases(api) {
  const found = [];
  for (let page = 1; page <= PAGES; page++) {
    const answer = await api('GET', `/releases?per_page=${PAGE}&page=${page}`);
    if (answer.status !== 200) throw refused('list the releases', answer, 'Nothing was changed; run the job again.');
    found.push(...answer.body);
    if (answer.body.length < PAGE) break;
  }
  return found;
}

/** @returns {Promise<string | undefined>} undefined when there is no such tag */
async function taggedCommit(tag, api) {
  const next = 'Nothing was changed; run the job again.';
  const ref = await api('GET', `/git/ref/tags/${tag}`);
  if (ref.status === 404) return undefined;
  if (ref.status !== 200) throw refused(`say where ${tag} is`, ref, next);
  const { type, sha } = ref.body.object;
  if (type !== 'tag') return sha;
  const annotated = await api('GET', `/git/tags/${sha}`);
  if (annotated.status !== 200) throw refused(`say where ${tag} is`, annotated, next);
  return annotated.body.object.sha;
}

function refuseOther({ version, commit, isPublished, tagged }) {
  const next = 'A version is never changed: release this commit under the next version.';
  if (tagged !== undefined && tagged !== commit) {
    const what = isPublished ? 'is released from' : 'is the tag of';
    throw new Error(`${version} ${what} ${tagged} already, and this is ${commit}. ${next}`);
  }
  if (isPublished && tagged === undefined)
    throw new Error(
      `${version} is released already, and its tag is gone, so nobody can say from which commit. ${next}`,
    );
}

/** A draft was never public. It may be of another commit, or half filled. */
async function deleteDraft({ id, tag_name: version }, api, say) {
  const deleted = await api('DELETE', `/releases/${id}`);
  // An answer that was lost is asked for again, and then there is none.
  if (deleted.status !== 204 && deleted.status !== 404)
    throw refused(`delete the draft of ${version} that an earlier attempt left`, deleted, 'Delete it by hand.');
  say(`A draft of ${version} that an earlier attempt left is deleted`);
}

/** @returns {Promise<{ id: number }>} the draft, which has what was made */
async function fillDraft({ version, commit, notes, files }, api, say) {
  const draft = { tag_name: version, target_commitish: commit, name: version, body: notes, draft: true };
  const made = await api('POST', '/releases', draft);
  if (made.status !== 201) throw refused(`draft ${version}`, made, AGAIN);
  for (const { name, content } of files) {
    const address = `${made.body.upload_url.replace(/\{.*$/, '')}?name=${encodeURIComponent(name)}`;
    const uploaded = await api('POST', address, content);
    if (uploaded.status !== 201) throw refused(`take ${name}`, uploaded, AGAIN);
    const [here, there] = [sha256(content), sha256(await download(uploaded.body, api))];
    if (here !== there)
      throw new Error(
        `The draft of ${version} has another ${name} than was made (sha256 ${there}, not ${here}). ${AGAIN}`,
      );
    say(`${name} is uploaded: sha256 ${here}`);
  }
  return made.body;
}

/**
 * What was published was compared with what was made when it was a draft. An archive that is made later may differ in its
 * compression, so a published one is compared with its own checksum.
 */
async function lookAtPublished({ tag_name: version, assets }, files, api) {
  const next = 'What is published is not changed: release the next version.';
  const published = new Map();
  for (const { name } of files) {
    const asset = assets.find((one) => one.name === name);
    if (asset === undefined) throw new Error(`${version} is published without ${name}. ${next}`);
    published.set(name, await download(asset, api));
  }
  for (const [name, content] of published) {
    const checksum = published.get(`${name}.sha256`)?.toString();
    if (checksum !== undefined && checksum !== `${sha256(content)}  ${name}\n`)
      throw new Error(`${name} of ${version} is not what its published checksum says. ${next}`);
  }
}

async function download({ id, name }, api) {
  const answer = await api('GET', `/releases/assets/${id}`, undefined, { file: true });
  if (answer.status !== 200) throw refused(`give ${name} back`, answer, AGAIN);
  return answer.body;
}

/**
 * https://docs.github.com/code-security/how-tos/secure-your-supply-chain/establish-provenance-and-integrity/preventing-changes-to-your-releases:
 * it applies to releases that are published afterwards. Whether it is on may be read only with a permission that a job
 * cannot have (`administration`), so it is seen at the release itself.
 */
function refuseMutable({ tag_name: version, html_url, immutable }) {
  if (immutable === true) return;
  throw new Error(
    `${version} is published, and stays, but it is not immutable: its tag and its files could be changed (${html_url}). ` +
      'Turn on Settings > General > Releases > Enable release immutability, and release the next version: the setting is for ' +
      `releases after it. ${movingTag(version)} was not moved.`,
  );
}

/** @returns {string} the highest version of the same major, among these and this one */
function newest(tags, version) {
  const numbers = (tag) => /^v(\d+)\.(\d+)\.(\d+)$/.exec(tag)?.slice(1).map(Number);
  return tags.reduce((highest, tag) => {
    const [one, other] = [numbers(tag), numbers(highest)];
    if (one?.[0] !== other[0]) return highest;
    return one[1] > other[1] || (one[1] === other[1] && one[2] > other[2]) ? tag : highest;
  }, version);
}

async function moveTag(tag, commit, api, say) {
  const moved = await api('PATCH', `/git/refs/tags/${tag}`, { sha: commit, force: true });
  if (moved.status !== 200) {
    // GitHub says 422 of a reference that is not there, and of one that a rule holds; only the first one can be made.
    const isMissing = moved.status === 404 || moved.status === 422;
    const made = isMissing ? await api('POST', '/git/refs', { ref: `refs/tags/${tag}`, sha: commit }) : undefined;
    const next =
      'The release is published. Let the rules for tags allow it, and run the job again: it only moves the tag.';
    if (made?.status !== 201) throw refused(`move ${tag}`, moved, next);
  }
  say(`${tag} is at ${commit}`);
}

function refused(what, { status, body }, next) {
  const hint = status === 401 || status === 403 ? ' The job needs a token with contents: write.' : '';
  return new Error(`GitHub did not ${what}: ${status} ${body?.message ?? ''}.${hint} ${next}`);
}

const sha256 = (content) => createHash('sha256').update(content).digest('hex');
