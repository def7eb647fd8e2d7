import { CONSISTENCIES } from '../model/backup-policy.js';
import { PHASE_CHOICES } from '../model/maintenance.js';
import { MOMENTS } from '../model/notification.js';
import { DEFAULT_ERROR_PATTERNS, RUNBOOK } from '../model/policy.js';
import { STRATEGY_NAMES } from '../model/plan.js';
import { PROCEDURES, ROUTER_CHOICES, type ProcedureName } from '../model/request.js';

/**
 * The one table of inputs and outputs. `action.yml`, the tables in the documents and the checks of `readRequest` come
 * from it, so that they cannot say different things.
 */

/** How the text of an input is read. */
export type InputKind =
  'choice' | 'flag' | 'duration' | 'size' | 'count' | 'text' | 'path' | 'command' | 'list' | 'lines' | 'secret';

export interface InputSpec {
  readonly name: string;
  /** One sentence. */
  readonly description: string;
  /** What counts when nothing is given; undefined: nothing. */
  readonly default: string | undefined;
  /** How the default is told to a person, where the value itself would not help. */
  readonly defaultText?: string;
  readonly kind: InputKind;
  readonly required?: true;
  /** Shown in the README's first table. */
  readonly first?: true;
  readonly choices?: readonly string[];
  readonly procedures: readonly ProcedureName[] | 'all';
}

/** Procedures that put another release in place. */
const CHANGES: readonly ProcedureName[] = ['code-update', 'config-change', 'rollback', 'maintenance'];
/** Procedures before which a backup can be taken. */
const DISTURBS: readonly ProcedureName[] = [
  ...CHANGES,
  'health-restart',
  'emergency',
  'stop',
  'start',
  'full-restart',
  'eject',
];
/** Procedures after which something is verified and watched. */
const RESTARTS: readonly ProcedureName[] = [
  ...CHANGES,
  'full-restart',
  'health-restart',
  'emergency',
  'start',
  'eject',
  'restore',
];
/** Procedures that only look. */
const LOOKS: readonly ProcedureName[] = ['check', 'plan', 'slo-report'];
/** Procedures of which people are told. */
const TOLD: readonly ProcedureName[] = PROCEDURES.filter((name) => !LOOKS.includes(name));
/** Procedures that may take a backup. */
const SAVES: readonly ProcedureName[] = ['backup', 'restore', ...DISTURBS];

