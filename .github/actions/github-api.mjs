/** GitHub's REST API of one repository, as the small programs beside the workflows and the scripts need it: no packages. */

const TRIES_MS = [500, 2_000];
const DEADLINE_MS = 20_000;
/** With a file in the request or in the answer. */
const FILE_DEADLINE_MS = 120_000;

/**
 * @callback Api
 * @param {string} method
 * @param {string} path below the repository, or a whole address
 * @param {object | Uint8Array} [body] JSON, or the content of a file
 * @param {{ file?: boolean }} [options] `file`: what is asked for is the content of a file, and comes as a Buffer
 * @returns {Promise<{ status: number, body: any }>}
 */

/**
 * What may be otherwise a moment later is asked again; what makes something is not.
 *
 * @param {{ apiUrl: string, repository: string, token: string }} access
 * @returns {Api}
 */
export function createApi({ apiUrl, repository, token }) {
  return async (method, path, body, { file = false } = {}) => {
    const address = path.startsWith('http') ? path : `${apiUrl}/repos/${repository}${path}`;
    const once = async () => {
      const response = await fetch(address, {
        method,
        headers: {
          // https://docs.github.com/rest/releases/assets: without it an asset is described, not given.
          accept: file ? 'application/octet-stream' : 'application/vnd.github+json',
          authorization: `Bearer ${token}`,
          'x-github-api-version': '2022-11-28',
          ...contentOf(body).headers,
        },
        ...contentOf(body).request,
        signal: AbortSignal.timeout(file || body instanceof Uint8Array ? FILE_DEADLINE_MS : DEADLINE_MS),
      });
      const content = Buffer.from(await response.arrayBuffer());
      return { status: response.status, body: file && response.ok ? content : parsed(content.toString(), response.ok) };
    };
    for (const pauseMs of method === 'POST' ? [] : TRIES_MS) {
      const answer = await once().catch(() => ({ status: 500, body: undefined }));
      if (answer.status < 500 && answer.status !== 429) return answer;
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
    return once().catch((error) => ({ status: 500, body: { message: String(error.cause?.message ?? error.message) } }));
  };
}

function contentOf(body) {
  if (body === undefined) return { headers: {}, request: {} };
  if (body instanceof Uint8Array) return { headers: { 'content-type': 'application/octet-stream' }, request: { body } };
  return { headers: { 'content-type': 'application/json' }, request: { body: JSON.stringify(body, undefined, 2) } };
}

/** A refusal may come from something before GitHub, which writes a page instead. */
function parsed(text, isGood) {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    if (isGood) throw error;
    return { message: text.slice(0, 200) };
  }
}
