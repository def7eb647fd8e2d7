import type { IncomingMessage } from 'node:http';
import { json } from 'node:stream/consumers';
import Docker from 'dockerode';
import { ProcedureError } from '../model/errors.js';
import type { Endpoint } from './endpoint.js';
import { abortFailure, deadlineFailure, engineFailure } from './failures.js';

/** For a call whose answer the engine has at hand. */
const SIMPLE_CALL_MS = 10_000;
/** Engine 24, the oldest that is supported (docs.docker.com/reference/api/engine, version matrix). */
const OLDEST_API = '1.43';
/** The newest API this was tried with, Engine 28.5: a newer engine is asked to speak it. */
const NEWEST_API = '1.51';

export interface Limits {
  /** Milliseconds; 10 s unless given. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

type Query = Readonly<Record<string, string>>;

/** A request whose answer is read as it comes. */
export interface StreamRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly query?: Query;
  readonly body?: Readonly<Record<string, unknown>>;
}

export interface ServerVersion {
  readonly version: string;
  /** The API version this client and the engine speak. */
  readonly apiVersion: string;
}

interface Connected {
  readonly docker: Docker;
  readonly server: ServerVersion;
}

/**
 * dockerode with what every call needs: a line at debug before and after, a deadline, an AbortSignal, and failures as
 * ProcedureError. The first call negotiates the API version.
 */
export class EngineClient {
  private connected: Promise<Connected> | undefined;

  constructor(
    readonly endpoint: Endpoint,
    private readonly debug: (line: string) => void,
  ) {}

  /**
   * One request and its whole answer.
   * @param what completes "the engine could not …"; names no secrets
   * @throws EngineError with the status, E_ENGINE_UNREACHABLE, E_ENGINE_TOO_OLD, E_DEADLINE, E_CANCELLED
   */
  async call<T>(
    what: string,
    perform: (docker: Docker, signal: AbortSignal) => Promise<T>,
    limits: Limits = {},
  ): Promise<T> {
    const { docker } = await this.connect();
    return this.bounded(what, (signal) => perform(docker, signal), limits);
  }

  /** One GET whose answer is JSON, for what dockerode offers without a signal or declares as `any`. */
  async getJson(what: string, path: string, query: Query = {}): Promise<unknown> {
    const { docker } = await this.connect();
    return this.bounded(what, async (signal) => json(await dial(docker, { method: 'GET', path, query }, signal)), {});
  }

  /**
   * One request whose answer is a stream. The deadline is for its beginning; the signal ends it at any time, and then
   * the stream is destroyed. Whoever gets it reads or destroys it.
   */
  async open(what: string, request: StreamRequest, limits: Limits = {}): Promise<IncomingMessage> {
    const { docker } = await this.connect();
    const life = new AbortController();
    const end = (): void => life.abort();
    limits.signal?.addEventListener('abort', end, { once: true });
    try {
      const response = await this.bounded(
        what,
        (signal) => {
          signal.addEventListener('abort', end, { once: true });
          return dial(docker, request, life.signal);
        },
        limits,
      );
      // A stream that is destroyed says so in an error event, and without a listener that ends the process.
      response.on('error', () => undefined);
      response.once('close', () => limits.signal?.removeEventListener('abort', end));
      return response;
    } catch (error) {
      limits.signal?.removeEventListener('abort', end);
      throw error;
    }
  }

  async server(): Promise<ServerVersion> {
    return (await this.connect()).server;
  }

  /** @returns what is to be thrown when a stream broke off */
  broken(what: string, cause: unknown): ProcedureError {
    const error = cause ?? Object.assign(new Error('the engine closed the connection'), { code: 'ECONNRESET' });
    return engineFailure(what, error, this.endpoint.host);
  }

  private async connect(): Promise<Connected> {
    if (this.connected === undefined) {
      const connecting = this.negotiate();
      this.connected = connecting;
      connecting.catch(() => {
        if (this.connected === connecting) this.connected = undefined;
      });
    }
    return this.connected;
  }

