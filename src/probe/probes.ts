import type { Probes } from '../model/ports/probe.js';
import { askHttp, askTcp } from './ask.js';
import { OpenLoop } from './open-loop.js';

/** Node's own HTTP and sockets; why no library is said in `send.ts`. */
export function createProbes(): Probes {
  return { http: askHttp, tcp: askTcp, traffic: (settings, onSample) => new OpenLoop(settings, onSample) };
}
