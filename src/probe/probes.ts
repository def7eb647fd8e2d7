import type { Probes } from '../model/ports/probe.js';
import { askHttp, askTcp } from './ask.js';

/** Node's own HTTP and sockets: one question at a time needs no pool, no retries and no redirects. */
export function createProbes(): Probes {
  return { http: askHttp, tcp: askTcp };
}