const TABLE = [
  {
    name: 'procedure',
    description: 'What to do: one procedure of the runbook.',
    default: undefined,
    kind: 'choice',
    choices: PROCEDURES,
    required: true,
    first: true,
    procedures: 'all',
  },
  {
    name: 'service',
    description:
      'Service or services of the compose file, treated one at a time in this order; without it all that changed, stateful ones left out.',
    default: undefined,
    defaultText: 'all that changed',
    kind: 'list',
    first: true,
    procedures: 'all',
  },
  {
    name: 'working-directory',
    description: "The live checkout with the compose file; it outlives jobs, so it is outside the runner's workspace.",
    default: '.',
    kind: 'path',
    first: true,
    procedures: 'all',
  },
  {
    name: 'compose-files',
    description:
      "Compose files in the order Compose merges them, relative to the working directory; without it Compose's own defaults.",
    default: undefined,
    defaultText: "Compose's own",
    kind: 'list',
    procedures: 'all',
  },
  {
    name: 'project-name',
    description: 'Name of the compose project, when it is not the one Compose would choose.',
    default: undefined,
    defaultText: "Compose's own",
    kind: 'text',
    procedures: 'all',
  },
  {
    name: 'env-file',
    description: 'Files that Compose reads variables from, relative to the working directory; without it `.env`.',
    default: undefined,
    defaultText: '`.env`',
    kind: 'list',
    procedures: 'all',
  },
  {
    name: 'strategy',
    description: 'How the new release replaces the old one; `auto` takes the best way that is there.',
    default: 'auto',
    kind: 'choice',
    choices: ['auto', ...STRATEGY_NAMES],
    procedures: [...CHANGES, 'plan'],
  },
  {
    name: 'router',
    description:
      "What sends requests to the service's containers; `auto` takes what the compose file says, or what is already there, and installs nothing.",
    default: 'auto',
    kind: 'choice',
    choices: ROUTER_CHOICES,
    procedures: [...CHANGES, 'plan'],
  },
  {
    name: 'drain-timeout',
    description:
      'How long requests in flight at an old container may go on before they are cut, once it gets no new ones; `0s` cuts at once.',
    default: '30s',
    kind: 'duration',
    procedures: [...CHANGES, 'stop'],
  },
  {
    name: 'edge-image',
    description: 'Image of the managed edge, with HAProxy 3.0 or newer in it.',
    // HAProxy 3.0.29, the index of all platforms.
    default: 'haproxy:3.0-alpine@sha256:56b887da77428b7a6621e59e480cdbd330cc805c22d3cedb66ceea76ffdea2c6',
    kind: 'text',
    procedures: [...CHANGES, 'plan'],
  },
  {
    name: 'canary-steps',
    description: 'Share of the requests that the new release gets, step by step, with `strategy: canary`.',
    default: '10%, 50%, 100%',
    kind: 'list',
    procedures: CHANGES,
  },
  {
    name: 'canary-pause',
    description: 'How long each step of a canary lasts before new and old are compared.',
    default: '1m',
    kind: 'duration',
    procedures: CHANGES,
  },
  {
    name: 'on-inconclusive',
    description: 'What follows when a canary got too few requests to be judged, also after twice the pause.',
    default: 'rollback',
    kind: 'choice',
    choices: ['continue', 'rollback', 'fail'],
    procedures: CHANGES,
  },
  {
    name: 'ref',
    description:
      "Branch, tag or commit to deploy; without it the workflow's commit, in a shell the origin's default branch.",
    default: undefined,
    defaultText: "the workflow's commit",
    kind: 'text',
    procedures: ['check', 'code-update', 'maintenance', 'plan'],
  },
  {
    name: 'allow-downgrade',
    description:
      'Deploy a commit that is older than what is live, as a rollback to it; otherwise an old run that is run again is refused.',
    default: 'false',
    kind: 'flag',
    procedures: ['code-update'],
  },
  {
    name: 'push-to',
    description:
      'Build once: repository in a registry, as in `ghcr.io/acme/roma`, that the image built for a commit is pushed to; whenever that commit is deployed again it is taken from there, by the digest that was recorded, and never built. Several services need `{service}` in it.',
    default: undefined,
    kind: 'text',
    procedures: ['check', 'code-update', 'rollback'],
  },
  {
    name: 'image',
    description: 'Image to pull and deploy instead of building one; with it `service` names one service.',
    default: undefined,
    kind: 'text',
    procedures: ['check', 'code-update'],
  },
  {
    name: 'pull-base',
    description: 'Build on fresh base images: the way to take security patches in. `maintenance` always does.',
    default: 'false',
    kind: 'flag',
    procedures: ['full-restart', 'code-update'],
  },
  {
    name: 'build-command',
    description: 'Shell command that runs on the host, in the wanted commit, before the image is built.',
    default: undefined,
    kind: 'command',
    first: true,
    procedures: ['full-restart', 'code-update', 'rollback', 'maintenance'],
  },
  {
    name: 'release-command',
    description:
      'Shell command that runs once in a container of the new image, such as a database migration, before anything is switched; when it fails no container is changed.',
    default: undefined,
    defaultText: 'the compose file’s `x-rolling-restart`',
    kind: 'command',
    procedures: ['code-update', 'maintenance'],
  },
  {
    name: 'test-command',
    description: 'Shell command that verifies the new release from the host, such as a test suite.',
    default: undefined,
    kind: 'command',
    procedures: [...CHANGES, 'full-restart'],
  },
  {
    name: 'smoke-test',
    description:
      'Shell command that shows in seconds that the service does its work; when it fails the previous release comes back.',
    default: undefined,
    kind: 'command',
    first: true,
    procedures: RESTARTS,
  },
  {
    name: 'verify-env',
    description:
      'Variables that the changed containers have to have, one a line: `NAME` (with the value that the compose file gives it) or `NAME=value`; `SERVICE:` before it makes it one for that service.',
    default: undefined,
    kind: 'lines',
    procedures: ['full-restart', 'config-change', 'code-update', 'maintenance'],
  },
  {
    name: 'version-command',
    description: 'Command that prints the version; it runs inside the new container.',
    default: undefined,
    kind: 'command',
    procedures: RESTARTS,
  },
  {
    name: 'expected-version',
    description: 'Word that the output of `version-command` has to contain, with or without a leading v.',
    default: undefined,
    kind: 'text',
    procedures: RESTARTS,
  },
  {
    name: 'watch',
    description: 'How long the new release is watched for warning signs after it took traffic; `0s` does not watch.',
    default: '5m',
    kind: 'duration',
    first: true,
    procedures: RESTARTS,
  },
  {
    name: 'readiness',
    description:
      'What says that a container is ready, beside its health check or where it has none: `http://:3000/health`, `tcp://:3000`, or a command that runs in the container.',
    default: undefined,
    defaultText: 'the compose file’s `x-rolling-restart`',
    kind: 'text',
    procedures: RESTARTS,
  },
  {
    name: 'readiness-timeout',
    description:
      "How long a new container may take until it is ready; without it computed from the service's health check.",
    default: undefined,
    defaultText: 'from the health check',
    kind: 'duration',
    procedures: RESTARTS,
  },
  {
    name: 'command-timeout',
    description:
      'How long each of your commands may take, and each build, pull and start of containers by Compose (the last 5 min at most).',
    default: '15m',
    kind: 'duration',
    procedures: 'all',
  },
  {
    name: 'probe-url',
    description:
      'URL that requests are sent to for as long as the run changes something, to prove that none fails; `docs/traffic.md`.',
    default: undefined,
    kind: 'text',
    procedures: RESTARTS,
  },
  {
    name: 'probe-rate',
    description: 'Requests a second to `probe-url`, from 1 to 1000.',
    default: '20',
    kind: 'count',
    procedures: RESTARTS,
  },
  {
    name: 'probe-timeout',
    description: 'How long each request to `probe-url` may take; then it counts as failed.',
    default: '5s',
    kind: 'duration',
    procedures: RESTARTS,
  },
  {
    name: 'probe-keep-alive',
    description: 'Use connections to `probe-url` again instead of a new one for each request.',
    default: 'false',
    kind: 'flag',
    procedures: RESTARTS,
  },
  {
    name: 'probe-version',
    description:
      'Where an answer of `probe-url` says its version: `header:NAME`, or `json:FIELD` for a field of a JSON body.',
    default: undefined,
    kind: 'text',
    procedures: RESTARTS,
  },
  {
    name: 'max-failed-requests',
    description:
      'How many requests to `probe-url` may fail before the release counts as failed; where containers are replaced or restarted in place, nothing is judged unless this is given.',
    default: undefined,
    defaultText: '0, where the service goes on serving',
    kind: 'count',
    procedures: RESTARTS,
  },
  {
    name: 'auto-rollback',
    description: 'Bring the previous release back when the new one fails; with `start`: stop again what fails.',
    default: 'true',
    kind: 'flag',
    procedures: [...CHANGES, 'full-restart', 'start'],
  },
  {
    name: 'rollback-to',
    description: 'Release to go back to: `previous`, `release:ID`, `git:REF` or `image:REF`.',
    default: 'previous',
    kind: 'text',
    first: true,
    procedures: ['rollback'],
  },
  {
    name: 'with-data',
    description:
      'Bring the data back as well: the newest backup that was taken while the release that comes back ran; what there is now is backed up first.',
    default: 'false',
    kind: 'flag',
    procedures: ['rollback'],
  },
  {
    name: 'backup',
    description:
      'For `restore`: `latest`, or the id of the backup to restore. For every other procedure: `before` takes a backup of each service before it is changed, `off` does not.',
    default: undefined,
    defaultText: '`off`; `restore` needs one',
    kind: 'text',
    procedures: ['restore', ...DISTURBS],
  },
  {
    name: 'backup-dir',
    description: 'Directory on the host for backups; best on another disk than the volumes.',
    default: undefined,
    defaultText: '`backups` in `state-dir`',
    kind: 'path',
    procedures: ['check', ...SAVES],
  },
  {
    name: 'backup-paths',
    description:
      'Folders that are mounted from the host and belong to the data, by their paths in the container; volumes belong to it without being named.',
    default: undefined,
    defaultText: 'the compose file’s `x-rolling-restart`',
    kind: 'list',
    procedures: SAVES,
  },
  {
    name: 'backup-consistency',
    description:
      'What keeps the data from changing while it is read: `pause` freezes the containers, `stop` stops them, `quiesce` runs `quiesce-command`.',
    default: undefined,
    defaultText: 'the compose file’s `x-rolling-restart`, else `pause`',
    kind: 'choice',
    choices: CONSISTENCIES,
    procedures: SAVES,
  },
  {
    name: 'quiesce-command',
    description:
      'Shell command on the host that makes the service write its data down and leave it as it is, with `backup-consistency: quiesce`.',
    default: undefined,
    defaultText: 'the compose file’s `x-rolling-restart`',
    kind: 'command',
    procedures: SAVES,
  },
  {
    name: 'resume-command',
    description: 'Shell command on the host that lets the service go on after `quiesce-command`.',
    default: undefined,
    defaultText: 'the compose file’s `x-rolling-restart`',
    kind: 'command',
    procedures: SAVES,
  },
  {
    name: 'backup-keep',
    description: 'How many backups of a service are kept; the newest always is.',
    default: '7',
    kind: 'count',
    procedures: SAVES,
  },
  {
    name: 'backup-max-age',
    description: 'Backups older than this are deleted, but for the newest; without it none is too old.',
    default: undefined,
    defaultText: 'none is too old',
    kind: 'duration',
    procedures: SAVES,
  },
  {
    name: 'on-warning',
    description:
      'What medium and low warning signs lead to: `warn`, `fail` or `rollback`; or one of them for each, as in `high: rollback, medium: fail, low: warn`.',
    default: 'warn',
    kind: 'text',
    procedures: RESTARTS,
  },
  {
    name: 'max-memory',
    description: 'Memory use above this is a warning sign.',
    default: '1.5GB',
    kind: 'size',
    procedures: RESTARTS,
  },
  {
    name: 'memory-after',
    description: 'How long after the beginning of the watch memory use is judged; a shorter watch judges at its end.',
    default: '5m',
    kind: 'duration',
    procedures: RESTARTS,
  },
  {
    name: 'max-startup-time',
    description: 'A start that takes longer than this is a warning sign, but for the first one of a service.',
    default: '60s',
    kind: 'duration',
    procedures: RESTARTS,
  },
  {
    name: 'error-patterns',
    description: 'Regular expressions, one a line and without regard to case, that make a log line an error line.',
    default: DEFAULT_ERROR_PATTERNS.join('\n'),
    kind: 'lines',
    procedures: 'all',
  },
  {
    name: 'error-ignore',
    description: 'Regular expressions, one a line: a log line that matches one of them is no error line.',
    default: undefined,
    kind: 'lines',
    procedures: 'all',
  },
  {
    name: 'max-error-lines',
    description: 'More error lines than this in one minute of the watch are a high warning sign.',
    default: undefined,
    kind: 'count',
    procedures: RESTARTS,
  },
  {
    name: 'max-response-time',
    description:
      'Half of the requests to `probe-url` have to be answered within this time; otherwise it is a warning sign.',
    default: '100ms',
    kind: 'duration',
    procedures: RESTARTS,
  },
  {
    name: 'keep-releases',
    description: 'How many releases of a service, with their images, are kept to go back to.',
    default: String(RUNBOOK.keptReleases),
    kind: 'count',
    procedures: [...CHANGES, 'full-restart'],
  },
  {
    name: 'min-free-disk',
    description:
      'Free space that the disk of the engine and of the checkout must have before anything begins, and that of the backups afterwards.',
    default: '1GB',
    kind: 'size',
    procedures: [...CHANGES, 'full-restart', 'backup', 'restore'],
  },
  {
    name: 'dry-run',
    description: 'Show the plan and change nothing.',
    default: 'false',
    kind: 'flag',
    first: true,
    procedures: 'all',
  },
  {
    name: 'state-dir',
    description: 'Directory on the host for evidence and reports; a cache, the truth lives on the engine.',
    default: undefined,
    defaultText: '`${XDG_STATE_HOME:-~/.local/state}/rolling-restart`',
    kind: 'path',
    procedures: 'all',
  },
  {
    name: 'evidence-dir',
    description: 'Directory for captured logs, stats and inspect output, secrets hidden.',
    default: undefined,
    defaultText: '`evidence` in `state-dir`',
    kind: 'path',
    procedures: 'all',
  },
  {
    name: 'period',
    description: 'How far back `slo-report` looks.',
    default: '30d',
    kind: 'duration',
    procedures: ['slo-report'],
  },
  {
    name: 'metrics-file',
    description:
      "File ending in `.prom` in the textfile directory of a node exporter: `slo-report` writes the last runs' figures there.",
    default: undefined,
    kind: 'path',
    procedures: ['slo-report'],
  },
  {
    name: 'lock-timeout',
    description: "How long to wait for another procedure's lock on the same compose project; `0s` does not wait.",
    default: '10m',
    kind: 'duration',
    procedures: 'all',
  },
  {
    name: 'force',
    description:
      'Pass every gate that refuses (a release that was rolled back before among them); who did is recorded. With `stop`: kill, without the grace time.',
    default: 'false',
    kind: 'flag',
    procedures: [...CHANGES, 'full-restart', 'health-restart', 'stop', 'restore'],
  },
  {
    name: 'gates',
    description:
      'What gates do, as in `peak-hours=warn, disk-space=off`: `enforce`, `warn` or `off` for `health`, `active-jobs`, `peak-hours`, `registry`, `downgrade`, `staging`, `rollback-release`, `backup-age`, `disk-space` and `ports`.',
    default: undefined,
    defaultText: 'each its own way',
    kind: 'list',
    procedures: [...CHANGES, 'full-restart', 'health-restart', 'emergency'],
  },
  {
    name: 'remedies',
    description:
      'What may be done that changes more than the service: `free-port` ends a process, or stops a container, that has a port which the service publishes; `restart-docker` restarts an engine that does not answer.',
    default: undefined,
    defaultText: 'none',
    kind: 'list',
    procedures: [...CHANGES, 'full-restart', 'health-restart', 'emergency', 'start'],
  },
  {
    name: 'restart-docker-command',
    description:
      'Shell command with which `remedies: restart-docker` restarts the engine; without it `systemctl restart docker` or `service docker restart`, where the engine is that of this host.',
    default: undefined,
    defaultText: 'what the host has',
    kind: 'command',
    procedures: [...CHANGES, 'full-restart', 'health-restart', 'emergency', 'start'],
  },
  {
    name: 'peak-hours',
    description:
      'Times in which nothing is restarted, one a line, as in `Mon-Fri 09:00-18:00 Europe/Berlin`; UTC without a zone.',
    default: undefined,
    kind: 'lines',
    procedures: [...CHANGES, 'full-restart', 'health-restart', 'emergency'],
  },
  {
    name: 'active-jobs-command',
    description:
      'Shell command that prints the jobs that are active, one a line, or their number; nothing or 0 when there are none.',
    default: undefined,
    kind: 'command',
    procedures: [...CHANGES, 'full-restart', 'health-restart', 'emergency'],
  },
  {
    name: 'active-jobs-timeout',
    description: 'How long active jobs may take to end before the run is refused.',
    default: '10m',
    kind: 'duration',
    procedures: [...CHANGES, 'full-restart', 'health-restart'],
  },
  {
    name: 'environment',
    description:
      'GitHub environment that is changed: the change is recorded as a deployment in it, with who approved it; `github-token` needs `deployments: write` and `actions: read`.',
    default: undefined,
    kind: 'text',
    procedures: CHANGES,
  },
  {
    name: 'environment-url',
    description: 'Address that the deployment in `environment` links to: where the service is to be seen.',
    default: undefined,
    kind: 'text',
    procedures: CHANGES,
  },
  {
    name: 'require-environment',
    description:
      'GitHub environment, such as staging, in which the same commit has to have been deployed with success; `github-token` needs `deployments: read`.',
    default: undefined,
    kind: 'text',
    procedures: ['code-update', 'maintenance'],
  },
  {
    name: 'require-backup',
    description:
      'How old the last backup of a service may be before it is changed, such as `24h`; without it none is asked for.',
    default: undefined,
    kind: 'duration',
    procedures: [...CHANGES, 'full-restart', 'health-restart', 'emergency'],
  },
  {
    name: 'reason',
    description: 'Why, in one line: kept with a stop, with each gate that `force` passes, and in the incident log.',
    default: undefined,
    kind: 'text',
    procedures: 'all',
  },
  {
    name: 'slack-webhook-url',
    description: 'Incoming webhook of Slack that is told of the run; `docs/notifications.md`.',
    default: undefined,
    kind: 'secret',
    procedures: TOLD,
  },
  {
    name: 'webhook-url',
    description: 'URL that gets what happens in the run as JSON; `docs/notifications.md` has the form.',
    default: undefined,
    kind: 'secret',
    procedures: TOLD,
  },
  {
    name: 'webhook-secret',
    description: 'Key with which what `webhook-url` gets is signed, as `x-rolling-restart-signature-256` says.',
    default: undefined,
    kind: 'secret',
    procedures: TOLD,
  },
  {
    name: 'smtp-url',
    description:
      'Mail server that mail is sent by, as in `smtps://user:password@mail.example.com` or `smtp://mail.example.com:587`; `docs/notifications.md`.',
    default: undefined,
    kind: 'secret',
    procedures: TOLD,
  },
  {
    name: 'email-to',
    description: 'Addresses that mail about the run goes to.',
    default: undefined,
    kind: 'list',
    procedures: TOLD,
  },
  {
    name: 'email-from',
    description: 'Address that mail about the run comes from.',
    default: undefined,
    kind: 'text',
    procedures: TOLD,
  },
  {
    name: 'status-page-url',
    description:
      'Where a status page is told of maintenance and of its end, as in `https://…` or `PUT https://…`; `docs/maintenance.md`.',
    default: undefined,
    kind: 'text',
    procedures: ['maintenance'],
  },
  {
    name: 'status-page-maintenance',
    description: 'JSON that `status-page-url` is sent before the work begins.',
    default: '{"status": "maintenance"}',
    kind: 'text',
    procedures: ['maintenance'],
  },
  {
    name: 'status-page-operational-url',
    description: 'Where a status page is told that all works again, where that is another address or method.',
    default: undefined,
    defaultText: '`status-page-url`',
    kind: 'text',
    procedures: ['maintenance'],
  },
  {
    name: 'status-page-operational',
    description: 'JSON that the status page is sent when all is verified.',
    default: '{"status": "operational"}',
    kind: 'text',
    procedures: ['maintenance'],
  },
  {
    name: 'status-page-announce-url',
    description: 'Where a status page is told of a window that is planned.',
    default: undefined,
    kind: 'text',
    procedures: ['maintenance'],
  },
  {
    name: 'status-page-announce',
    description: 'JSON that `status-page-announce-url` is sent; words in braces stand for what is planned.',
    default: '{"scheduled": "{scheduled}", "duration": "{duration}", "impact": "{impact}", "reason": "{reason}"}',
    kind: 'text',
    procedures: ['maintenance'],
  },
  {
    name: 'status-page-complete-url',
    description: 'Where a status page is told how long a window really was, with issues and notes.',
    default: undefined,
    kind: 'text',
    procedures: ['maintenance'],
  },
  {
    name: 'status-page-complete',
    description: 'JSON that `status-page-complete-url` is sent; words in braces stand for what was done.',
    default: '{"actual_duration": "{actual_duration}", "issues": "{issues}", "notes": "{notes}"}',
    kind: 'text',
    procedures: ['maintenance'],
  },
  {
    name: 'status-page-headers',
    description:
      'Headers of these calls, one a line, as in `Authorization: Bearer …`; for one call alone with `announce`, `maintenance`, `operational` or `complete` before it.',
    default: undefined,
    kind: 'secret',
    procedures: ['maintenance'],
  },
  {
    name: 'phase',
    description:
      'Part of a maintenance to carry out: `announce`, `precheck`, `perform`, `verify`, `complete`, or `all` of them; `docs/maintenance.md`.',
    default: undefined,
    defaultText: '`perform` and `verify`',
    kind: 'choice',
    choices: PHASE_CHOICES,
    procedures: ['maintenance'],
  },
  {
    name: 'maintenance-start',
    description: 'When the work is planned to begin, as in `2026-12-01T02:00:00Z`, with `phase: announce`.',
    default: undefined,
    defaultText: 'in 24 hours',
    kind: 'text',
    procedures: ['maintenance'],
  },
  {
    name: 'maintenance-duration',
    description: 'How long the work is planned to take.',
    default: '15m',
    kind: 'duration',
    procedures: ['maintenance'],
  },
  {
    name: 'impact',
    description: 'What users will notice, for the announcement.',
    default: 'minimal',
    kind: 'text',
    procedures: ['maintenance'],
  },
  {
    name: 'load-test',
    description: 'Shell command on the host that puts load on what was maintained, once it is verified.',
    default: undefined,
    kind: 'command',
    procedures: ['maintenance'],
  },
  {
    name: 'notify-on',
    description: 'Moments of a run that people are told of: `start`, `success`, `failure`, `rollback`.',
    default: MOMENTS.join(', '),
    kind: 'list',
    procedures: TOLD,
  },
  {
    name: 'github-token',
    description:
      'Token for GitHub: git fetches a private repository with it (`contents: read`), deployments are recorded (`deployments: write`) with who approved them (`actions: read`) and which pull request brought the commit (`pull-requests: read`), an emergency or `slo-report` opens an issue (`issues: write`), and `plan` comments on the pull request (`pull-requests: write`).',
    default: undefined,
    kind: 'secret',
    procedures: ['check', ...CHANGES, 'emergency', 'plan', 'slo-report'],
  },
  {
    name: 'fetch-token',
    description: 'Token that git fetches with where `github-token` may not read the repository of the live checkout.',
    default: undefined,
    kind: 'secret',
    procedures: ['check', 'code-update', 'rollback', 'maintenance', 'plan'],
  },
  {
    name: 'revert-token',
    description:
      'Token (`contents: write`, `pull-requests: write`) that opens a pull request which takes the change out of the branch when it was rolled back; without it none is opened.',
    default: undefined,
    kind: 'secret',
    procedures: ['code-update', 'rollback'],
  },
] as const satisfies readonly InputSpec[];