  private async negotiate(): Promise<Connected> {
    const unversioned = new Docker(this.endpoint.dockerOptions);
    const { Version, ApiVersion, MinAPIVersion } = await this.askVersion(unversioned);
    if (isOlder(ApiVersion, OLDEST_API)) {
      const found = `Docker Engine ${Version} (API ${ApiVersion}) at ${this.endpoint.host}`;
      throw new ProcedureError('E_ENGINE_TOO_OLD', `${found} is older than what is supported: Engine 24 (API 1.43)`, {
        next: 'Update Docker on that host: https://docs.docker.com/engine/install/.',
      });
    }
    const wanted = isOlder(ApiVersion, NEWEST_API) ? ApiVersion : NEWEST_API;
    const apiVersion = isOlder(wanted, MinAPIVersion) ? MinAPIVersion : wanted;
    const docker = new Docker({ ...this.endpoint.dockerOptions, version: `v${apiVersion}` });
    return { docker, server: { version: Version, apiVersion } };
  }

  private async askVersion(docker: Docker): Promise<VersionAnswer> {
    // Not dockerode's own `version()`: as it is declared, it takes no signal.
    const ask = async (signal: AbortSignal): Promise<unknown> =>
      json(await dial(docker, { method: 'GET', path: '/version' }, signal));
    const answer = await this.bounded('say its version', ask, {}).catch((error: unknown) => {
      if (!(error instanceof ProcedureError) || error.code !== 'E_DEADLINE') throw error;
      const message = `The Docker engine at ${this.endpoint.host} takes connections and does not answer`;
      throw new ProcedureError('E_ENGINE_UNREACHABLE', message, { next: error.next, cause: error });
    });
    if (isVersionAnswer(answer)) return answer;
    throw new ProcedureError('E_ENGINE_UNREACHABLE', `What answers at ${this.endpoint.host} is no Docker engine`, {
      next: 'Set DOCKER_HOST to the engine that is meant.',
    });
  }

  private async bounded<T>(
    what: string,
    perform: (signal: AbortSignal) => Promise<T>,
    { timeoutMs = SIMPLE_CALL_MS, signal }: Limits,
  ): Promise<T> {
    if (signal?.aborted === true) throw abortFailure(what, signal);
    const began = performance.now();
    const took = (): string => `${(performance.now() - began).toFixed(1)} ms`;
    const controller = new AbortController();
    let end: (failure: ProcedureError) => void = () => undefined;
    const ended = new Promise<never>((_resolve, reject) => {
      end = (failure) => {
        reject(failure);
        controller.abort();
      };
    });
    const onAbort = (): void => {
      if (signal !== undefined) end(abortFailure(what, signal));
    };
    const timer = setTimeout(() => end(deadlineFailure(what, timeoutMs)), timeoutMs);
    signal?.addEventListener('abort', onAbort, { once: true });
    this.debug(`engine: ${what}`);
    try {
      // Raced, because docker-modem does not always call back after an abort in the middle of an answer.
      const result = await Promise.race([ended, perform(controller.signal)]);
      this.debug(`engine: ${what}: done in ${took()}`);
      return result;
    } catch (error) {
      const failure = engineFailure(what, error, this.endpoint.host);
      this.debug(`engine: ${what}: failed after ${took()}: ${failure.message}`);
      throw failure;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    }
  }
}

interface VersionAnswer {
  readonly Version: string;
  readonly ApiVersion: string;
  readonly MinAPIVersion: string;
}

function isVersionAnswer(answer: unknown): answer is VersionAnswer {
  if (typeof answer !== 'object' || answer === null) return false;
  return ['Version', 'ApiVersion', 'MinAPIVersion'].every((field) => typeof Reflect.get(answer, field) === 'string');
}

/** dockerode itself cannot stream everything that is long: its `logs()` without `follow` is collected in memory. */
function dial(docker: Docker, request: StreamRequest, signal: AbortSignal): Promise<IncomingMessage> {
  const query = new URLSearchParams(request.query).toString();
  const options = {
    // Ends in & so that docker-modem takes the query as it is: it drops the last character of what has a question mark.
    path: query === '' ? request.path : `${request.path}?${query}&`,
    method: request.method,
    isStream: true,
    statusCodes: { 200: true },
    abortSignal: signal,
    ...(request.body === undefined ? {} : { options: { _body: request.body } }),
  };
  return new Promise((resolve, reject) => {
    docker.modem.dial(options, (error, response) => {
      if (error !== null) reject(error);
      else resolve(response as IncomingMessage);
    });
  });
}

/** Compares API versions such as `1.43`. */
export function isOlder(one: string, than: string): boolean {
  const [major = 0, minor = 0] = one.split('.').map(Number);
  const [thanMajor = 0, thanMinor = 0] = than.split('.').map(Number);
  return major === thanMajor ? minor < thanMinor : major < thanMajor;
}
