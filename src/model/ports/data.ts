import type { Readable } from 'node:stream';
import type { DataPlace } from '../backup.js';

/**
 * What lies in the volumes and mounted folders of containers, read and written through the engine, so that neither root on
 * the host nor a program in the image is needed to read it. Implemented in `src/engine`. Errors as in `Engine`.
 */
export interface VolumeData {
  /** What a container has mounted from outside, running or not; in the order of the engine. */
  mountsOf(container: string): Promise<readonly DataMount[]>;
  /** Bytes in volumes, by name, as the engine counts them; without those it does not know. */
  sizes(volumes: readonly string[], signal: AbortSignal): Promise<Readonly<Record<string, number>>>;
  hasVolume(name: string): Promise<boolean>;
  /** Where a volume lies on the engine's host; undefined when there is none of that name. */
  folderOf(volume: string): Promise<string | undefined>;
  /** Names of running containers that have a volume or folder mounted and can write to it. */
  writersOf(place: DataPlace): Promise<readonly { readonly id: string; readonly name: string }[]>;
  /**
   * Starts a process of its own that lets containers go on when this process ends before it says that they do, or at the limit.
   * To be called before the first of them is paused or stopped.
   */
  guard(freeze: GuardedFreeze): Promise<FreezeGuard>;
  pause(container: string): Promise<void>;
  /** @returns whether it was paused */
  unpause(container: string): Promise<boolean>;
  /** Opens places by a container that is never started; nothing else sees it. To be closed. */
  open(project: string, places: readonly DataPlace[]): Promise<OpenData>;
  /**
   * The first of these images that has what it takes to delete files (a shell and `rm`), tried in a container of its own;
   * undefined when none has.
   */
  toolAmong(project: string, images: readonly string[], signal: AbortSignal): Promise<string | undefined>;
  /** Deletes everything in a place, and leaves the place itself. */
  empty(project: string, place: DataPlace, tool: string, signal: AbortSignal): Promise<void>;
}

export interface GuardedFreeze {
  readonly how: 'pause' | 'stop';
  readonly containers: readonly string[];
  /** Milliseconds. */
  readonly limitMs: number;
}

export interface FreezeGuard {
  /** Everything goes on, or shall stand still: nothing more is done. */
  end(): Promise<void>;
}

export interface OpenData {
  /** A tar archive of the place, whose one top folder has the place's name; owners, modes, times and links as they are. */
  read(place: DataPlace, signal: AbortSignal): Promise<Readable>;
  /** Unpacks an archive that `read` made, compressed with gzip or not. What it does not name stays. */
  write(place: DataPlace, archive: Readable, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

export interface DataMount {
  readonly kind: 'volume' | 'bind' | 'other';
  /** Name of the volume, or path on the host. */
  readonly source: string;
  readonly target: string;
  readonly writable: boolean;
}
