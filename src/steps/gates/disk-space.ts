import { ProcedureError } from '../../model/errors.js';
import { formatSize } from '../../model/units.js';
import type { Run } from '../../run/run.js';
import type { OpenProject } from '../session.js';
import type { GateFinding } from './pass-gate.js';

/** Building and pulling fill the engine's disk; a full one stops more than the deploy. */
export async function diskSpaceGate(run: Run, opened: OpenProject): Promise<GateFinding> {
  const [engine, checkout] = await Promise.all([
    run.disks.freeBytes(opened.facts.rootDirectory),
    run.disks.freeBytes(run.request.workingDirectory),
  ]);
  const free = engine === undefined || checkout === undefined ? undefined : Math.min(engine, checkout);
  if (free === undefined) return { kind: 'warn', detail: 'the engine’s disk cannot be seen from here' };
  const wanted = run.request.minFreeDiskBytes;
  if (free >= wanted) return { kind: 'pass', detail: `${formatSize(free)} free` };
  return {
    kind: 'refuse',
    error: new ProcedureError(
      'E_GATE',
      `Only ${formatSize(free)} are free on the disk of the engine (${opened.facts.rootDirectory}) or of the checkout; ${formatSize(wanted)} are asked for`,
      { next: 'Free space (docker system df shows what takes it) or lower min-free-disk; nothing was changed.' },
    ),
  };
}
