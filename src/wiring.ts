import { homedir } from 'node:os';
import path from 'node:path';
import { createBackupStore } from './backups/store.js';
import { createCompose } from './engine/compose.js';
import { resolveEndpoint } from './engine/endpoint.js';
import { createDockerEngine } from './engine/engine.js';
import { createCodeHost } from './github/code-host.js';
import { createDeployments } from './github/deployment-records.js';
import { createClock } from './host/clock.js';
import { createCommands } from './host/commands.js';
import { createDisks } from './host/disks.js';
import { createDockerService } from './host/docker-service.js';
import { childEnvironment } from './host/environment.js';
import { createListeners } from './host/listeners.js';
import { RUN_VARIABLE } from './host/left-processes.js';
import { prepareStateDirectory } from './host/state-directory.js';
import { createJournal } from './ledger/journal.js';
import { withKillDoor } from './ledger/kill-door.js';
import { createLedger } from './ledger/ledger.js';
import { createLocks } from './ledger/locks.js';
import { JOURNAL_CODEC } from './operations/journal.js';
import { createRecords } from './ledger/records.js';
import type { Progress } from './model/ports/progress.js';
import type { Invocation, Request } from './model/request.js';
import { secretsOf } from './model/request-secrets.js';
import { createChannels } from './notify/index.js';
import { createProbes } from './probe/probes.js';
import { createEvidenceStore } from './report/evidence.js';
import { createIncidentLog } from './report/incident-log.js';
import { createMetricsFile } from './report/openmetrics.js';
import { renderPlanComment } from './report/plan-comment.js';
import type { SecretRedactor } from './report/redact.js';
import { redactedCompose, redactedEngine, redactedIsolated } from './report/redacted-engine.js';
import { looksSecret } from './report/secret-names.js';
import { DeploymentRecord } from './run/deployment-record.js';
import { Notifier } from './run/notifier.js';
import { Recorder } from './run/recorder.js';
import type { ProjectRecords, Run } from './run/run.js';
import { createEdges } from './routers/edge/edges.js';
import { createRouters } from './routers/index.js';
import { createSource } from './source/git.js';

export interface RunOptions {
  readonly request: Request;
  readonly invocation: Invocation;
  readonly progress: Progress;
  readonly redactor: SecretRedactor;
  readonly cancelled: AbortSignal;
  readonly environment: NodeJS.ProcessEnv;
}

/** Builds every adapter and hands them down: the one place that knows which implementation stands behind a port. */
export async function createRun(options: RunOptions): Promise<Run> {
  const { request, invocation, progress, redactor, cancelled, environment } = options;
  learnOwnSecrets(redactor, environment);
  redactor.learn(secretsOf(request));
  redactor.learn(request.verifyEnv.flatMap(({ name, value }) => (value === undefined ? [] : [{ name, value }])));
  const debug = (line: string): void => progress.debug(line);
  const endpoint = await resolveEndpoint(environment, homedir());
  const { runId } = invocation;
  const clock = createClock();
  const engine = redactedEngine(createDockerEngine(endpoint, debug, runId), redactor);
  const api = engine.records;
  await prepareStateDirectory(request.stateDir);
  const cli = childEnvironment(environment, { ...endpoint.cliEnvironment, [RUN_VARIABLE]: runId });
  const ownCompose = createCompose({ environment: cli, debug, redactor, run: runId });
  const compose = redactedCompose(ownCompose, redactor, environment);
  const edge = { engine, own: engine.own, compose };
  const onBroken = (error: Error): void => progress.warning(error.message);
  const github = {
    token: request.githubToken,
    repository: environment['GITHUB_REPOSITORY'],
    apiUrl: environment['GITHUB_API_URL'] ?? 'https://api.github.com',
  };
  const codeHost = createCodeHost({
    ...github,
    run: environment['GITHUB_RUN_ID'],
    revertToken: request.revertToken,
    renderPlan: renderPlanComment,
    onProblem: debug,
    onIssueLost: (line) => progress.warning(line),
  });
  const opened = new Map<string, ProjectRecords>();
  return {
    request,
    invocation,
    progress,
    redactor,
    cancelled,
    clock,
    recorder: new Recorder(clock),
    notifier: new Notifier(createChannels(request.notifications), {
      clock,
      progress,
      redact: (text) => redactor.text(text),
      cancelled,
    }),
    engine,
    compose,
    isolated: redactedIsolated(engine.isolated(cli), redactor),
    source: createSource({ environment: cli, debug }),
    commands: createCommands(cli, redactor),
    disks: createDisks(),
    probes: createProbes(),
    deployment: new DeploymentRecord(createDeployments(github), {
      progress,
      redact: (text) => redactor.text(text),
      logUrl: invocation.runUrl,
      environmentUrl: request.deployment.url,
      approvalOf: (name) => codeHost.approvalOf(name),
    }),
    codeHost,
    listeners: createListeners(),
    dockerService: createDockerService(endpoint.host, request.restartDockerCommand),
    incidents: createIncidentLog(request.stateDir),
    routers: createRouters({ edge, engine }),
    edges: createEdges(edge),
    data: engine.data,
    traces: engine.traces,
    backups: createBackupStore(),
    metrics: createMetricsFile(),
    evidence: createEvidenceStore(path.join(request.evidenceDir, invocation.runId), redactor),
    records: (project) => {
      const known = opened.get(project);
      if (known !== undefined) return known;
      const records = createRecords(api, project);
      const made: ProjectRecords = {
        ledger: createLedger({ records, project, onBroken }),
        journal: withKillDoor(createJournal({ records, project, codec: JOURNAL_CODEC, onBroken }), environment),
        locks: createLocks({ api, project, records, clock }),
      };
      opened.set(project, made);
      return made;
    },
  };
}

/** What a workflow puts into the environment under a secret-like name is masked by the runner, and by us as well. */
function learnOwnSecrets(redactor: SecretRedactor, environment: NodeJS.ProcessEnv): void {
  redactor.learn(
    Object.entries(environment).flatMap(([name, value]) =>
      value !== undefined && looksSecret(name) ? [{ name, value }] : [],
    ),
  );
}
