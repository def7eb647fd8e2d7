import { request, type IncomingMessage } from 'node:http';
import { ProcedureError } from '../model/errors.js';
import { formatDuration } from '../model/units.js';

/** A change is answered when the new configuration runs, which is provisioned as a whole. */
const ANSWER_MS = 15_000;

/** What Caddy's admin API answered. */
export interface CaddyAnswer {
  readonly status: number;
  readonly text: string;
  /** Of the configuration at that path; Caddy sends it behind the body, as a trailer. */
  readonly etag: string | undefined;
}

/** Caddy's admin API, from its base on. */
export interface CaddyAdmin {
  /** @throws ProcedureError E_ROUTER when it does not answer, or not with 200 */
  read(path: string): Promise<CaddyAnswer>;
  /**
   * Replaces what is at the path, unless it changed since it had that etag.
   * @returns false when it did, and nothing was done
   * @throws ProcedureError E_ROUTER when Caddy refuses it: the configuration of before runs on
   */
  replace(path: string, value: unknown, etag: string): Promise<boolean>;
}

/** @param base such as `http://127.0.0.1:2019` */
export function caddyAdmin(base: string): CaddyAdmin {
  return {
    async read(path) {
      const answer = await ask(base, 'GET', path);
      if (answer.status === 200) return answer;
      throw new ProcedureError('E_ROUTER', `Caddy answers ${answer.status} to ${path}: ${said(answer)}`, {
        next: 'Look at the configuration that runs (GET /config/ of the admin API): the reverse_proxy handler needs this "@id".',
      });
    },
    async replace(path, value, etag) {
      const answer = await ask(base, 'PATCH', path, { etag, body: JSON.stringify(value) });
      if (answer.status === 412) return false;
      if (answer.status === 200) return true;
      throw new ProcedureError('E_ROUTER', `Caddy refuses the new upstreams with ${answer.status}: ${said(answer)}`, {
        next: 'Its configuration of before runs on. Look at the log of Caddy.',
      });
    },
  };
}

function ask(
  base: string,
  method: 'GET' | 'PATCH',
  path: string,
  change?: { readonly etag: string; readonly body: string },
): Promise<CaddyAnswer> {
  const url = new URL(path.replace(/^\//, ''), base.endsWith('/') ? base : `${base}/`);
  const headers = change === undefined ? {} : { 'Content-Type': 'application/json', 'If-Match': change.etag };
  const signal = AbortSignal.timeout(ANSWER_MS);
  return new Promise<CaddyAnswer>((resolve, reject) => {
    // A reload of Caddy restarts its admin endpoint too: a kept connection would not outlive it.
    const asking = request(url, { method, headers, signal, agent: false }, (response) => {
      read(response).then(resolve, reject);
    });
    asking.once('error', reject).end(change?.body);
  }).catch((error: unknown) => {
    throw noAnswer(base, signal.aborted ? `no answer within ${formatDuration(ANSWER_MS)}` : String(error));
  });
}

async function read(response: IncomingMessage): Promise<CaddyAnswer> {
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) text += String(chunk);
  const etag = response.trailers['etag'] ?? response.headers.etag;
  return { status: response.statusCode ?? 0, text, etag };
}

function said({ text }: CaddyAnswer): string {
  return text.trim().slice(0, 300) || 'nothing';
}

function noAnswer(base: string, what: string): ProcedureError {
  return new ProcedureError('E_ROUTER', `Caddy does not answer at ${base}: ${what}`, {
    next: 'Look whether it runs, and whether "admin" of its configuration listens where this host reaches it.',
  });
}
