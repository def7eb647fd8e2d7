import { RECORDS_IMAGE_NAME } from '../model/own-names.js';
import type { Release } from '../model/release.js';
import { keptTags } from '../steps/kept-tags.js';
import { previousTag } from '../steps/plan-service.js';
import type { Shell } from './shell-command.js';

/**
 * Image names that are ours: the releases kept under `rolling-restart/…`, the runbook's `NAME:previous` where it names an
 * image of a release, and the records' image unless another project needs it.
 */
export async function keptImages(shell: Shell, services: readonly string[]): Promise<readonly string[]> {
  const { engine, ledger, project, traces } = shell;
  const others = (await traces.projects()).filter((other) => other !== project);
  const releases: Release[] = [];
  const tags: string[] = [];
  for (const service of services) {
    const history = await ledger.history(service);
    releases.push(...history.releases);
    tags.push(...(await keptTags(shell, service, history)));
  }
  const ours = new Set(releases.map(({ image }) => image.fingerprint));
  for (const name of new Set(releases.map(({ image }) => previousTag(image.name)))) {
    const image = await engine.image(name);
    if (image !== undefined && ours.has(image.fingerprint)) tags.push(name);
  }
  if (others.length === 0 && (await engine.image(RECORDS_IMAGE_NAME)) !== undefined) tags.push(RECORDS_IMAGE_NAME);
  return [...new Set(tags)].sort();
}
