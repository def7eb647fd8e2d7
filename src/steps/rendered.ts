import type { ComposeTarget } from '../model/ports/engine.js';
import type { ComposeProject } from '../model/service.js';
import type { Viewing } from './session.js';

/** @returns how Compose reads a project that was rendered before as this one */
export function renderedTarget(
  { request, project }: Pick<Viewing, 'request' | 'project'>,
  document: Readonly<Record<string, unknown>>,
): ComposeTarget {
  return { files: [], directory: request.workingDirectory, projectName: project, envFiles: [], document };
}

/** @returns Compose's own hash of every service of a rendered project */
export async function renderedHashes(
  viewing: Viewing,
  project: ComposeProject,
): Promise<Readonly<Record<string, string>>> {
  return viewing.compose.documentHashes(project.document, viewing.request.workingDirectory);
}
