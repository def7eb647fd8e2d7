import { writtenFiles } from '../model/written-files.js';
import { setTimeout as sleep } from 'node:timers/promises';
import { PROJECT_LABEL, SERVICE_LABEL } from '../model/own-names.js';
import type { Engine } from '../model/ports/engine.js';
import { replicasAmong } from '../model/replicas.js';
import type { ObservedContainer } from '../model/service.js';
import type { EngineClient } from './client.js';
import { deadlineFailure, unlessStatus } from './failures.js';
import { observe, ONE_OFF, PROJECT, SERVICE, type ContainerAnswer } from './observed.js';

type Containers = Pick<
  Engine,
  | 'containers'
  | 'leftovers'
  | 'container'
  | 'inspectContainer'
  | 'stopContainer'
  | 'killContainer'
  | 'startContainer'
  | 'restartContainer'
  | 'removeContainer'
  | 'setRestartPolicy'
  | 'publishers'
  | 'top'
  | 'writtenFiles'
>;

const START_MS = 60_000;
const KILL_MS = 30_000;
const REMOVE_MS = 60_000;
/** What stopping may take beyond the container's own grace time. */
const STOP_MARGIN_MS = 30_000;
/** The engine's grace time where the container has none of its own, and what stands for "wait for ever" (-1). */
const DEFAULT_GRACE_S = 10;
const ENDLESS_GRACE_S = 600;
const GONE_POLL_MS = 100;
/** STAT tells a process that was stopped, or waits for a disk, from one that works. */
const PS = '-eo pid,stat,ppid,user,etime,time,args';
/** 409: it is not running, so it has none. 404: it is gone. */
const NO_PROCESSES = [404, 409];

/** Engine API, ContainerTop. */
interface TopAnswer {
  readonly Titles: readonly string[];
  readonly Processes: readonly (readonly string[])[];
}