export type InputName = (typeof TABLE)[number]['name'];

/** Every input, in the order the documents show them. */
export const INPUTS: readonly (InputSpec & { readonly name: InputName })[] = TABLE;

export interface OutputSpec {
  readonly name: string;
  readonly description: string;
}

const OUTPUT_TABLE = [
  {
    name: 'outcome',
    description:
      'How the run ended: `deployed`, `unchanged`, `completed`; red: `refused`, `failed`, `rolled-back`, `rollback-failed`, `cancelled`.',
  },
  {
    name: 'release',
    description: 'Id of the release that is live now; with several services `service=ID`, one a line.',
  },
  { name: 'previous-release', description: 'Id of the release that was live before, in the same form.' },
  { name: 'image-digest', description: 'Digest of the image that is live now, in the same form.' },
  {
    name: 'pushed-images',
    description:
      'Images that this run has built and pushed to `push-to`, by service, as a JSON object; empty when none.',
  },
  {
    name: 'recorded-images',
    description:
      'Images of the commit that are in `push-to`, by service and in the same form, whether this run has pushed them or an earlier one.',
  },
  { name: 'downtime-ms', description: 'Longest time in milliseconds that a service did not serve.' },
  { name: 'probe-requests', description: 'Requests that were sent to `probe-url` from the first change on.' },
  { name: 'probe-failed', description: 'How many of them failed.' },
  { name: 'probe-longest-gap-ms', description: 'Longest time in milliseconds without a good answer of `probe-url`.' },
  {
    name: 'probe-p99-ms',
    description: 'Milliseconds within which 99 of 100 good answers came, counted from when each request was due.',
  },
  { name: 'duration-ms', description: 'Time in milliseconds that the run took.' },
  { name: 'warnings', description: 'Warning signs that were seen, as a JSON list.' },
  { name: 'plan', description: 'The plan, as JSON.' },
  { name: 'report-path', description: 'Path of the JSON report on the host (`docs/report.schema.json`).' },
  { name: 'evidence-path', description: 'Directory of the evidence on the host.' },
] as const satisfies readonly OutputSpec[];

export type OutputName = (typeof OUTPUT_TABLE)[number]['name'];

/** Every output, in the order the documents show them. */
export const OUTPUTS: readonly (OutputSpec & { readonly name: OutputName })[] = OUTPUT_TABLE;

/** @returns the entry of an input */
export function inputSpec(name: InputName): InputSpec {
  const spec = INPUTS.find((entry) => entry.name === name);
  if (spec === undefined) throw new Error(`no input ${name}`);
  return spec;
}
