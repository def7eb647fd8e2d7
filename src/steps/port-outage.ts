import type { Operation } from '../operations/operation.js';
import type { Session } from './session.js';

/**
 * How long nothing listened at the published ports while they changed hands. With a redirect somebody always does; without
 * one, containers that serve are of no use to whoever comes from outside.
 */
export class PortOutage {
  private redirected = false;
  private closedAtMs: number | undefined;
  private totalMs = 0;

  constructor(
    private readonly session: Pick<Session, 'clock' | 'edges' | 'project' | 'events'>,
    private readonly service: string,
    private readonly old: ReadonlySet<string>,
  ) {}

  /** Call after each operation that was carried out. */
  async after({ kind }: Operation, beganAtMs: number): Promise<void> {
    if (kind === 'redirect-ports') this.redirected = true;
    if (kind === 'open-ports') this.opened(this.closedAtMs ?? this.stoppedAtMs());
    if (kind === 'close-ports') {
      const edge = await this.session.edges.find(this.session.project, this.service);
      this.redirected = edge?.redirected === true;
      this.closedAtMs = beganAtMs;
    }
    if (kind === 'await-ready' && this.closedAtMs !== undefined) this.opened(this.closedAtMs);
  }

  /** Milliseconds until now. */
  get ms(): number {
    return this.totalMs;
  }

  private opened(closedAtMs: number | undefined): void {
    if (!this.redirected && closedAtMs !== undefined)
      this.totalMs += Math.max(0, this.session.clock.now() - closedAtMs);
    this.closedAtMs = undefined;
  }

  /** The old container, which had the ports, was told to stop. */
  private stoppedAtMs(): number | undefined {
    const own = this.session.events.seen.filter(({ id }) => this.old.has(id));
    return own.find(({ action }) => action === 'kill' || action === 'die')?.atMs;
  }
}
