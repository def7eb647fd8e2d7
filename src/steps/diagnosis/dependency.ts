import { isProven, restOf } from '../../model/job.js';
import { observe } from '../observe.js';
import type { Finding } from './finding.js';

/** Runbook, Container Won't Start: what it depends on does not run. */
export const dependency: Finding = {
  name: 'dependency',
  async look({ session, definition }) {
    for (const { service, condition } of definition.dependsOn) {
      const lifetime = condition === 'service_completed_successfully' ? 'ends' : 'stays';
      const { containers, release, history } = await observe(session.engine, session, session.project, service);
      if (restOf(lifetime, { containers, release, history }) !== undefined) continue;
      const bad = containers.find((container) => !isProven(lifetime, container));
      if (containers.length === 0)
        return `${service}, which it depends on, has no container: start or deploy it first.`;
      if (bad !== undefined) {
        const health = bad.health === 'none' ? '' : `, health ${bad.health}`;
        return `${service}, which it depends on, is ${bad.state}${health}: make that one right first.`;
      }
    }
    return undefined;
  },
};
