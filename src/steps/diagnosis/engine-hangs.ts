import type { ErrorCode } from '../../model/errors.js';
import { ASK_MS, over, type Finding } from './finding.js';

const HANGS: ReadonlySet<ErrorCode> = new Set(['E_DEADLINE', 'E_ENGINE_UNREACHABLE']);

/** Runbook, Restart Hangs: whether the engine answers at all. Restarting it stops every service: a remedy does it when it is named. */
export const engineHangs: Finding = {
  name: 'engine',
  async look({ session, failure, service, hasty }) {
    if (!HANGS.has(failure.code)) return undefined;
    const answers = session.engine.facts().then(
      () => true,
      () => false,
    );
    const late = over(session.clock.deadline(ASK_MS[hasty ? 'hasty' : 'calm']));
    if (!(await Promise.race([answers, late]))) {
      return 'The Docker engine does not answer: systemctl status docker. Restarting it (systemctl restart docker) stops every service of the host: procedure emergency with remedies: restart-docker does it when it is named.';
    }
    return `The Docker engine answers, so it is this container or its disk that hangs. Procedure emergency kills ${service} and starts it again.`;
  },
};
