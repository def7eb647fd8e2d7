import { failureOf } from '../../model/errors.js';
import { policyOf } from '../../model/project-policy.js';
import { isOneShot } from '../../model/service.js';
import { formatDuration } from '../../model/units.js';
import { commandEnvironment, runOnHost } from '../commands.js';
import { observe } from '../observe.js';
import { awaitReady, readinessTimeout } from '../readiness.js';
import type { Session } from '../session.js';
import { isStopped } from '../stopped.js';
import { done, type MaintenancePhase } from './phase.js';
import { sayNotTold, sayPageStays, tellPage, type PageTold } from './status-page.js';

/** T+5min: the whole project runs and is healthy, the full tests, the smoke test and a load test pass; then it is operational. */
export const verify: MaintenancePhase = {
  name: 'verify',
  says: 'looks at every container, runs the tests, the smoke test and the load test, and sets the status page to operational',
  async run(session, window) {
    const before = await window.read();
    try {
      const services = await session.progress.group('Verify', () => checkAll(session));
      const told = await tellPage(session, { kind: 'operational' });
      await window.add('verified', { outcome: 'completed', page: told.page, services });
      return done(`${services.join(', ')}: verified${pageAfter(session, told, before?.page)}`);
    } catch (error) {
      const failure = failureOf(error);
      await window.add('verified', { outcome: 'failed', issues: [session.redactor.text(failure.message)] });
      if (before?.page === 'maintenance') sayPageStays(session);
      throw error;
    }
  },
};

/** What is verified is verified; a page that does not know it is told of all the same. @returns words for the headline */
function pageAfter(session: Session, told: PageTold, before: PageTold['page']): string {
  if (told.problem === undefined) return '';
  if (before !== 'maintenance') {
    sayNotTold(session, told, 'that all works again', 'Run phase: verify again, or set it by hand.');
    return '; the status page was not told';
  }
  sayPageStays(session, told.problem);
  return '; the status page still says maintenance';
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
    await awaitReady(
      session,
      {
        kind: 'await-ready',
        service,
        release: current.release?.id,
        timeoutMs: readinessTimeout(containers[0]?.healthCheck, request.readinessTimeoutMs),
      },
      {
        replicas: containers.length,
        oneShot: false,
        readiness: request.readiness ?? policyOf(opened.live.policy, service).readiness,
      },
      session.signal,
    );
    session.progress.info(`  ✓ ${service}: ${containers.length} running and ready`);
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
