import { isOpen, lastWindow, type MaintenanceRecord, type MaintenanceWindow } from '../../model/maintenance.js';
import type { Session } from '../session.js';
import { sayPageStays } from './status-page.js';

type Part = Partial<Omit<MaintenanceRecord, 'at' | 'window' | 'kind' | 'run' | 'by'>>;

/** The maintenance window that this run works in: its records are in the ledger, since its phases may be runs of their own. */
export class Window {
  private constructor(
    private readonly session: Session,
    readonly id: string,
  ) {}

  /** The one that is open, or a new one. @param fresh a new one in any case */
  static async open(session: Session, fresh: boolean): Promise<Window> {
    const last = await read(session);
    return new Window(session, !fresh && isOpen(last) ? last.id : session.invocation.runId);
  }

  /** The one that was begun last, whatever has become of it; undefined when there never was one. */
  static async last(session: Session): Promise<Window | undefined> {
    const last = await read(session);
    return last === undefined ? undefined : new Window(session, last.id);
  }

  /** What is known of it; undefined before its first record. */
  async read(): Promise<MaintenanceWindow | undefined> {
    const last = await read(this.session);
    return last?.id === this.id ? last : undefined;
  }

  async add(kind: MaintenanceRecord['kind'], part: Part = {}): Promise<void> {
    const { invocation, ledger } = this.session;
    await ledger.addMaintenanceRecord({
      at: new Date().toISOString(),
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

/** For what a killed run left: nobody else would notice that its status page goes on saying maintenance. */
export async function saySoIfPageStays(session: Session): Promise<void> {
  const last = await read(session);
  if (last?.page === 'maintenance') sayPageStays(session);
}

async function read({ ledger }: Session): Promise<MaintenanceWindow | undefined> {
  return lastWindow(await ledger.maintenanceRecords());
}
