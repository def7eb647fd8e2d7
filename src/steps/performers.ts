import { ProcedureError } from '../model/errors.js';
import { keptImageTag, type ReleaseEvent } from '../model/release.js';
import type { Performers } from '../run/executor.js';
import { stopAndRemove } from './leftovers.js';
import { pushImage } from './build-once.js';
import { runOnHost } from './commands.js';
import { recordCompletion } from './completion.js';
import { settleContainers, startBeside } from './beside.js';
import { deleteBackups } from './old-backups.js';
import { freezeData, keepBackup, restoreData, saveData, thawData } from './data.js';
import { endTakeover, installEdge, repairEdge } from './edge.js';
import { runReleaseCommand } from './release-command.js';
import { carryOutFreePort } from './remedies/free-port.js';
import { replaceContainers } from './replace.js';
import { drainContainers, holdTraffic, releaseTraffic, retireContainers, shiftTraffic } from './traffic.js';
import type { Looker, Session } from './session.js';

/** What carries out each kind of operation. A kind without one does not compile. */
export function performersFor(session: () => Session): Performers {
  const logLine = (line: string): void => session().progress.info(`  │ ${session().redactor.text(line)}`);
  return {
    'add-worktree': async ({ directory, path, commit }) => session().source.addWorktree(directory, path, commit),
    'run-command': async ({ name, command, directory }, signal) => {
      const environment = { ROLLING_RESTART_PROJECT: session().project };
      await runOnHost(session(), { name, command, directory, environment }, signal);
    },
    'run-release-command': async (operation, signal) => runReleaseCommand(session(), operation, signal),
    'build-image': async ({ service, pullBase }, signal) => {
      const build = session().builds.get(service);
      if (build === undefined) throw internal(`no build document for ${service}`);
      await session().compose.build({
        ...build,
        service,
        pullBase,
        onLine: logLine,
        signal,
        timeoutMs: session().request.commandTimeoutMs,
      });
    },
    'pull-image': async ({ reference }, signal) =>
      session().compose.pull(reference, logLine, signal, session().request.commandTimeoutMs),
    'push-image': async (operation, signal) => pushImage(session(), operation, signal),
    'capture-evidence': async (operation, signal) => lookerOf(session(), operation.service).capture(operation, signal),
    'free-port': async (operation, signal) => carryOutFreePort(session(), operation, signal),
    'keep-image': async ({ image, tags }) => {
      for (const tag of tags) await session().engine.tagImage(image, tag);
    },
    'move-checkout': async ({ directory, to }) => {
      await session().source.checkout(directory, to);
      session().liveCommit.value = to;
    },
    'tag-image': async ({ to, tag }) => session().engine.tagImage(to, tag),
    'replace-containers': async (operation, signal) => replaceContainers(session(), operation, signal),
    'restart-containers': async ({ containers }, signal) => {
      for (const container of containers) await session().engine.restartContainer(container, signal);
    },
    'kill-containers': async ({ containers }) => {
      for (const container of containers) await session().engine.killContainer(container, 'SIGKILL');
    },
    'remove-containers': async ({ containers }) => {
      for (const container of containers) await session().engine.removeContainer(container);
    },
    'remove-leftovers': async ({ containers }, signal) => stopAndRemove(session(), containers, signal),
    'remove-networks': async ({ project }) => {
      const stay = await session().engine.removeNetworks(project);
      if (stay.length === 0) return;
      session().progress.info(`  ${stay.join(', ')} stays: something is on it that is not taken down`);
    },
    'start-beside': async (operation, signal) => startBeside(session(), operation, signal),
    'shift-traffic': async (operation, signal) => shiftTraffic(session(), operation, signal),
    'drain-containers': async (operation, signal) => drainContainers(session(), operation, signal),
    'stop-containers': async ({ containers }, signal) => {
      await Promise.all(containers.map((container) => session().engine.stopContainer(container, signal)));
    },
    'start-containers': async ({ containers }) => {
      await Promise.all(containers.map((container) => session().engine.startContainer(container)));
    },
    'set-restart-policy': async ({ containers, to }) => {
      for (const container of containers) await session().engine.setRestartPolicy(container, to);
    },
    'retire-containers': async (operation, signal) => retireContainers(session(), operation, signal),
    'settle-containers': async (operation) => settleContainers(session(), operation),
    'hold-traffic': async (operation, signal) => holdTraffic(session(), operation, signal),
    'release-traffic': async (operation, signal) => releaseTraffic(session(), operation, signal),
    'install-edge': async (operation, signal) => installEdge(session(), operation, signal),
    'redirect-ports': async ({ service }, signal) => session().edges.redirect(session().project, service, signal),
    'open-ports': async ({ service }, signal) => session().edges.open(session().project, service, signal),
    'close-ports': async ({ service }, signal) => session().edges.close(session().project, service, signal),
    'end-redirect': async ({ service }) =>
      session().edges.endRedirect(session().project, service, session().request.edgeImage),
    'end-takeover': async (operation, signal) => endTakeover(session(), operation, signal),
    'remove-edge': async ({ service }) => session().edges.remove(session().project, service),
    'repair-edge': async (operation, signal) => repairEdge(session(), operation, signal),
    'freeze-data': async (operation, signal) => freezeData(session(), operation, signal),
    'thaw-data': async (operation, signal) => thawData(session(), operation, signal),
    'save-data': async (operation, signal) => saveData(session(), operation, signal),
    'keep-backup': async (operation, signal) => keepBackup(session(), operation, signal),
    'restore-data': async (operation, signal) => restoreData(session(), operation, signal),
    'delete-backups': async (operation) => deleteBackups(session(), operation),
    'analyse-canary': async (operation, signal) => lookerOf(session(), operation.service).analyse(operation, signal),
    'await-ready': async (operation, signal) => lookerOf(session(), operation.service).awaitReady(operation, signal),
    verify: async (operation, signal) => lookerOf(session(), operation.service).verify(operation, signal),
    watch: async (operation, signal) => lookerOf(session(), operation.service).watch(operation, signal),
    'accept-release': async ({ service, release }) => {
      await addEvent(session(), 'live', service, release, 'verified and accepted');
      await recordCompletion(session(), service, release);
      session().unacceptedTags.delete(keptImageTag(session().project, service, release));
    },
    'record-stop': async ({ service, release, reason }) => addEvent(session(), 'stopped', service, release, reason),
    'record-start': async ({ service, release }) =>
      addEvent(session(), 'started', service, release, `started by ${session().invocation.actor}`),
    'reject-release': async ({ service, release, reason }) => {
      await addEvent(session(), 'bad', service, release, reason);
      session().recorder.rejected.add(service);
    },
  };
}

async function addEvent(
  session: Session,
  kind: ReleaseEvent['kind'],
  service: string,
  release: string,
  reason: string,
): Promise<void> {
  await session.ledger.addEvent({
    at: new Date(session.clock.now()).toISOString(),
    kind,
    service,
    release,
    reason: session.redactor.text(reason),
    run: session.invocation.runId,
    restartMs: kind === 'live' ? session.lookers.get(service)?.restartMs() : undefined,
  });
}

function lookerOf(session: Session, service: string): Looker {
  const looker = session.lookers.get(service);
  if (looker === undefined) throw internal(`${service} is not being changed`);
  return looker;
}

function internal(what: string): ProcedureError {
  return new ProcedureError('E_INTERNAL', what, { next: 'Please report this with the log of the run.' });
}
