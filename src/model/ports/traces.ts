/**
 * What Rolling Restart has left on an engine for a compose project, besides images: found by its labels, whoever made it
 * and whenever. Implemented in `src/engine`; errors as in `Engine`.
 */
export interface Traces {
  /** Compose projects that anything is kept for, sorted. */
  projects(): Promise<readonly string[]>;
  /** Containers of the project's own services are never among it. */
  of(project: string): Promise<readonly Trace[]>;
  /** Removes helper containers of these runs, and those whose time is over. @returns their names */
  removeHelpers(project: string, runs: readonly string[]): Promise<readonly string[]>;
  /** Gone already is success. */
  remove(trace: Trace): Promise<void>;
}

export interface Trace {
  readonly kind: 'container' | 'volume';
  readonly what: 'edge' | 'records' | 'lock' | 'helper' | 'other';
  readonly name: string;
  /** Of an edge: the service it is for. */
  readonly service: string | undefined;
}
