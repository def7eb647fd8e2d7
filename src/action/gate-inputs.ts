import { parseGates } from '../model/gates.js';
import { parsePeakHours } from '../model/peak-hours.js';
import { REMEDY_NAMES, type RemedyName } from '../model/remedies.js';
import type { Request } from '../model/request.js';
import { unknownWord, type InputReader } from './input-reader.js';

type GateRequest = Pick<
  Request,
  | 'gates'
  | 'remedies'
  | 'restartDockerCommand'
  | 'peakHours'
  | 'activeJobsCommand'
  | 'activeJobsTimeoutMs'
  | 'requireEnvironment'
  | 'requireBackupMs'
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
    remedies: readRemedies(input),
    restartDockerCommand: input.text('restart-docker-command'),
    peakHours,
    activeJobsCommand: input.text('active-jobs-command'),
    activeJobsTimeoutMs: input.duration('active-jobs-timeout') ?? 0,
    requireEnvironment: input.text('require-environment'),
    requireBackupMs: input.duration('require-backup', 60_000),
  };
}

/** What changes more than the service: each has to be named. */
function readRemedies(input: InputReader): readonly RemedyName[] {
  const asked = input.list('remedies').flatMap((word) => {
    const remedy = REMEDY_NAMES.find((name) => name === word);
    if (remedy === undefined) input.problem('remedies', unknownWord(word, REMEDY_NAMES));
    return remedy ?? [];
  });
  return [...new Set(asked)];
}
