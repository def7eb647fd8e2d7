/** GitHub's REST API of one repository, as the small programs beside the workflows and the scripts need it: no packages. */

const TRIES_MS = [500, 2_000];
const DEADLINE_MS = 20_000;
/** A rate limit that lasts longer is told, and not waited for. */
const LONGEST_PAUSE_MS = 10_000;
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
      const limitedMs = limitOf(response);
      if (limitedMs > 0) return { ...limited(limitedMs), limitedMs };
      return { status: response.status, body: file && response.ok ? content : parsed(content.toString(), response.ok) };
    };
    for (const pauseMs of method === 'POST' ? [] : TRIES_MS) {
      const answer = await once().catch(() => ({ status: 500, body: undefined }));
      const { limitedMs = 0 } = answer;
      if ((answer.status < 500 && answer.status !== 429) || limitedMs > LONGEST_PAUSE_MS) return answer;
      await new Promise((resolve) => setTimeout(resolve, Math.max(pauseMs, limitedMs)));
    }
    return once().catch((error) => ({ status: 500, body: { message: String(error.cause?.message ?? error.message) } }));
  };
}

/**
 * @returns milliseconds for which GitHub takes nothing more; 0 when that is not what it said
 * https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit
 */
function limitOf({ status, headers }) {
  if (status !== 403 && status !== 429) return 0;
  const seconds = Number(headers.get('retry-after') ?? 0);
  if (seconds > 0) return seconds * 1_000;
  if (headers.get('x-ratelimit-remaining') !== '0') return 0;
  return Math.max(1, Number(headers.get('x-ratelimit-reset') ?? 0) * 1_000 - Date.now());
}

/** As too many requests, whatever number GitHub gave it: it is no refusal, and no permission helps. */
function limited(waitMs) {
  const until = new Date(Date.now() + waitMs).toISOString().slice(0, 19);
  return { status: 429, body: { message: `the rate limit of the token is used up until ${until}Z` } };
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
