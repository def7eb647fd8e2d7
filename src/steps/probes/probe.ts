import type { ProbeAnswer } from '../../model/ports/probe.js';
import type { ObservedContainer } from '../../model/service.js';

/** One way to ask a running container whether it is ready. One file a way, chosen in `probes-for.ts`. */
export interface Probe {
  /** For a person: `its health check`, `http://:3000/health`. */
  readonly name: string;
  /**
   * @param container as the engine showed it just now
   * @param leftMs milliseconds until the wait is over: no question lasts longer
   * @throws the signal's reason, when that aborted; a container that does not answer is an answer
   */
  ask(container: ObservedContainer, leftMs: number, signal: AbortSignal): Promise<ProbeAnswer>;
}