/** Looking at containers and starting, stopping and removing them. */
export function createContainers(client: EngineClient): Containers {
  const inspect = async (id: string): Promise<ContainerAnswer> =>
    (await client.getJson(`inspect container ${short(id)}`, `/containers/${id}/json`)) as ContainerAnswer;

  const container = async (id: string): Promise<ObservedContainer | undefined> => {
    const answer = await unlessStatus([404], undefined, inspect(id));
    return answer === undefined ? undefined : observe(answer);
  };

  /** @returns how long stopping may take, in milliseconds; undefined when the container is gone */
  const stopDeadline = async (id: string): Promise<number | undefined> => {
    const answer = await unlessStatus([404], undefined, inspect(id));
    if (answer === undefined) return undefined;
    const grace = answer.Config.StopTimeout ?? DEFAULT_GRACE_S;
    return (grace < 0 ? ENDLESS_GRACE_S : grace) * 1_000 + STOP_MARGIN_MS;
  };

  const listed = async (project: string, service: string | undefined): Promise<readonly ObservedContainer[]> => {
    const labels = [`${PROJECT}=${project}`, `${ONE_OFF}=False`];
    if (service !== undefined) labels.push(`${SERVICE}=${service}`);
    const found = await client.call(`list containers of ${project} ${service ?? ''}`.trim(), (docker, abortSignal) =>
      docker.listContainers({ all: true, filters: { label: labels }, abortSignal }),
    );
    const observed = await Promise.all(found.map(({ Id }) => container(Id)));
    return observed.filter((one) => one !== undefined).sort(byServiceAndNumber);
  };

  return {
    containers: async (project, service) => replicasAmong(await listed(project, service)).replicas,

    leftovers: async (project, service) => replicasAmong(await listed(project, service)).leftovers,

    container,

    inspectContainer: inspect,

    async stopContainer(id, signal) {
      const timeoutMs = await stopDeadline(id);
      if (timeoutMs === undefined) return;
      const stopping = client.call(
        `stop container ${short(id)}`,
        async (docker, abortSignal) => {
          await docker.getContainer(id).stop({ abortSignal });
        },
        { timeoutMs, signal },
      );
      await unlessStatus([304, 404], undefined, stopping);
    },

    async killContainer(id, unixSignal) {
      const killing = client.call(
        `send ${unixSignal} to container ${short(id)}`,
        async (docker, abortSignal) => {
          await docker.getContainer(id).kill({ signal: unixSignal, abortSignal });
        },
        { timeoutMs: KILL_MS },
      );
      // 409: it is not running.
      await unlessStatus([404, 409], undefined, killing);
    },

    async startContainer(id) {
      const starting = client.call(
        `start container ${short(id)}`,
        async (docker, abortSignal) => {
          await docker.getContainer(id).start({ abortSignal });
        },
        { timeoutMs: START_MS },
      );
      await unlessStatus([304], undefined, starting);
    },

    async restartContainer(id, signal) {
      const timeoutMs = (await stopDeadline(id)) ?? STOP_MARGIN_MS;
      await client.call(
        `restart container ${short(id)}`,
        async (docker, abortSignal) => {
          await docker.getContainer(id).restart({ abortSignal });
        },
        { timeoutMs: timeoutMs + START_MS, signal },
      );
    },

    removeContainer: (id, volumes) => removeContainer(client, id, volumes === 'with-anonymous-volumes'),

    async publishers(port) {
      const listed = await client.call(`list containers that publish port ${port}`, (docker, abortSignal) =>
        docker.listContainers({ filters: { publish: [`${port}/tcp`] }, abortSignal }),
      );
      return listed.map(({ Names, Id, Labels }) => ({
        id: Id,
        name: Names[0]?.replace(/^\//, '') ?? short(Id),
        // An edge is a compose project of its own, and works for another.
        project: Labels[PROJECT_LABEL] ?? Labels[PROJECT],
        service: Labels[SERVICE_LABEL] ?? Labels[SERVICE],
      }));
    },

    async setRestartPolicy(id, policy) {
      const setting = client.call(`set the restart policy of container ${short(id)} to ${policy}`, async (docker) => {
        await docker.getContainer(id).update({ RestartPolicy: { Name: policy } });
      });
      await unlessStatus([404], undefined, setting);
    },

    async top(id) {
      const list = (query: Readonly<Record<string, string>>): Promise<unknown> =>
        client.getJson(`list processes of container ${short(id)}`, `/containers/${id}/top`, query);
      // With what each process does: the engine runs the host's own `ps`, and a small one does not know these columns.
      const whole = await unlessStatus(
        [500],
        'not so' as const,
        unlessStatus(NO_PROCESSES, undefined, list({ ps_args: PS })),
      );
      const answer = whole === 'not so' ? await unlessStatus(NO_PROCESSES, undefined, list({})) : whole;
      if (answer === undefined) return [];
      const { Titles, Processes } = answer as TopAnswer;
      return asTable([Titles, ...Processes]);
    },

    async writtenFiles(id) {
      const [inspected, changed] = await Promise.all([
        client.call(`inspect container ${short(id)}`, (docker, abortSignal) =>
          docker.getContainer(id).inspect({ abortSignal }),
        ),
        client.getJson(`list changed files of container ${short(id)}`, `/containers/${id}/changes`),
      ]);
      // Null where nothing was changed (Engine API, ContainerChanges).
      const changes = (changed as readonly { readonly Path: string; readonly Kind: 0 | 1 | 2 }[] | null) ?? [];
      return writtenFiles(
        changes.map(({ Path, Kind }) => ({ path: Path, kind: Kind })),
        inspected.Mounts.map(({ Destination }) => Destination),
      );
    },
  };
}

/**
 * Removes a container, running or not. Its anonymous volumes stay: they may be the only copy of somebody's data.
 * Resolves when it is gone, also when somebody else is removing it.
 */
export async function removeContainer(client: EngineClient, id: string, volumes = false): Promise<void> {
  const what = `remove container ${short(id)}`;
  const endsAt = performance.now() + REMOVE_MS;
  const remove = (): Promise<void> =>
    client.call(
      what,
      async (docker, abortSignal) => {
        await docker.getContainer(id).remove({ force: true, v: volumes, abortSignal });
      },
      { timeoutMs: REMOVE_MS },
    );
  // 409: its removal is in progress already.
  while ((await unlessStatus([409], 'busy', unlessStatus([404], undefined, remove()))) === 'busy') {
    if (performance.now() > endsAt) throw deadlineFailure(what, REMOVE_MS);
    await sleep(GONE_POLL_MS);
  }
}

/** @returns the first twelve digits of an id, as the Docker CLI shows it; a name as it is */
export function short(id: string): string {
  return /^[0-9a-f]{64}$/.test(id) ? id.slice(0, 12) : id;
}

function byServiceAndNumber(one: ObservedContainer, other: ObservedContainer): number {
  if (one.service !== other.service) return one.service < other.service ? -1 : 1;
  return one.number - other.number || (one.createdAt < other.createdAt ? -1 : 1);
}

function asTable(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
