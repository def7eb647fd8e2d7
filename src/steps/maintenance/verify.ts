import { asProcedureError, ProcedureError } from '../../model/errors.js';
import { isOneShot, type ObservedContainer } from '../../model/service.js';
import { formatDuration } from '../../model/units.js';
import { sleep } from '../../run/deadline.js';
import { commandEnvironment, runOnHost } from '../commands.js';
import { describeState, explainContainer } from '../diagnose.js';
import { observe } from '../observe.js';
import type { Session } from '../session.js';
import { isStopped } from '../stopped.js';
import { done, type MaintenancePhase } from './phase.js';
import { sayPageStays, tellPage } from './status-page.js';

/** T+5min: the whole project runs and is healthy, the full tests, the smoke test and a load test pass; then it is operational. */
export const verify: MaintenancePhase = {
  name: 'verify',
  says: 'looks at every container, runs the tests, the smoke test and the load test, and sets the status page to operational',
  async run(session, window) {
    const before = await window.read();
    try {
      const services = await session.progress.group('Verify', () => checkAll(session));
      const page = tellPage(session, { kind: 'operational' });
      await window.add('verified', { outcome: 'completed', page, services });
      return done(`${services.join(', ')}: verified`);
    } catch (error) {
      const failure = asProcedureError(error);
      if (failure.code === 'E_FENCED') throw error;
      await window.add('verified', { outcome: 'failed', issues: [session.redactor.text(failure.message)] });
      if (before?.page === 'maintenance') sayPageStays(session);
      throw error;
    }
  },
};

/** How long a container may take to be called healthy by Docker, unless `readiness-timeout` says so. */
const WELL_MS = 60_000;
/** What has no health check has to stay up for so long: one that ends again and again looks alive in between. */
const STEADY_MS = 5_000;
const POLL_MS = 500;

/** @throws ProcedureError E_VERIFICATION, or the signal's reason */
async function awaitWell(session: Session, service: string): Promise<void> {
  const until = performance.now() + (session.request.readinessTimeoutMs ?? WELL_MS);
  for (;;) {
    const containers = await session.engine.containers(session.project, service);
    const unwell = containers.find((one) => !isWell(one));
    if (unwell === undefined && containers.length > 0) return;
    const hopeless = unwell?.health === 'unhealthy' || performance.now() > until;
    if (hopeless || unwell === undefined) {
      throw new ProcedureError(
        'E_VERIFICATION',
        unwell === undefined ? `${service} is gone` : `${unwell.name}: ${describeState(unwell)}`,
        {
          next: 'Its state and last log lines are shown with this error.',
          excerpt: unwell === undefined ? [] : await explainContainer(session, unwell),
        },
      );
    }
    await sleep(POLL_MS, session.signal);
  }
}

function isWell({ state, health, startedAt }: ObservedContainer): boolean {
  if (state !== 'running') return false;
  return health === 'none' ? Date.now() - Date.parse(startedAt) > STEADY_MS : health === 'healthy';
}

async function checkAll(session: Session): Promise<string[]> {
  const { request, opened, project } = session;
  const wanted = request.services.length > 0 ? request.services : Object.keys(opened.live.services);
  const checked: string[] = [];
  for (const service of wanted.filter((name) => !isOneShot(opened.live, name))) {
    const current = await observe(session.engine, session, project, service);
    const { containers } = current;
    // What was stopped on purpose, or never started, is nothing to verify.
    if (containers.length === 0 || isStopped(current) !== undefined) continue;
    await awaitWell(session, service);
    session.progress.info(`  ✓ ${service}: ${containers.length} running and well`);
    checked.push(service);
  }
  const { maintenance, testCommand, smokeTest, workingDirectory: directory } = request;
  const commands = { 'test-command': testCommand, 'smoke-test': smokeTest, 'load-test': maintenance.loadTest };
  const [first = ''] = checked;
  const [container] = first === '' ? [] : await session.engine.containers(project, first);
  for (const [name, command] of Object.entries(commands)) {
    if (command === undefined) continue;
    const environment = commandEnvironment(project, first, undefined, container);
    const { durationMs } = await runOnHost(session, { name, command, directory, environment }, session.signal);
    session.recorder.note(`${name} passed in ${formatDuration(durationMs)}`);
    session.progress.info(`  ✓ ${name}: passed in ${formatDuration(durationMs)}`);
  }
  return checked;
}
