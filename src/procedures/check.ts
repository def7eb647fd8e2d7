import { liveRelease, isBad, keptReleases } from '../model/release.js';
import type { Current } from '../steps/candidate.js';
import { diskSpaceGate } from '../steps/gates/disk-space.js';
import type { GateFinding } from '../steps/gates/pass-gate.js';
import { lookAtContainers } from '../steps/look-at-containers.js';
import { lookAtLeftovers } from '../steps/leftovers.js';
import { lookAtFiles } from '../steps/look-at-files.js';
import { lookAtDependents } from '../steps/left-dependents.js';
import { lookAtEdge } from '../steps/look-at-edge.js';
import { lookAtRouter } from '../steps/look-at-router.js';
import { imageOf } from '../steps/kept-candidate.js';
import { observe } from '../steps/observe.js';
import { showBackups } from '../steps/old-backups.js';
import { describeOwner } from '../steps/project-owner.js';
import { previewUpdate } from '../steps/preview.js';
import { describeStop, isStopped } from '../steps/stopped.js';
import { requireServices } from '../steps/open-project.js';
import type { Viewing } from '../steps/session.js';
import { servingOf, workUnderWay } from '../steps/serving.js';
import { describeDecision, keepPlan } from '../steps/show-plan.js';
import { dependencyOrder } from '../model/service.js';
import type { Serving } from '../model/serving.js';
import { asProcedureError } from '../model/errors.js';
import { ended, type Procedure, type ProcedureResult } from './procedure.js';

/** Looks at everything and changes nothing: health, resources, errors, what there is to go back to, what would happen. */
export const check: Procedure = {
  name: 'check',
  purpose: 'Shows health, resource use, errors, the releases there are to go back to, and what code-update would do.',
  interrupts: false,

  async preview(viewing: Viewing): Promise<ProcedureResult> {
    const { opened, request } = viewing;
    requireServices(request.services, Object.keys(opened.live.services));
    const names = request.services.length > 0 ? request.services : dependencyOrder(opened.live);
    const underWay = await workUnderWay(viewing.records(viewing.project).locks);
    const owner = await describeOwner(viewing);
    const problems: string[] = owner === undefined ? [] : [owner];
    const stopped: string[] = [];
    for (const service of names) {
      const current = await observe(viewing.engine, viewing, viewing.project, service);
      if (current.containers.length === 0 && current.history.releases.length === 0) continue;
      const stop = isStopped(current);
      if (stop !== undefined) stopped.push(`${service} is ${describeStop(stop)}`);
      const serving: Serving =
        underWay === undefined
          ? await servingOf(viewing, service, current, { readyMs: 0, signal: viewing.signal })
          : { kind: 'unknown', why: [underWay] };
      problems.push(...(await lookAtContainers(viewing, service, current, { serving })));
      problems.push(...(await lookAtFiles(viewing, service, current)));
      problems.push(...(await lookAtEdge(viewing, service, current.containers)));
      problems.push(...(await lookAtRouter(viewing, service)));
      problems.push(...(await lookAtLeftovers(viewing, service)));
      problems.push(...(await lookAtReleases(viewing, service, current)));
      await showBackups(viewing, service);
    }
    problems.push(...(await lookAtDependents(viewing)));
    lookAtDisk(viewing, await diskSpaceGate(viewing, opened));
    // Refused before anything is planned.
    if (owner === undefined) await lookAhead(viewing);
    problems.push(...lookAtSecrets(viewing));
    for (const line of stopped) viewing.progress.info(line);
    viewing.recorder.nextSteps.push(...stopped.map((line) => `${line}. To start it: procedure start.`));
    const words = stopped.length === 0 ? '' : `; ${stopped.join('; ')}`;
    if (problems.length === 0) return ended('completed', `check: everything that runs is healthy${words}`);
    // Several services may use the same network.
    const each = [...new Set(problems)];
    for (const problem of each) viewing.progress.warning(problem);
    viewing.recorder.nextSteps.push(...each);
    return ended('completed', `check: ${each.length} ${each.length === 1 ? 'thing' : 'things'} to look at${words}`);
  },

  perform: undefined,
};

async function lookAtReleases(viewing: Viewing, service: string, current: Current): Promise<readonly string[]> {
  const { history } = current;
  const problems: string[] = [];
  const rows: string[][] = [];
  for (const release of keptReleases(history).slice(0, viewing.request.keepReleases)) {
    const present = (await imageOf(viewing, release)) !== undefined;
    if (!present)
      problems.push(`${service}: the image of kept release ${release.id} is gone (${release.image.keptAs})`);
    rows.push([
      release.id,
      release.id === current.release?.id ? 'live' : isBad(history, release.id) ? 'bad' : 'kept',
      present ? 'there' : 'gone',
      release.commit?.slice(0, 12) ?? '–',
      release.image.digest ?? release.image.id.slice(0, 19),
      release.by,
    ]);
  }
  viewing.recorder.findings.push({
    title: `Releases of ${service} to go back to`,
    columns: ['Release', 'Mark', 'Image', 'Commit', 'Digest or id', 'By'],
    rows,
  });
  const live = liveRelease(history);
  if (live !== undefined && current.containers.length > 0 && current.release?.id !== live.id) {
    problems.push(`${service} does not run what was deployed last (${live.id}): someone changed it by hand`);
  }
  return problems;
}

/** A name that people see everywhere is a weak secret, and the log would not be readable without it. */
function lookAtSecrets({ redactor }: Viewing): readonly string[] {
  const found = redactor
    .unhidden()
    .map(({ name, what }) => `the value of ${name} is ${what}: it is not hidden in the log`);
  return [...new Set(found)];
}

function lookAtDisk(viewing: Viewing, finding: GateFinding): void {
  const detail = finding.kind === 'refuse' ? finding.error.message : finding.detail;
  viewing.recorder.gates.push({ gate: 'disk-space', state: finding.kind === 'pass' ? 'passed' : 'warned', detail });
  viewing.progress.info(`disk: ${detail}`);
}

/** What an update would do is worth knowing, and not worth failing a check for. */
async function lookAhead(viewing: Viewing): Promise<void> {
  try {
    const { services } = keepPlan(viewing, (await previewUpdate(viewing, 'code-update')).plan);
    for (const service of services) {
      viewing.progress.info(`code-update: ${service.service}: ${describeDecision(service.decision)}`);
    }
  } catch (error) {
    const problem = asProcedureError(error);
    viewing.recorder.nextSteps.push(`code-update would not work now: ${problem.message}. ${problem.next}`);
    viewing.progress.warning(`code-update would not work now: ${problem.message}`);
  }
}
