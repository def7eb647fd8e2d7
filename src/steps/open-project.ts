import { realpath } from 'node:fs/promises';
import path from 'node:path';
import { asProcedureError, ProcedureError } from '../model/errors.js';
import type { ComposeTarget, EngineFacts } from '../model/ports/engine.js';
import type { Checkout } from '../model/ports/source.js';
import type { Request } from '../model/request.js';
import type { Run } from '../run/run.js';
import { reviveEngine } from './remedies/index.js';
import type { OpenProject } from './session.js';

/** Engine 24 (API 1.43) and Compose 2.24 (`!reset`, `env_file.required`) are the oldest that are tested and supported. */
export const MINIMUM_VERSIONS = { engine: [24, 0], compose: [2, 24] } as const;

/**
 * Finds the engine, checks the versions, renders the live compose files and looks at the checkout. Changes nothing.
 * @throws ProcedureError E_ENGINE_UNREACHABLE, E_ENGINE_TOO_OLD, E_COMPOSE_FILE, E_SERVICE
 */
export async function openProject(run: Run): Promise<OpenProject> {
  const { request } = run;
  const target = liveTarget(request);
  // All at once, for speed; an engine that is missing or too old is what a person needs to hear about first. It is asked
  // first as well: starting a program holds everything else up.
  const asked = Promise.all([factsOf(run), afterRequest().then(() => run.compose.version())]);
  const reading = afterRequest().then(() =>
    Promise.all([run.compose.render(target), run.compose.place(target), run.source.inspect(request.workingDirectory)]),
  );
  reading.catch(() => undefined);
  const [facts, compose] = await asked;
  requireVersion('Docker Engine', facts.version, MINIMUM_VERSIONS.engine);
  requireVersion('Docker Compose', compose, MINIMUM_VERSIONS.compose);
  run.recorder.engine = { version: facts.version, compose, name: facts.name };
  const [live, place, checkout] = await reading;
  run.recorder.project = live.name;
  return { facts, target, place, live, checkout: await asReached(checkout, request.workingDirectory) };
}

/**
 * Git says where a checkout really is. Where a link leads to it, Compose writes every path through that link, and the
 * paths of the checkout have to compare with those.
 */
export async function asReached(
  checkout: Checkout | undefined,
  workingDirectory: string,
): Promise<Checkout | undefined> {
  if (checkout === undefined) return undefined;
  const real = await realpath(workingDirectory);
  const topLevel = path.resolve(workingDirectory, path.relative(real, checkout.topLevel));
  const isSame = (await realpath(topLevel).catch(() => undefined)) === checkout.topLevel;
  return isSame ? { ...checkout, topLevel } : checkout;
}

/** An engine that does not answer is restarted where that was asked for by name, and asked once more. */
async function factsOf(run: Run): Promise<EngineFacts> {
  const { engine, request } = run;
  try {
    const facts = await engine.facts();
    // One that is half dead describes itself, and looks at no container any more.
    if (request.remedies.includes('restart-docker')) await engine.containers(request.projectName ?? '');
    return facts;
  } catch (error) {
    if (!(await reviveEngine(run, asProcedureError(error)))) throw error;
    return engine.facts();
  }
}

/** Until what was just asked is on its way. */
function afterRequest(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** @returns how Compose reads the live files */
export function liveTarget(request: Request): ComposeTarget {
  const absolute = (file: string): string => path.resolve(request.workingDirectory, file);
  return {
    files: request.composeFiles.map(absolute),
    directory: request.workingDirectory,
    projectName: request.projectName,
    envFiles: request.envFiles.map(absolute),
  };
}

function requireVersion(what: string, version: string, minimum: readonly [number, number]): void {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  if (major > minimum[0] || (major === minimum[0] && minor >= minimum[1])) return;
  throw new ProcedureError(
    'E_ENGINE_TOO_OLD',
    `${what} ${version} is too old: ${minimum.join('.')} or newer is needed`,
    {
      next: `Upgrade ${what} on this host; nothing was changed.`,
    },
  );
}

/**
 * @throws ProcedureError E_SERVICE naming the services there are
 */
export function requireServices(names: readonly string[], available: readonly string[]): void {
  const missing = names.filter((name) => !available.includes(name));
  if (missing.length === 0) return;
  throw new ProcedureError(
    'E_SERVICE',
    `The compose project has no service ${missing.map((name) => `"${name}"`).join(', ')}`,
    {
      next: `It has: ${[...available].sort().join(', ')}. Correct the input "service"; nothing was changed.`,
    },
  );
}
