import { ProcedureError } from '../model/errors.js';
import { omit } from '../model/omit.js';
import { traitsOf, type Operation, type OperationOf } from '../operations/operation.js';
import type { Helper } from '../model/own-names.js';
import type { Release, ReleaseWithDefinition } from '../model/release.js';
import { reasonOf } from '../run/abort-reason.js';
import type { Candidate } from './candidate.js';
import { linesOf } from './log-lines.js';
import { releaseOf } from './replace.js';
import type { Session, Viewing } from './session.js';

/** Procedures that bring new code, and so may have to prepare for it. */
const BRING_CODE: ReadonlySet<string> = new Set(['code-update', 'maintenance']);
const ENDED_POLL_MS = 100;
const SHOWN_LINES = 20;

type Values = Readonly<Record<string, unknown>>;

/** @returns the command that a release needs run once before it; undefined where none does, or nothing new comes */
export function releaseCommandOf(viewing: Viewing, candidate: Candidate): string | undefined {
  const { decision, recorded, release, current, policy, lifetime } = candidate;
  if (!BRING_CODE.has(viewing.request.procedure) || recorded || lifetime === 'ends' || decision.kind === 'unchanged')
    return undefined;
  const same =
    current.release?.image.fingerprint === release.image.fingerprint &&
    current.release.configHash === release.configHash;
  if (same) return undefined; // only recreated: it ran when this release came
  return viewing.request.releaseCommand ?? policy.releaseCommand;
}

/** The candidate with its release command: it stands in the ledger with the release, and in the plan. */
export function withReleaseCommand(viewing: Viewing, candidate: Candidate): Candidate {
  const releaseCommand = releaseCommandOf(viewing, candidate);
  return releaseCommand === undefined ? candidate : { ...candidate, release: { ...candidate.release, releaseCommand } };
}

/** Puts the command where nothing has been switched yet: after evidence and backup. */
export function withCommand(
  operations: readonly Operation[],
  { service, release, recorded }: Pick<Candidate, 'service' | 'release' | 'recorded'>,
): readonly Operation[] {
  if (release.releaseCommand === undefined || recorded) return operations;
  const command: Operation = {
    kind: 'run-release-command',
    service,
    release: release.id,
    command: release.releaseCommand,
  };
  const at = operations.findIndex((one) => !traitsOf(one).beforeReleaseCommand);
  return [...operations.slice(0, at), command, ...operations.slice(at)];
}

/** @returns what a person who leaves a release has to know of what it did once */
export function ranWith(
  release: Pick<Release, 'id' | 'releaseCommand'> | undefined,
  data: 'stays' | 'restored' = 'stays',
): readonly string[] {
  if (release?.releaseCommand === undefined) return [];
  const ran = `release-command ran with release ${release.id} (${release.releaseCommand.split('\n')[0] ?? ''})`;
  return [
    data === 'stays'
      ? `${ran}: what it changed, such as a database schema, stays as it is.`
      : `${ran}: what it changed in the data of this service goes with that data; what it changed elsewhere, such as in the database of another service, stays as it is.`,
  ];
}

/**
 * Runs the command once in a container of the release: its image, environment, networks and volumes, and none of its names
 * or ports, so that nobody sends requests to it. It belongs to a project of its own: plain Compose never sees it.
 * @throws ProcedureError E_COMMAND with the last lines
 */
export async function runReleaseCommand(
  session: Session,
  operation: OperationOf<'run-release-command'>,
  signal: AbortSignal,
): Promise<void> {
  const { engine, compose, opened, project, request } = session;
  const { service, command } = operation;
  const release = await releaseOf(session, operation.release);
  const { document, name } = commandDocument(release, command);
  const helper = { work: 'release-command', service, lifeMs: 2 * request.commandTimeoutMs } as const;
  const own = { document, service: name, directory: opened.place.directory, helper, signal };
  if ((await engine.containers(project, service)).length === 0)
    await makeSurroundings(session, document, { name, ...helper }, signal);
  const id = await compose.makeTemplate({ ...own, image: release.image.keptAs, published: false });
  const last: string[] = [];
  try {
    await engine.startContainer(id);
    const log = await engine.logs(id, { follow: true, signal });
    const reading = (async () => {
      for await (const line of linesOf(log)) {
        session.progress.info(`  │ ${line}`);
        last.push(line);
        if (last.length > SHOWN_LINES) last.shift();
      }
    })().catch((error: unknown) => session.progress.debug(`log of release-command: ${String(error)}`));
    const exitCode = await ended(session, id, signal);
    await reading;
    if (exitCode === 0) return;
    throw new ProcedureError('E_COMMAND', `release-command of ${service} ended with exit code ${exitCode}`, {
      next: 'Correct what it says and start again; no container was changed. What it did outside before it failed is yours to look at.',
      excerpt: last.length === 0 ? [] : [{ title: 'last output', lines: last }],
    });
  } finally {
    await engine.removeContainer(id);
  }
}

async function ended(session: Session, id: string, signal: AbortSignal): Promise<number> {
  const deadline = session.clock.monotonic() + session.request.commandTimeoutMs;
  while (session.clock.monotonic() < deadline) {
    if (signal.aborted) throw reasonOf(signal);
    const container = await session.engine.container(id);
    if (container === undefined || container.state === 'exited' || container.state === 'dead') {
      return container?.exitCode ?? -1;
    }
    await session.clock.sleep(ENDED_POLL_MS, signal);
  }
  throw new ProcedureError('E_DEADLINE', 'release-command took longer than command-timeout', {
    next: 'It was ended. Give it more time with command-timeout; no container was changed.',
  });
}

/** On a first deploy there is no network and no volume yet: Compose makes them, and a container that goes at once. */
async function makeSurroundings(
  session: Session,
  document: Values,
  { name, ...helper }: Omit<Helper, 'project'> & { readonly name: string },
  signal: AbortSignal,
): Promise<void> {
  const { compose, engine, project, request } = session;
  const timeoutMs = request.commandTimeoutMs;
  await compose.create({ document, services: [name], helper: { ...helper, project }, signal, timeoutMs });
  for (const { id } of await engine.containers(project, name)) await engine.removeContainer(id);
}

/** The release's document with one service in it: the command in the place of what the service runs. */
function commandDocument(release: ReleaseWithDefinition, command: string): { document: Values; name: string } {
  const services = release.definition['services'] as Readonly<Record<string, Values>>;
  // It is a name on the networks of the user, where one of the user's services may be called the shorter one.
  const name = `rolling-restart-${release.service}-release-command`;
  const own = omit(
    services[release.service] ?? {},
    ...(['build', 'container_name', 'ports', 'depends_on', 'links', 'deploy', 'scale', 'profiles', 'develop'] as const),
  );
  const service: Values = {
    ...own,
    image: release.image.keptAs,
    // The form of a list: a text would be split into words by Compose. `$` is Compose's own otherwise.
    entrypoint: ['sh', '-c', command.replaceAll('$', '$$$$')],
    command: [],
    restart: 'no',
    healthcheck: { disable: true },
    networks: withoutAddresses(own['networks']),
  };
  return { name, document: { ...release.definition, services: { [name]: service } } };
}

/** The service's names and fixed addresses on its networks are those of the container that serves. */
function withoutAddresses(networks: unknown): unknown {
  if (typeof networks !== 'object' || networks === null) return networks;
  return Object.fromEntries(Object.keys(networks).map((name) => [name, null]));
}
