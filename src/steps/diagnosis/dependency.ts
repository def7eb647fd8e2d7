import type { Finding } from './finding.js';

/** Runbook, Container Won't Start: what it depends on does not run. */
export const dependency: Finding = {
  name: 'dependency',
  async look({ session, definition }) {
    for (const { service, condition } of definition.dependsOn) {
      const containers = await session.engine.containers(session.project, service);
      const bad = containers.find(({ state, health, exitCode }) =>
        condition === 'service_completed_successfully'
          ? state === 'exited' && exitCode !== 0
          : state !== 'running' || health === 'unhealthy',
      );
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
