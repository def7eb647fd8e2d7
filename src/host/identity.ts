import { readFileSync, readlinkSync } from 'node:fs';

/** What tells a process from every other one, here and on other machines. */
export interface ProcessIdentity {
  readonly pid: number;
  /** `/proc/sys/kernel/random/boot_id`: another kernel or another boot has another one. */
  readonly bootId: string | undefined;
  /** The PID and time namespaces in which `pid` and `startTime` mean something. */
  readonly namespace: string | undefined;
  /** Clock ticks since boot: tells a process from a later one with the same PID. */
  readonly startTime: string | undefined;
}

/** What can be seen of a PID from here. */
export type ProcessLook =
  | { readonly kind: 'running'; readonly startTime: string }
  /** Gone, or ended and not yet reaped by its parent. */
  | { readonly kind: 'ended' }
  /** There is one, and this user may not look at it (`/proc` mounted with `hidepid`). */
  | { readonly kind: 'hidden' };

/** `unseen`: nothing about the process can be known from here. */
export type Presence = 'alive' | 'dead' | 'unseen';

/**
 * Whether the owner still runs, as far as this process can see.
 *
 * Another boot id proves nothing: after a reboot the owner is dead, but machine ids are copied with disk images and
 * container images, so "the same machine, booted again" cannot be told from "a clone of it". The lease decides there.
 */
export function judgePresence(
  owner: ProcessIdentity,
  mine: ProcessIdentity,
  look: (pid: number) => ProcessLook,
): Presence {
  if (owner.bootId === undefined || owner.namespace === undefined || owner.startTime === undefined) return 'unseen';
  if (owner.bootId !== mine.bootId || owner.namespace !== mine.namespace) return 'unseen';
  const seen = look(owner.pid);
  switch (seen.kind) {
    case 'running':
      return seen.startTime === owner.startTime ? 'alive' : 'dead';
    case 'ended':
      return 'dead';
    case 'hidden':
      return 'unseen';
  }
}

/** @returns who this process is; without a Linux `/proc` of its own only the PID is known */
export function readIdentity(): ProcessIdentity {
  const { pid } = process;
  const unknown = { pid, bootId: undefined, namespace: undefined, startTime: undefined };
  try {
    // `/proc` may be mounted for another PID namespace (unshare without --mount-proc): its PIDs are not ours then.
    if (readlinkSync('/proc/self') !== String(pid)) return unknown;
    const stat = parseStat(readFileSync('/proc/self/stat', 'utf8'));
    if (stat === undefined) return unknown;
    return {
      pid,
      bootId: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
      namespace: [readlinkSync('/proc/self/ns/pid'), timeNamespace()].filter(Boolean).join(' '),
      startTime: stat.startTime,
    };
  } catch {
    return unknown;
  }
}

/** Kernels before 5.6 have none. A time namespace moves the origin of the start time. */
function timeNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/time');
  } catch {
    return '';
  }
}

/** Looks at a PID of this process's own namespace. */
export function lookAtProcess(pid: number): ProcessLook {
  try {
    const stat = parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
    if (stat !== undefined)
      return isOver(stat.state) ? { kind: 'ended' } : { kind: 'running', startTime: stat.startTime };
  } catch {
    // Gone, or hidden from this user: the signal below tells the two apart, because hidepid does not hide from kill(2).
  }
  try {
    process.kill(pid, 0);
    return { kind: 'hidden' };
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH' ? { kind: 'ended' } : { kind: 'hidden' };
  }
}

/** Zombie or dead: it will never act again. */
function isOver(state: string): boolean {
  return state === 'Z' || state === 'X';
}

/**
 * Reads state (field 3) and start time (field 22) of `/proc/<pid>/stat`, proc_pid_stat(5). Field 2 is the program's name
 * in parentheses and may itself hold spaces and parentheses, so counting begins after the last one.
 */
export function parseStat(text: string): { readonly state: string; readonly startTime: string } | undefined {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state] = fields;
  const startTime = fields[19];
  if (state === undefined || startTime === undefined || !/^\d+$/.test(startTime.trim())) return undefined;
  return { state, startTime: startTime.trim() };
}
