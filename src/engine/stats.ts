import { setTimeout as sleep } from 'node:timers/promises';
import type { ResourceUse } from '../model/ports/engine.js';
import type { ObservedContainer } from '../model/service.js';
import type { EngineClient } from './client.js';
import { short } from './containers.js';
import { unlessStatus } from './failures.js';
import { jsonLines } from './json-lines.js';

/** What is read of a reading (Engine API, ContainerStats). A stopped container's has no memory in it. */
interface StatsAnswer {
  readonly read?: string;
  readonly cpu_stats?: { readonly cpu_usage?: { readonly total_usage?: number } };
  readonly memory_stats?: {
    readonly usage?: number;
    readonly limit?: number;
    readonly stats?: Readonly<Record<string, number>>;
  };
  readonly pids_stats?: { readonly current?: number };
}

/** Between the two readings that a share of processor time takes. The engine's own pair is one to two seconds apart. */
const CPU_SAMPLE_MS = 25;

/**
 * One reading, in some 30 ms: `one-shot` spares the engine's own second reading, and two of them give the processor time
 * of a short moment. Undefined when the container is gone or not running.
 */
export async function readStats(client: EngineClient, id: string): Promise<ResourceUse | undefined> {
  const first = await readOnce(client, id);
  if (first?.memory_stats?.usage === undefined) return undefined;
  await sleep(CPU_SAMPLE_MS);
  const second = await readOnce(client, id);
  return (second && resourceUse(second, first)) ?? resourceUse(first, undefined);
}

/** The first of these readings alone. */
export async function readMemory(client: EngineClient, id: string): Promise<ResourceUse | undefined> {
  const reading = await readOnce(client, id);
  return reading && resourceUse(reading, undefined);
}

/**
 * A reading a second. The first one has no share of processor time (0): there is nothing before it to compare with. A
 * container that Docker restarts is read on; the readings end when it has ended for good, is gone, or on abort.
 * @param look what the container is now
 */
export async function* streamStats(
  client: EngineClient,
  id: string,
  look: (id: string) => Promise<ObservedContainer | undefined>,
  signal: AbortSignal,
): AsyncGenerator<ResourceUse, void, undefined> {
  const what = `stream the resource use of container ${short(id)}`;
  const request = { method: 'GET', path: `/containers/${id}/stats`, query: { stream: '1' } } as const;
  try {
    const response = await unlessStatus([404], undefined, client.open(what, request, { signal }));
    if (response === undefined) return;
    let before: StatsAnswer | undefined;
    for await (const reading of jsonLines(response)) {
      const answer = reading as StatsAnswer;
      const use = resourceUse(answer, before);
      before = use === undefined ? undefined : answer;
      if (use !== undefined) yield use;
      // The engine goes on sending empty readings for a container that has stopped.
      else if (hasEnded(await look(id))) return;
    }
  } catch (error) {
    if (!signal.aborted) throw client.broken(what, error);
  }
}

async function readOnce(client: EngineClient, id: string): Promise<StatsAnswer | undefined> {
  const query = { stream: '0', 'one-shot': '1' };
  const reading = client.getJson(`read the resource use of container ${short(id)}`, `/containers/${id}/stats`, query);
  return (await unlessStatus([404, 409], undefined, reading)) as StatsAnswer | undefined;
}

function hasEnded(container: ObservedContainer | undefined): boolean {
  return container === undefined || container.state === 'exited' || container.state === 'dead';
}

/** @returns undefined for a reading of a container that does not run */
function resourceUse(answer: StatsAnswer, before: StatsAnswer | undefined): ResourceUse | undefined {
  const memory = answer.memory_stats;
  if (memory?.usage === undefined) return undefined;
  return {
    memoryBytes: memoryInUse(memory.usage, memory.stats ?? {}),
    memoryLimitBytes: memory.limit ?? 0,
    cpuPercent: before === undefined ? 0 : cpuPercent(before, answer),
    processes: answer.pids_stats?.current ?? 0,
    at: answer.read ?? new Date().toISOString(),
  };
}

/** As `docker stats` counts it (docker/cli, cli/command/container/stats_helpers.go): cgroup v1, then v2. */
function memoryInUse(usage: number, stats: Readonly<Record<string, number>>): number {
  const inactive = stats['total_inactive_file'] ?? stats['inactive_file'] ?? 0;
  return inactive < usage ? usage - inactive : usage;
}

const NS_PER_MS = 1_000_000;

function cpuPercent(before: StatsAnswer, after: StatsAnswer): number {
  const usedMs = (totalUsage(after) - totalUsage(before)) / NS_PER_MS;
  const elapsedMs = millisecondsOf(after.read) - millisecondsOf(before.read);
  return elapsedMs > 0 && usedMs > 0 ? Math.round((usedMs / elapsedMs) * 1_000) / 10 : 0;
}

function totalUsage(answer: StatsAnswer): number {
  return answer.cpu_stats?.cpu_usage?.total_usage ?? 0;
}

/** RFC 3339 with nanoseconds: `Date` alone would drop what is below a millisecond, which is a lot of 25 of them. */
function millisecondsOf(read: string | undefined): number {
  if (read === undefined) return 0;
  const fraction = /\.\d{3}(\d+)/.exec(read)?.[1] ?? '';
  return Date.parse(read) + Number(`0.${fraction || '0'}`);
}
