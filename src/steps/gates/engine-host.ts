import { access, readFile } from 'node:fs/promises';
import path from 'node:path';
import { asProcedureError, ProcedureError } from '../../model/errors.js';
import type { HostView } from '../../model/ports/engine.js';
import type { ProcedureName } from '../../model/request.js';
import type { ComposeProject } from '../../model/service.js';
import type { Viewing } from '../session.js';
import { passGate, type GateFinding } from './pass-gate.js';
import { NO_ANSWER } from './project.js';

/** Procedures that create no container of a service: where the files of the project lie does not matter to them. */
const CREATE_NONE: ReadonlySet<ProcedureName> = new Set(['check', 'plan', 'slo-report', 'stop', 'backup']);

/**
 * The engine mounts paths of its own host. A runner in a container, or one with a mount of its own, sees other files at
 * the same path: Docker would make empty folders on the host and mount those. Asked once in a run, and only where
 * something of the checkout is mounted.
 * @param project what is wanted, where that is not what lies there
 * @throws ProcedureError E_HOST
 */
export async function passHostGate(viewing: Viewing, project: ComposeProject = viewing.opened.live): Promise<void> {
  const { request, recorder, opened } = viewing;
  if (CREATE_NONE.has(request.procedure) || recorder.gates.some(({ gate }) => gate === 'engine-host')) return;
  // An engine that did not answer the gate before is not waited for again.
  if (recorder.gates.some(({ gate, state }) => gate === 'project' && state === 'warned')) return;
  const [file] = opened.place.files;
  const paths = await mountedOfCheckout(viewing, project);
  if (file === undefined || paths.length === 0) return;
  passGate(viewing, 'engine-host', await hostGate(viewing, file, paths));
}

async function hostGate(viewing: Viewing, file: string, paths: readonly string[]): Promise<GateFinding> {
  const [view, content] = await Promise.all([viewOf(viewing, file, paths), readFile(file)]);
  switch (view.kind) {
    case 'missing':
      return refuse(`The engine's host does not have ${view.path}, which this run sees`);
    case 'file':
      return view.content.equals(content)
        ? { kind: 'pass', detail: `the engine's host has the same ${file}` }
        : refuse(`The engine's host has another ${file} than this run sees`);
    case 'unknown':
      return { kind: 'warn', detail: `whether the engine's host has ${file} cannot be told: ${view.reason}` };
  }
}

/** An engine that cannot make a container says so again when the change needs one. */
async function viewOf({ engine, project }: Viewing, file: string, paths: readonly string[]): Promise<HostView> {
  try {
    return await engine.viewOfHost({ file, paths, project });
  } catch (thrown) {
    const error = asProcedureError(thrown);
    if (!NO_ANSWER.has(error.code)) throw error;
    return { kind: 'unknown', reason: error.message };
  }
}

function refuse(message: string): GateFinding {
  const next =
    "Run this on the engine's host, or mount the checkout into the runner's container at the same path. Nothing was changed.";
  return { kind: 'refuse', error: new ProcedureError('E_HOST', message, { next }) };
}

/** Files and folders of the checkout that containers get from the host, and that are there. */
async function mountedOfCheckout({ opened, request }: Viewing, project: ComposeProject): Promise<readonly string[]> {
  const roots = [opened.checkout?.topLevel ?? opened.place.directory, opened.place.directory];
  const names = request.services.length > 0 ? request.services : Object.keys(project.services);
  const mounted = names.flatMap((name) => {
    const { mounts = [], configs = [], secrets = [] } = project.services[name] ?? {};
    return [
      ...mounts.flatMap(({ type, source }) => (type === 'bind' ? [source] : [])),
      ...configs.map((config) => project.configs[config]?.file),
      ...secrets.map((secret) => project.secrets[secret]?.file),
    ];
  });
  const found: string[] = [];
  for (const one of new Set(mounted)) {
    if (one !== undefined && roots.some((root) => isInside(one, root)) && (await exists(one))) found.push(one);
  }
  return found;
}

function isInside(file: string, folder: string): boolean {
  const relative = path.relative(folder, file);
  return !relative.startsWith('..') && !path.isAbsolute(relative);
}

function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
