import { driftOf, type DefinitionFacts, type Drift } from '../model/drift.js';
import {
  isBad,
  keptReleases,
  liveRelease,
  stoppedOnPurpose,
  type Release,
  type ReleaseWithDefinition,
} from '../model/release.js';
import type { Serving } from '../model/serving.js';
import type { Current } from '../steps/candidate.js';
import { imageOf } from '../steps/kept-candidate.js';
import { observe } from '../steps/observe.js';
import { servingOf, workUnderWay } from '../steps/serving.js';
import type { Shell } from './shell-command.js';

/** One service as `status --json` prints it; null is what is not known. */
export interface ServiceStatus {
  readonly service: string;
  /** Accepted last, by the ledger. */
  readonly release: string | null;
  readonly since: string | null;
  readonly by: string | null;
  readonly commit: string | null;
  readonly version: string | null;
  readonly image: string | null;
  readonly stopped: { readonly since: string; readonly reason: string } | null;
  readonly containers: readonly {
    readonly id: string;
    readonly name: string;
    readonly state: string;
    readonly health: string;
    readonly restarts: number;
    readonly startedAt: string;
  }[];
  readonly serving: { readonly state: Serving['kind']; readonly why: readonly string[] };
  readonly goBackTo: readonly KeptRelease[];
  readonly drift: readonly Drift[];
}

export interface KeptRelease {
  readonly service: string;
  readonly release: string;
  /** When it was accepted last. */
  readonly liveAt: string;
  readonly commit: string | null;
  readonly version: string | null;
  readonly by: string;
  readonly image: 'there' | 'gone';
  readonly bad: boolean;
}

/**
 * Reads engine, ledger and files. Changes nothing.
 * @param filesHash Compose's hash of the service in the live files; undefined where they do not have it
 */
export async function lookAtService(
  shell: Shell,
  service: string,
  filesHash: string | undefined,
): Promise<ServiceStatus> {
  const current = await observe(shell.engine, shell, shell.project, service);
  const live = liveRelease(current.history);
  const liveAt = current.history.events.findLast(({ kind }) => kind === 'live')?.at;
  const stop = stoppedOnPurpose(current.history);
  const serving = await servingNow(shell, service, current);
  return {
    service,
    release: live?.id ?? null,
    since: liveAt ?? null,
    by: live?.by ?? null,
    commit: live?.commit ?? null,
    version: live?.version ?? null,
    image: live === undefined ? null : (live.image.digest ?? `${live.image.name} (${live.image.id.slice(0, 19)})`),
    stopped: stop === undefined ? null : { since: stop.at, reason: stop.reason },
    containers: current.containers.map(({ id, name, state, health, restartCount, startedAt }) => {
      return { id, name, state, health, restarts: restartCount, startedAt };
    }),
    serving: { state: serving.kind, why: whyNot(serving) },
    goBackTo: await goBackTo(shell, service, current, live),
    drift: await driftIn(shell, service, { current, live, filesHash, serving }),
  };
}

async function goBackTo(
  shell: Shell,
  service: string,
  { history }: Current,
  live: Release | undefined,
): Promise<readonly KeptRelease[]> {
  const others = keptReleases(history).filter(({ id }) => id !== live?.id);
  return Promise.all(
    others.map(async (release): Promise<KeptRelease> => {
      const { id, commit, version, by } = release;
      return {
        service,
        release: id,
        liveAt: history.events.findLast((event) => event.kind === 'live' && event.release === id)?.at ?? '',
        commit: commit ?? null,
        version: version ?? null,
        by,
        image: (await imageOf(shell, release)) === undefined ? 'gone' : 'there',
        bad: isBad(history, id),
      };
    }),
  );
}

async function servingNow(shell: Shell, service: string, current: Current): Promise<Serving> {
  const underWay = await workUnderWay(shell.locks);
  if (underWay !== undefined) return { kind: 'unknown', why: [underWay] };
  return servingOf(shell, service, current, { readyMs: 0, signal: shell.cancelled });
}

function whyNot(serving: Serving): readonly string[] {
  switch (serving.kind) {
    case 'serves':
      return [];
    case 'not-serving':
      return serving.faults.map(({ text }) => text);
    case 'unknown':
      return serving.why;
    case 'not-meant':
      return [serving.why];
  }
}

async function driftIn(
  shell: Shell,
  service: string,
  {
    current,
    live,
    filesHash,
    serving,
  }: {
    readonly current: Current;
    readonly live: Release | undefined;
    readonly filesHash: string | undefined;
    readonly serving: Serving;
  },
): Promise<readonly Drift[]> {
  const { engine, ledger } = shell;
  const kept = live === undefined ? undefined : await ledger.definition(live.id);
  return driftOf({
    service,
    live,
    definition: kept === undefined ? undefined : definitionFacts(kept),
    containers: current.containers,
    stopped: stoppedOnPurpose(current.history) !== undefined,
    serving,
    filesHash,
    named: live === undefined ? undefined : (await engine.image(live.image.name))?.fingerprint,
    known: current.history.releases,
  });
}

/** A definition that was rebuilt from a container says less than a file did. */
function definitionFacts({ definition, service, definitionFrom }: ReleaseWithDefinition): DefinitionFacts | undefined {
  if (definitionFrom !== 'rendered') return undefined;
  const services = definition['services'] as Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  const own = services[service] ?? {};
  const deploy = own['deploy'] as { readonly restart_policy?: unknown } | undefined;
  // `deploy.restart_policy` has words of its own: it is left alone.
  const restart = deploy?.restart_policy === undefined ? (own['restart'] ?? 'no') : undefined;
  return {
    restart: typeof restart === 'string' ? restart : undefined,
    containerName: typeof own['container_name'] === 'string' ? own['container_name'] : undefined,
    environment: (own['environment'] ?? {}) as Readonly<Record<string, string | null>>,
  };
}
