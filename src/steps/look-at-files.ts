import { definitionOf, mountedPaths, UNKNOWN_CONTENTS } from '../model/release.js';
import { contentsDiffer, newerThanContainer } from '../strategies/decide.js';
import { asAdopted } from './adopt.js';
import type { Current } from './candidate.js';
import { otherInlineFiles } from './contents.js';
import { keptDefinitions } from './kept-definitions.js';
import type { Viewing } from './session.js';

/** @returns what containers, networks and volumes of a service have otherwise than the files on the host say, in words */
export async function lookAtFiles(viewing: Viewing, service: string, current: Current): Promise<readonly string[]> {
  const { live } = viewing.opened;
  const definition = live.services[service];
  if (definition === undefined) return [];
  const adopted = await asAdopted(viewing, service, current);
  const { files = {} } = adopted;
  const newer = mountedPaths(live, definition).filter((path) => files[path] === UNKNOWN_CONTENTS);
  const others = await otherInlineFiles(viewing, live, definition, current.containers);
  const differing = others.filter(({ content }) => content !== undefined).map(({ label }) => label);
  return [
    ...[...newerThanContainer(newer), ...contentsDiffer(differing)].map((words) => `${service}: ${words}`),
    ...(await keptDefinitions(viewing, definitionOf(live, definition), adopted)),
  ];
}
