import { RECORDS_IMAGE_NAME } from '../model/own-names.js';
import { keptImageTag, type Release } from '../model/release.js';
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
    releases.push(...(await ledger.history(service)).releases);
    const repository = repositoryOf(project, service);
    // Project `a` with service `b-c` keeps its images under the same name as project `a-b` with service `c`: what may be
    // another project's is only taken when the ledger has it.
    if (others.some((other) => repository.startsWith(`rolling-restart/${other}-`))) continue;
    tags.push(...(await engine.tagsOf(repository)));
  }
  for (const { image } of releases) {
    if ((await engine.image(image.keptAs)) !== undefined) tags.push(image.keptAs);
  }
  const ours = new Set(releases.map(({ image }) => image.fingerprint));
  for (const name of new Set(releases.map(({ image }) => previousTag(image.name)))) {
    const image = await engine.image(name);
    if (image !== undefined && ours.has(image.fingerprint)) tags.push(name);
  }
  if (others.length === 0 && (await engine.image(RECORDS_IMAGE_NAME)) !== undefined) tags.push(RECORDS_IMAGE_NAME);
  return [...new Set(tags)].sort();
}

function repositoryOf(project: string, service: string): string {
  const tag = keptImageTag(project, service, '');
  return tag.slice(0, tag.lastIndexOf(':'));
}
