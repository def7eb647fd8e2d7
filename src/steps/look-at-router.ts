import { asProcedureError } from '../model/errors.js';
import type { Viewing } from './session.js';
import { routerInPlace } from './traffic-facts.js';

/** What `check` says of a proxy of the user's own. @returns what a person should look at; nothing where there is none */
export async function lookAtRouter(viewing: Viewing, service: string): Promise<readonly string[]> {
  const spec = await routerInPlace(viewing, service);
  // The edge is looked at by itself.
  if (spec.kind === 'none' || spec.kind === 'edge') return [];
  try {
    const router = await viewing.routers.open(spec, { project: viewing.project, service });
    return (await router.problems()).map((problem) => `${service}: ${problem}`);
  } catch (error) {
    const { message, next } = asProcedureError(error);
    return [`${service}: ${message}. ${next}`];
  }
}
