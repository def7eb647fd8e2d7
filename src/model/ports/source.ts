/** The git checkout a compose project lives in. */
export interface Source {
  /** Undefined when the directory is not inside a git checkout. */
  inspect(directory: string): Promise<Checkout | undefined>;
  /** Fetches the ref from origin, with the token for private repositories; @returns the full commit id it names. */
  fetch(
    directory: string,
    ref: string | undefined,
    token: string | undefined,
    signal: AbortSignal,
  ): Promise<FetchedRef>;
  /** `hash subject` of commits in `to` and not in `from`, newest first, at most `limit`. */
  log(directory: string, from: string, to: string, limit: number): Promise<readonly string[]>;
  /** The files of a commit by path below the top level, read without a worktree: nothing of it is executed or written. */
  files(directory: string, commit: string): Promise<ReadonlyMap<string, TreeFile>>;
  addWorktree(directory: string, path: string, commit: string): Promise<void>;
  /** Also cleans up after one that is half there. */
  removeWorktree(directory: string, path: string): Promise<void>;
  /** @param folder with a folder for each run, which has its worktrees; those of runs that have ended are taken away */
  removeLeftWorktrees(folder: string): Promise<void>;
  /** Moves the checkout; untracked files stay; refuses with E_SOURCE rather than overwrite one. */
  checkout(directory: string, commit: string): Promise<void>;
  /** Full commit id, without network; undefined when there is no such commit. */
  resolve(directory: string, ref: string): Promise<string | undefined>;
  /** Untracked and ignored entries, relative to the top level; a folder with nothing tracked is one entry ending in `/`. */
  untracked(directory: string): Promise<readonly string[]>;
  /** Id of the tree or blob of a path at a commit; undefined when it is not tracked there. Path relative to the top level. */
  treeId(directory: string, commit: string, path: string): Promise<string | undefined>;
}

export interface Checkout {
  /** Absolute path of the top level. */
  readonly topLevel: string;
  /** Full id of the commit that is checked out; undefined in an empty repository. */
  readonly commit: string | undefined;
  readonly branch: string | undefined;
  /** Tracked files that differ from the commit, relative to the top level. */
  readonly modified: readonly string[];
  readonly origin: string | undefined;
}

/** A regular file, or where a link leads to. Long ones are left out. */
export type TreeFile = { readonly content: Buffer } | { readonly link: string };

export interface FetchedRef {
  readonly commit: string;
  /** How a person calls it: `origin/main`, `v1.2.3`, a short commit. */
  readonly label: string;
}
