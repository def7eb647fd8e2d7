import { parseGates } from '../model/gates.js';
import { parsePeakHours } from '../model/peak-hours.js';
import type { Request } from '../model/request.js';
import type { InputReader } from './input-reader.js';

type GateRequest = Pick<
  Request,
  'gates' | 'peakHours' | 'activeJobsCommand' | 'activeJobsTimeoutMs' | 'requireEnvironment' | 'requireBackupMs'
>;

/** What gates are asked to look at, and what follows from what they find. */
export function readGates(input: InputReader): GateRequest {
  const { settings, problems } = parseGates(input.list('gates'));
  for (const problem of problems) input.problem('gates', problem);
  const peakHours = input.lines('peak-hours').flatMap((line) => {
    const window = parsePeakHours(line);
    if (!('problem' in window)) return [window];
    input.problem('peak-hours', window.problem);
    return [];
  });
  return {
    gates: settings,
    peakHours,
    activeJobsCommand: input.text('active-jobs-command'),
    activeJobsTimeoutMs: input.duration('active-jobs-timeout') ?? 0,
    requireEnvironment: input.text('require-environment'),
    requireBackupMs: input.duration('require-backup', 60_000),
  };
}
