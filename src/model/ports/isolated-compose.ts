import type { ComposeTarget } from './engine.js';
import type { TreeFile } from './source.js';
import type { ComposeProject } from '../service.js';

/** Compose where it sees nothing but the files it is given: no file of the host, no network, no variable. */
export interface IsolatedCompose {
  /**
   * Renders the compose files of a tree.
   * @param tree regular files and links by their absolute path, as Compose is to find them
   * @throws ProcedureError E_COMPOSE_FILE, also for what lies outside of the tree; E_ENGINE_UNREACHABLE where Compose's program
   * is not found
   */
  render(
    target: ComposeTarget,
    tree: ReadonlyMap<string, TreeEntry>,
    options: { readonly project: string; readonly signal: AbortSignal },
  ): Promise<ComposeProject>;
}

export type TreeEntry = TreeFile;
