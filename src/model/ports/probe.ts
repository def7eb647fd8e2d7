import type { TrafficSample, TrafficSettings } from '../traffic.js';

/** Asks services over the network, as their callers do. Implemented in `src/probe` and nowhere else. */
export interface Probes {
  /** One GET over a connection of its own; 200 to 399 is good. Redirects are not followed, certificates not checked. */
  http(target: HttpTarget, options: ProbeOptions): Promise<ProbeAnswer>;
  /** One connection, closed as soon as it is accepted. */
  tcp(target: TcpTarget, options: ProbeOptions): Promise<ProbeAnswer>;
  /** @param onSample called for each request, in the order in which they end */
  traffic(settings: TrafficSettings, onSample: (sample: TrafficSample) => void): TrafficLoop;
}

export interface TcpTarget {
  /** An IP address. */
  readonly address: string;
  readonly port: number;
}

export interface HttpTarget extends TcpTarget {
  readonly tls: boolean;
  /** With query. */
  readonly path: string;
}

export interface ProbeOptions {
  /** For the whole of it, from connecting to the end of the answer; milliseconds. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** What one question came to. Nothing is thrown: a service that does not answer is an answer. */
export interface ProbeAnswer {
  readonly good: boolean;
  /** One line for a person: `HTTP 503: draining`, `connection refused`. */
  readonly said: string;
  /** False when nothing is known of the service, since its address cannot be reached from here. */
  readonly reached: boolean;
}

/** Sends requests to a URL at a fixed rate, whether or not earlier ones were answered, until it is stopped. */
export interface TrafficLoop {
  /** Resolves when every request that has been sent is answered or has failed. */
  settled(): Promise<void>;
  /** Sends no more, and resolves as `settled` does. */
  stop(): Promise<void>;
}
