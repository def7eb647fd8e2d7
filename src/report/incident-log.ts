import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { IncidentLog } from '../model/ports/incidents.js';

/** @param directory exists; the file in it is for its owner alone, as evidence is */
export function createIncidentLog(directory: string): IncidentLog {
  const path = join(directory, 'incidents.log');
  return {
    path,
    append: (line) => appendFile(path, `${line}\n`, { mode: 0o600 }),
  };
}
