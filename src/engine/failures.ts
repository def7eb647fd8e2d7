import { ProcedureError, type ErrorDetail } from '../model/errors.js';
import { formatDuration } from '../model/units.js';

/** The engine answered a request with an error. */
export class EngineError extends ProcedureError {
  constructor(
    /** HTTP status; undefined when the connection broke off in the middle or the answer made no sense. */
    readonly status: number | undefined,
    message: string,
    detail: ErrorDetail,
  ) {
    super('E_ENGINE', message, detail);
  }
}

/** @returns the call's result, or `instead` when the engine answers with one of these statuses */
export async function unlessStatus<T, D>(statuses: readonly number[], instead: D, call: Promise<T>): Promise<T | D> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof EngineError && error.status !== undefined && statuses.includes(error.status)) return instead;
    throw error;
  }
}

/**
 * Names what went wrong with a request.
 * @param what the call, as in `inspect container 0a1b2c3d4e5f`
 * @param host the endpoint, as in DOCKER_HOST
 */
export function engineFailure(what: string, thrown: unknown, host: string): ProcedureError {
  if (thrown instanceof ProcedureError) return thrown;
  const error: Thrown = thrown instanceof Error ? thrown : new Error(String(thrown));
  if (error.statusCode !== undefined) {
    return new EngineError(error.statusCode, `The engine could not ${what}: ${engineMessage(error)}`, {
      next: "The message is the Docker engine's own; its log (`journalctl -u docker`) may say more.",
      cause: thrown,
    });
  }
  const next = unreachable(error, host);
  if (next !== undefined) {
    const message = `No Docker engine answers at ${host} (${error.message})`;
    return new ProcedureError('E_ENGINE_UNREACHABLE', message, { next, cause: thrown });
  }
  return new EngineError(undefined, `The engine could not ${what}: ${error.message}`, {
    next: 'Look whether the Docker engine is well (`docker info`), and start the run again.',
    cause: thrown,
  });
}

/**
 * For a request that may be made twice, as a file that is written whole. Seen with Engine 26.1.5 on a busy machine: EPIPE, twice
 * in some hundred writes of half a megabyte, with an engine that was well. Probably a kept connection that it had just ended.
 */
export async function onceMore<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (!wasCut(error)) throw error;
    return ask();
  }
}

function wasCut(error: unknown): boolean {
  if (!(error instanceof ProcedureError) || error.code !== 'E_ENGINE_UNREACHABLE') return false;
  const code: unknown = error.cause instanceof Error ? Reflect.get(error.cause, 'code') : undefined;
  return code === 'EPIPE' || code === 'ECONNRESET';
}

/** The error for a call that was ended by its caller's signal. */
export function abortFailure(what: string, signal: AbortSignal): ProcedureError {
  const reason: unknown = signal.reason;
  if (reason instanceof ProcedureError) return reason;
  if (reason instanceof Error && reason.name === 'TimeoutError') {
    return new ProcedureError('E_DEADLINE', `There was no more time to ${what}`, {
      next: 'Look whether the Docker engine is busy, and start the run again.',
      cause: reason,
    });
  }
  return new ProcedureError('E_CANCELLED', `Cancelled while waiting for the engine to ${what}`, {
    next: 'Start it again when ready.',
    cause: reason,
  });
}

/** @param timeoutMs the deadline that was missed, in milliseconds */
export function deadlineFailure(what: string, timeoutMs: number): ProcedureError {
  return new ProcedureError('E_DEADLINE', `The engine did not ${what} within ${formatDuration(timeoutMs)}`, {
    next: 'Look whether the Docker engine is busy or hangs (`docker info`), and start the run again.',
  });
}

/** What docker-modem throws: an Error with these fields where it got an answer, a system error where it got none. */
interface Thrown extends Error {
  readonly statusCode?: number;
  readonly code?: string;
  readonly json?: unknown;
}

/** docker-modem writes `(HTTP code 404) no such container - No such container: x `; only the end is the engine's. */
function engineMessage(error: Thrown): string {
  const { json } = error;
  if (typeof json === 'object' && json !== null && 'message' in json && typeof json.message === 'string') {
    return json.message;
  }
  return error.message.replace(/^\(HTTP code \d+\)\s[^-]*-\s/, '').trim();
}

const CONNECTION_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'EAI_AGAIN',
  'ENETUNREACH',
  'ENOENT',
  'ENOTFOUND',
  'ENOTSOCK',
  'EPIPE',
  'ERR_STREAM_PREMATURE_CLOSE',
  'ETIMEDOUT',
]);

/** @returns what to do when nothing answered; undefined for any other failure */
function unreachable(error: Thrown, host: string): string | undefined {
  const code = error.code ?? '';
  if (code === 'EACCES' || code === 'EPERM') {
    return `This user may not open ${host}: add it to the docker group (sudo usermod -aG docker USER) and start the runner again.`;
  }
  if (CONNECTION_CODES.has(code)) {
    return 'Start Docker (sudo systemctl start docker), or set DOCKER_HOST to the engine that is meant.';
  }
  if (/^(ERR_TLS|ERR_SSL|ERR_OSSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|EPROTO)/.test(code)) {
    return 'TLS failed: look at DOCKER_TLS_VERIFY, DOCKER_CERT_PATH and the certificates of the engine and of the client.';
  }
  return undefined;
}
