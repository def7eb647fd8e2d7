import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ProcedureError } from '../model/errors.js';
import type { Redactor } from '../model/ports/progress.js';
import type { RunReport } from '../model/report.js';

/**
 * Writes the JSON report (docs/report.schema.json), redacted, readable by its owner alone.
 * Through a second file: a reader never sees half a report.
 * @throws ProcedureError E_EVIDENCE
 */
export async function writeReportFile(path: string, report: RunReport, redactor: Redactor): Promise<void> {
  const partial = `${path}.partial`;
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await writeFile(partial, `${JSON.stringify(redactor.json(report), null, 2)}\n`, { mode: 0o600 });
    await rename(partial, path);
  } catch (thrown) {
    await rm(partial, { force: true }).catch(() => undefined);
    throw new ProcedureError('E_EVIDENCE', `The report could not be written to ${path}`, {
      next: 'See that the directory can be written and has space, or give another state-dir.',
      cause: thrown,
    });
  }
}
