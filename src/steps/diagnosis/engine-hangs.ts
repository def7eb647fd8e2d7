import type { Finding } from './finding.js';

/** Runbook, Restart Hangs: whether the engine answers at all. Restarting it stops every service, so a person decides. */
export const engineHangs: Finding = {
  name: 'engine',
  async look({ session, failure, service }) {
    if (failure.code !== 'E_DEADLINE') return undefined;
    try {
      await session.engine.facts();
    } catch {
      return 'The Docker engine does not answer: systemctl status docker. Restarting it (systemctl restart docker) stops every service of the host, so it is left to you.';
    }
    return `The Docker engine answers, so it is this container or its disk that hangs: docker compose -p ${session.project} kill ${service}, or procedure emergency.`;
  },
};
