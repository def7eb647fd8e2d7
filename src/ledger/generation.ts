import { PROJECT_LABEL } from '../model/own-names.js';
import type { LockOwner } from '../model/ports/ledger.js';
import type { ProcessIdentity } from '../host/identity.js';
import { LOCK_LABEL, parseLockVolume } from './names.js';

/** One generation of a project's lock, as its volume's labels tell it. The highest one counts; it is never deleted. */
export interface Generation {
  readonly number: number;
  /** Tells the creator that the volume is its own, and a reused number from the first one. */
  readonly nonce: string;
  /** Undefined when the lock is free. */
  readonly owner: Owner | undefined;
  /** Runs whose owner is gone and that nobody has recovered yet, oldest first. */
  readonly abandoned: readonly string[];
}

export interface Owner extends LockOwner {
  readonly identity: ProcessIdentity;
}

/** Someone asks the holder of a generation to end soon. */
export interface YieldRequest {
  readonly generation: number;
  readonly reason: string;
}

/** What one look at the engine shows of a project's lock. */
export interface LockView {
  /** Highest first. */
  readonly generations: readonly Generation[];
  readonly yields: readonly YieldRequest[];
  readonly highest: Generation | undefined;
}

const LABEL = {
  nonce: 'rolling-restart.nonce',
  state: 'rolling-restart.state',
  run: 'rolling-restart.run',
  procedure: 'rolling-restart.procedure',
  actor: 'rolling-restart.actor',
  runUrl: 'rolling-restart.run-url',
  host: 'rolling-restart.host',
  pid: 'rolling-restart.pid',
  bootId: 'rolling-restart.boot-id',
  namespace: 'rolling-restart.namespace',
  startTime: 'rolling-restart.start-time',
  since: 'rolling-restart.since',
  abandoned: 'rolling-restart.abandoned',
  reason: 'rolling-restart.reason',
} as const;

type Labels = Readonly<Record<string, string>>;

/** @returns the labels of the volume that is to be this generation */
export function generationLabels(project: string, generation: Omit<Generation, 'number'>): Labels {
  const { owner, nonce, abandoned } = generation;
  return withoutUndefined({
    [PROJECT_LABEL]: project,
    [LOCK_LABEL]: project,
    [LABEL.nonce]: nonce,
    [LABEL.state]: owner === undefined ? 'free' : 'held',
    [LABEL.abandoned]: abandoned.length === 0 ? undefined : abandoned.join(','),
    [LABEL.run]: owner?.run,
    [LABEL.procedure]: owner?.procedure,
    [LABEL.actor]: owner?.actor,
    [LABEL.runUrl]: owner?.runUrl,
    [LABEL.host]: owner?.host,
    [LABEL.pid]: owner === undefined ? undefined : String(owner.pid),
    [LABEL.bootId]: owner?.identity.bootId,
    [LABEL.namespace]: owner?.identity.namespace,
    [LABEL.startTime]: owner?.identity.startTime,
    [LABEL.since]: owner?.since,
  });
}

/** @returns the labels of the volume by which someone asks the holder to end soon */
export function yieldLabels(project: string, reason: string): Labels {
  return { [PROJECT_LABEL]: project, [LOCK_LABEL]: project, [LABEL.reason]: reason };
}

/** @returns the nonce in a volume's labels; undefined when the volume is not part of a lock of ours */
export function nonceOf(labels: Labels): string | undefined {
  return labels[LOCK_LABEL] === undefined ? undefined : labels[LABEL.nonce];
}

/**
 * Reads what a listing of the project's lock volumes shows. A generation whose labels miss something (made by hand, or
 * by a newer version) counts as held by someone who cannot be seen, unless it says that it is free: never as free.
 */
export function viewOf(project: string, volumes: readonly { name: string; labels: Labels }[]): LockView {
  const generations: Generation[] = [];
  const yields: YieldRequest[] = [];
  for (const { name, labels } of volumes) {
    const volume = parseLockVolume(project, name);
    if (volume === undefined || labels[LOCK_LABEL] !== project) continue;
    if (volume.kind === 'yield') yields.push({ generation: volume.number, reason: labels[LABEL.reason] ?? 'not said' });
    else generations.push(readGeneration(volume.number, labels));
  }
  generations.sort((a, b) => b.number - a.number);
  return { generations, yields, highest: generations[0] };
}

function readGeneration(number: number, labels: Labels): Generation {
  return {
    number,
    nonce: labels[LABEL.nonce] ?? '',
    owner: labels[LABEL.state] === 'free' ? undefined : readOwner(labels),
    abandoned: (labels[LABEL.abandoned] ?? '').split(',').filter((run) => run !== ''),
  };
}

function readOwner(labels: Labels): Owner {
  const pid = Number(labels[LABEL.pid] ?? 0);
  return {
    run: labels[LABEL.run] ?? '',
    procedure: labels[LABEL.procedure] ?? 'unknown procedure',
    actor: labels[LABEL.actor] ?? 'unknown',
    runUrl: labels[LABEL.runUrl],
    host: labels[LABEL.host] ?? 'unknown',
    pid,
    since: labels[LABEL.since] ?? 'unknown',
    identity: {
      pid,
      bootId: labels[LABEL.bootId],
      namespace: labels[LABEL.namespace],
      startTime: labels[LABEL.startTime],
    },
  };
}

/** @returns what the next owner of the lock has to recover when this generation's owner is gone */
export function abandonedWith(generation: Generation): readonly string[] {
  const run = generation.owner?.run ?? '';
  return [...new Set([...generation.abandoned, ...(run === '' ? [] : [run])])];
}

/** The owner without what only this folder needs. */
export function publicOwner({ run, procedure, actor, runUrl, host, pid, since }: Owner): LockOwner {
  return { run, procedure, actor, runUrl, host, pid, since };
}

/** @returns the owner as one phrase of a sentence */
export function describeOwner(owner: LockOwner): string {
  const where = `${owner.host}, process ${owner.pid}`;
  const link = owner.runUrl === undefined ? '' : `, ${owner.runUrl}`;
  return `${owner.procedure} of ${owner.actor} (run ${owner.run}, on ${where}, since ${owner.since}${link})`;
}

function withoutUndefined(labels: Readonly<Record<string, string | undefined>>): Labels {
  return Object.fromEntries(
    Object.entries(labels).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
