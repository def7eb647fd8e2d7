import { asProcedureError, type ErrorCode } from '../../model/errors.js';
import { ownerError } from '../../model/project-owner.js';
import type { ComposeProject } from '../../model/service.js';
import { lookForOwner } from '../project-owner.js';
import type { Viewing } from '../session.js';
import { passGate, URGENT } from './pass-gate.js';

export const NO_ANSWER: ReadonlySet<ErrorCode> = new Set(['E_ENGINE', 'E_ENGINE_UNREACHABLE', 'E_DEADLINE']);

/**
 * Another folder's project of the same name, or the same services under another name, would be changed or doubled. Asked
 * before the lock, which is the first thing that is made. Not even what is urgent passes it: it would hit the wrong one.
 * @param project what is wanted, where that is not what lies there
 * @throws ProcedureError E_PROJECT
 */
export async function passProjectGate(viewing: Viewing, project?: ComposeProject): Promise<void> {
  const { request, recorder, progress } = viewing;
  let found;
  try {
    found = await lookForOwner(viewing, project);
  } catch (thrown) {
    const error = asProcedureError(thrown);
    if (!URGENT.has(request.procedure) || !NO_ANSWER.has(error.code)) throw error;
    passGate(viewing, 'project', { kind: 'warn', detail: `whose project it is cannot be told: ${error.message}` });
    return;
  }
  const { claims, problem } = found;
  if (problem === undefined) {
    progress.debug(`gate project: ${claims.project} is of ${claims.directory}`);
    return;
  }
  const error = ownerError(claims, problem);
  // Force takes a project over. It cannot give two containers one name.
  if (problem.kind === 'name-taken' && request.force) {
    recorder.gates.push({ gate: 'project', state: 'refused', detail: error.message });
    throw error;
  }
  // What was accepted of the files as they lie is accepted of the wanted commit.
  if (recorder.gates.some(({ gate, state }) => gate === 'project' && state === 'forced')) return;
  passGate(viewing, 'project', { kind: 'refuse', error });
}
