import { requireServices } from '../steps/open-project.js';
import type { Shell } from './shell-command.js';

/**
 * The services that are named, or all: those of the compose files and those that only the ledger knows, which left the
 * files and may still run.
 * @throws ProcedureError E_SERVICE
 */
export async function servicesOf(shell: Shell): Promise<readonly string[]> {
  const inFiles = Object.keys(shell.opened?.live.services ?? {});
  const all = [...new Set([...inFiles, ...(await shell.ledger.services())])].sort();
  const { services } = shell.request;
  // Without files and without a record a name cannot be wrong.
  if (all.length > 0) requireServices(services, all);
  return services.length > 0 ? services : all;
}
