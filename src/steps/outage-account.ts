import type { Operation } from '../operations/operation.js';
import { outageMs, servingAgain, type RouteChange, type ServingChange } from '../model/outage.js';
import type { EngineEvent } from '../model/ports/engine.js';
import { ROUTER_ABILITIES, type RouterSpec } from '../model/router.js';
import type { Candidate } from './candidate.js';
import { PortOutage } from './port-outage.js';
import type { Readiness } from './readiness.js';
import type { Session } from './session.js';

/** How long nothing of one service served, from the engine's own events, our readings of readiness and the router's switches. */
export class OutageAccount {
  private readonly startedAtMs: number;
  private readonly served: ServingChange[] = [];
  private readonly routes: RouteChange[] = [];
  private readonly ports: PortOutage;

  constructor(
    private readonly session: Session,
    private readonly candidate: Candidate,
  ) {
    this.startedAtMs = session.clock.now();
    this.ports = new PortOutage(session, candidate.service, new Set(candidate.current.containers.map(({ id }) => id)));
  }

  ready({ containers, readyAtMs }: Readiness): void {
    for (const container of containers) this.served.push({ atMs: readyAtMs, container, serves: true });
  }

  /** From the beginning of a drain on there are no new requests. */
  before(operation: Operation): void {
    if (operation.kind !== 'drain-containers') return;
    this.note(operation.router, { who: 'drain', containers: operation.containers });
  }

  /** A switch counts when the router has confirmed it. */
  async after(operation: Operation, beganAtMs: number): Promise<void> {
    if (operation.kind === 'shift-traffic') this.note(operation.router, operation.serve);
    await this.ports.after(operation, beganAtMs);
  }

  /** A router that is not told who serves leaves that to Docker. */
  private note(router: RouterSpec, route: RouteChange['route']): void {
    if (ROUTER_ABILITIES[router.kind].controlled) this.routes.push({ atMs: this.session.clock.now(), route });
  }

  /** @returns milliseconds until now; undefined when nothing ran before */
  ms(): number | undefined {
    const { session, candidate } = this;
    const old = candidate.current.containers.filter((container) => container.state === 'running');
    if (old.length === 0 || candidate.lifetime === 'ends') return undefined;
    const seen = session.events.seen.filter((event) => event.service === candidate.service);
    const changes: ServingChange[] = seen
      .filter((event) => event.action === 'die')
      .map((event) => ({
        atMs: stoppedServingAt(event, session.events.seen),
        container: event.id,
        serves: false,
      }));
    const unserved = Math.round(
      outageMs(
        old.map((container) => container.id),
        [...changes, ...this.served, ...servingAgain(this.served, seen)],
        this.startedAtMs,
        session.clock.now(),
        this.routes,
      ),
    );
    return Math.max(unserved, this.ports.ms);
  }
}

/** Longest grace time that is looked back over. */
const LOOK_BACK_MS = 10 * 60_000;

/** A service that is asked to stop takes no new requests from then on, however long it takes to end. */
function stoppedServingAt(die: EngineEvent, seen: readonly EngineEvent[]): number {
  const asked = seen.find(
    (event) =>
      event.action === 'kill' && event.id === die.id && event.atMs <= die.atMs && event.atMs > die.atMs - LOOK_BACK_MS,
  );
  return asked?.atMs ?? die.atMs;
}
