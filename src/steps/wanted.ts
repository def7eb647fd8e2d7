import { lstat, readlink, realpath, symlink, unlink } from 'node:fs/promises';
import path from 'node:path';
import { ProcedureError } from '../model/errors.js';
import type { ComposeTarget } from '../model/ports/engine.js';
import type { Source } from '../model/ports/source.js';
import type { ComposeProject } from '../model/service.js';
import type { FileRoots } from './files.js';
import { liveTarget } from './open-project.js';
import type { OpenProject } from './session.js';
import type { Run } from '../run/run.js';

/** The project as the wanted commit has it, written as if that commit were checked out in the live directory. */
export interface WantedProject {
  /** Paths lie in the live directory, build contexts where the commit's files are. */
  readonly project: ComposeProject;
  readonly commit: string | undefined;
  /** How a person calls the commit. */
  readonly label: string;
  readonly roots: FileRoots;
  /** Directory to build in: the worktree's counterpart of the working directory. */
  readonly buildDirectory: string;
}

/** @returns the live project as it lies there: what is wanted when there is no other commit */
export function wantedFromLive(opened: OpenProject, directory: string): WantedProject {
  const top = opened.checkout?.topLevel ?? directory;
  return {
    project: opened.live,
    commit: opened.checkout?.commit,
    label: opened.checkout?.commit === undefined ? 'files as they lie' : 'the checkout as it is',
    roots: { live: top, wanted: top, commit: opened.checkout?.commit },
    buildDirectory: directory,
  };
}

/**
 * Renders the compose files of a worktree. Files that git does not track (`.env`, overrides, secrets) come from the live
 * directory: they are linked in while Compose reads, and taken out again before anything is built, so that they never
 * get into a build context. Compose cannot be told to do this: `--project-directory` moves the build context as well.
 */
export async function renderWanted(
  run: Run,
  opened: OpenProject,
  worktree: string,
  commit: string,
  label: string,
): Promise<WantedProject> {
  const { workingDirectory } = run.request;
  const top = opened.checkout?.topLevel ?? workingDirectory;
  const inside = path.relative(
    top,
    isOutside(workingDirectory, top) ? await realpath(workingDirectory) : workingDirectory,
  );
  const buildDirectory = path.join(worktree, inside);
  const live = liveTarget(run.request);
  const target: ComposeTarget = {
    ...live,
    directory: buildDirectory,
    files: live.files.map((file) => moved(file, top, worktree)),
    projectName: opened.live.name,
    // Compose joins paths without following links: what lies above the folder is reached through it.
    relocate: [
      { from: buildDirectory, to: workingDirectory },
      { from: worktree, to: path.resolve(workingDirectory, path.relative(buildDirectory, worktree)) },
    ],
  };
  const project = await withUntracked(run.source, top, worktree, async () =>
    run.compose.render(await asChosen(run, opened, target, { top, worktree })),
  ).catch((error: unknown) => {
    throw inWantedCommit(error, label, worktree, top);
  });
  return { project, commit, label, roots: { live: top, wanted: worktree, commit }, buildDirectory };
}

/**
 * Compose chooses the files in the worktree as it does in the live directory: the wanted commit may have more or fewer.
 * Two choices need help: an absolute path in COMPOSE_FILE leads into the live directory, and a compose file above the
 * checkout is not above the worktree. An env file that is named is the wanted commit's, where that has it.
 */
async function asChosen(
  run: Run,
  { place: live }: OpenProject,
  target: ComposeTarget,
  { top, worktree }: { readonly top: string; readonly worktree: string },
): Promise<ComposeTarget> {
  const envFiles: string[] = [];
  for (const file of target.envFiles) {
    const wanted = moved(file, top, worktree);
    envFiles.push((await exists(wanted)) ? wanted : file);
  }
  const place = await run.compose.place({ ...target, envFiles });
  const above = place.files.length === 0 || (live.byDefault && isOutside(live.directory, top));
  const files = (above ? live.files : place.files).map((file) => moved(file, top, worktree));
  const isSame = !above && files.every((file, index) => file === place.files[index]);
  return isSame ? { ...target, envFiles } : { ...target, envFiles, files };
}

/** The worktree is gone when a person reads this, and the files in the live directory are those of before. */
function inWantedCommit(thrown: unknown, label: string, worktree: string, top: string): unknown {
  if (!(thrown instanceof ProcedureError) || thrown.code !== 'E_COMPOSE_FILE') return thrown;
  return new ProcedureError('E_COMPOSE_FILE', `In ${label}: ${thrown.message.replaceAll(worktree, top)}`, {
    next: 'Correct it in the repository and deploy that commit; the files in the live directory are those of before. Nothing was changed.',
    cause: thrown,
    excerpt: thrown.excerpt,
  });
}

/** Links what is untracked in `top` into the worktree while `body` runs. */
async function withUntracked<T>(source: Source, top: string, worktree: string, body: () => Promise<T>): Promise<T> {
  const links: string[] = [];
  try {
    for (const entry of await source.untracked(top)) {
      const name = entry.replace(/\/$/, '');
      if (path.resolve(top, name) === worktree || worktree.startsWith(`${path.resolve(top, name)}/`)) continue;
      const link = path.join(worktree, name);
      if (await exists(link)) continue;
      await symlink(path.join(top, name), link).then(
        () => links.push(link),
        () => undefined, // its folder is not in the wanted commit: then no compose file of it can name the entry
      );
    }
    return await body();
  } finally {
    for (const link of links) {
      if ((await readlink(link).catch(() => undefined)) !== undefined) await unlink(link);
    }
  }
}

async function exists(file: string): Promise<boolean> {
  return lstat(file).then(
    () => true,
    () => false,
  );
}

/** A path inside the live checkout as it lies in the worktree; others stay, and so does what lies in the worktree. */
function moved(file: string, from: string, to: string): string {
  return isOutside(file, from) || !isOutside(file, to) ? file : path.join(to, path.relative(from, file));
}

function isOutside(file: string, folder: string): boolean {
  const relative = path.relative(folder, file);
  return relative.startsWith('..') || path.isAbsolute(relative);
}
