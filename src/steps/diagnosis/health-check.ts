import { suggestHealthCheck } from '../../model/health-suggestion.js';
import { formatDuration } from '../../model/units.js';
import type { Session } from '../session.js';
import type { Finding } from './finding.js';

/** No longer than it takes to know that it only needed a moment more. */
const TRY_MS = 5_000;
const HASTY_TRY_MS = 3_000;
const PAUSE_MS = 300;
const PROBE_MS = 4_000;

/** Runbook, Health Check Fails After Restart: the manual test, and the settings that would have let it start. */
export const healthCheck: Finding = {
  name: 'health check',
  async look({ session, service, containers, hasty, signal }) {
    const container = containers.find(({ health, state }) => state === 'running' && health === 'unhealthy');
    const check = container?.healthCheck;
    if (container === undefined || check === undefined) return undefined;
    const [kind, ...test] = check.test;
    const command = kind === 'CMD-SHELL' ? ['/bin/sh', '-c', test.join(' ')] : test;
    const began = session.clock.monotonic();
    for (;;) {
      const asked = session.clock.monotonic();
      const answer = await session.engine.exec(container.id, command, { timeoutMs: PROBE_MS, signal });
      const probeMs = session.clock.monotonic() - asked;
      const startupMs = session.clock.now() - Date.parse(container.startedAt);
      if (answer.exitCode === 0) return enough(check, startupMs, probeMs);
      if (session.clock.monotonic() - began > (hasty ? HASTY_TRY_MS : TRY_MS)) {
        const said = session.redactor.text(answer.output.trim().split('\n').at(-1) ?? '').slice(0, 160);
        const known = await knownStartup(session, service);
        const before =
          known === undefined ? '' : `; releases before took up to ${formatDuration(known)} to become healthy`;
        return `Its health check, run by hand ${formatDuration(startupMs)} after the start, ends with ${answer.exitCode}${said === '' ? '' : ` ("${said}")`}${before}. It is the service and not the setting, or it needs longer still.`;
      }
      await session.clock.sleep(PAUSE_MS, signal);
    }
  },
};

function enough(check: Parameters<typeof suggestHealthCheck>[0], startupMs: number, probeMs: number): string {
  const lines = suggestHealthCheck(check, startupMs, probeMs);
  const took = `Its health check passes now, ${formatDuration(startupMs)} after the start`;
  if (lines.length === 0) return `${took}: it was healthy again as soon as Docker had called it unhealthy.`;
  return `${took}: it needed longer than the setting allows. In the compose file, healthcheck: ${lines.join(', ')}.`;
}

/** Measured by runs before, in milliseconds. */
async function knownStartup(session: Session, service: string): Promise<number | undefined> {
  const measured = (await session.ledger.sloRecords(service)).flatMap(({ healthyMs }) => healthyMs ?? []);
  return measured.length === 0 ? undefined : Math.max(...measured);
}
