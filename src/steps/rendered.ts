import type { ComposeTarget } from '../model/ports/engine.js';
import type { ComposeProject } from '../model/service.js';
import type { Viewing } from './session.js';

/** @returns how Compose reads a project that was rendered before as this one */
export function renderedTarget(
  { request, project, opened }: Pick<Viewing, 'request' | 'project' | 'opened'>,
  document: Readonly<Record<string, unknown>>,
): ComposeTarget {
  return {
    files: [],
    directory: request.workingDirectory,
    projectDirectory: opened.place.directory,
    projectName: project,
    envFiles: [],
    document,
  };
}

/** @returns Compose's own hash of every service of a rendered project */
export async function renderedHashes(
  viewing: Viewing,
  project: ComposeProject,
): Promise<Readonly<Record<string, string>>> {
  return viewing.compose.documentHashes(project.document, viewing.opened.place.directory);
}
