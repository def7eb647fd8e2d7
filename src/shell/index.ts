import { ProcedureError, asProcedureError } from '../model/errors.js';
import type { ShellCommandName, ShellOptions } from '../model/shell-command.js';
import type { Run } from '../run/run.js';
import { openProject } from '../steps/open-project.js';
import type { OpenProject } from '../steps/session.js';
import { cancel } from './cancel.js';
import { history } from './history.js';
import { recover } from './recover.js';
import type { ShellCommand, ShellResult } from './shell-command.js';
import { status } from './status.js';
import { uninstall } from './uninstall.js';
import { unlock } from './unlock.js';

/** Every command that only a shell has; a new one is one file and one line here. */
const ALL_COMMANDS: Readonly<Record<ShellCommandName, ShellCommand>> = {
  status,
  history,
  cancel,
  unlock,
  recover,
  uninstall,
};

/**
 * Carries a shell command out.
 * @throws ProcedureError what keeps it from beginning
 */
export async function runShellCommand(name: ShellCommandName, run: Run, options: ShellOptions): Promise<ShellResult> {
  const { opened, project } = await findProject(run);
  const { ledger, locks } = run.records(project);
  return ALL_COMMANDS[name].perform({ ...run, project, opened, ledger, locks, options });
}

/** A compose file that is broken or gone does not stand between a person and what is live, when the project is named. */
async function findProject(run: Run): Promise<{ readonly opened: OpenProject | undefined; readonly project: string }> {
  try {
    const opened = await openProject(run);
    return { opened, project: opened.live.name };
  } catch (error) {
    const problem = asProcedureError(error);
    if (problem.code !== 'E_COMPOSE_FILE') throw problem;
    const { projectName } = run.request;
    if (projectName === undefined) {
      throw new ProcedureError('E_COMPOSE_FILE', problem.message, {
        next: `Give --working-directory with the compose file, or --project-name to do without it${await known(run)}.`,
        excerpt: problem.excerpt,
        cause: problem,
      });
    }
    run.progress.warning(`${problem.message}; going on with what the engine knows of ${projectName}`);
    return { opened: undefined, project: projectName };
  }
}

/** Projects that the engine keeps something for, as a hint. */
async function known({ traces }: Run): Promise<string> {
  const projects = await traces.projects().catch(() => []);
  return projects.length === 0 ? '' : `; this engine knows ${projects.join(', ')}`;
}
