import { lastWindow, windowFor, type MaintenanceRecord, type MaintenanceWindow } from '../../model/maintenance.js';
import type { Session, Viewing } from '../session.js';
import { sayPageStays } from './status-page.js';

type Part = Partial<Omit<MaintenanceRecord, 'at' | 'window' | 'kind' | 'run' | 'by'>>;

/** The maintenance window that this run works in: its records are in the ledger, since its phases may be runs of their own. */
export class Window {
  private constructor(
    private readonly session: Session,
    readonly id: string,
  ) {}

  /** The one that the phases of this run belong to. */
  static async of(session: Session): Promise<Window> {
    return new Window(session, await windowOf(session));
  }

  /** What is known of it; undefined before its first record. */
  async read(): Promise<MaintenanceWindow | undefined> {
    const last = await read(this.session);
    return last?.id === this.id ? last : undefined;
  }

  async add(kind: MaintenanceRecord['kind'], part: Part = {}): Promise<void> {
    const { clock, invocation, ledger } = this.session;
    await ledger.addMaintenanceRecord({
      at: new Date(clock.now()).toISOString(),
      window: this.id,
      kind,
      run: invocation.runId,
      by: invocation.actor,
      outcome: undefined,
      startsAt: undefined,
      plannedMs: undefined,
      page: undefined,
      services: [],
      issues: [],
      ...part,
    });
  }
}

/** @returns the id of the window that the phases of this run belong to; nothing is written */
export async function windowOf({ ledger, request, invocation }: Viewing): Promise<string> {
  return windowFor(await ledger.maintenanceRecords(), request.maintenance.phases, invocation.runId);
}

/** For what a killed run left: nobody else would notice that its status page goes on saying maintenance. */
export async function saySoIfPageStays(session: Session): Promise<void> {
  const last = await read(session);
  if (last?.page === 'maintenance') sayPageStays(session);
}

async function read({ ledger }: Session): Promise<MaintenanceWindow | undefined> {
  return lastWindow(await ledger.maintenanceRecords());
}
