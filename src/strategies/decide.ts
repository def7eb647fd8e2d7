import type { Decision } from '../model/plan.js';
import { UNKNOWN_CONTENTS, type Release } from '../model/release.js';
import type { ObservedContainer } from '../model/service.js';

/** What a service is to become, as far as it is known when the question is asked. */
export interface WantedFacts {
  readonly configHash: string;
  readonly composeHash: string;
  /** Undefined in a dry run, where nothing was built. */
  readonly fingerprint: string | undefined;
  readonly commit: string | undefined;
  readonly replicas: number;
  /** Files whose contents are part of the configuration, by path. */
  readonly files: Readonly<Record<string, string>>;
  /** Configs and secrets that were read in the containers, and differ. */
  readonly otherContents: readonly string[];
  readonly oneShot: boolean;
}

/** What is live, as read from the engine and matched with the ledger. */
export interface CurrentFacts {
  readonly release: Release | undefined;
  /** Whether that release was verified once; true when nothing is recorded. */
  readonly accepted: boolean;
  readonly files: Readonly<Record<string, string>> | undefined;
  readonly containers: readonly (ObservedContainer & { readonly fingerprint: string | undefined })[];
}

/**
 * Same or changed, and why, for one service. An unchanged service is left alone, so every reason to touch it is here.
 */
export function decide(wanted: WantedFacts, current: CurrentFacts): Decision {
  if (current.containers.length === 0 && current.release === undefined) return { kind: 'first-deploy' };
  const reasons = [
    ...stateReasons(wanted, current),
    ...acceptanceReasons(current),
    ...imageReasons(wanted, current),
    ...configurationReasons(wanted, current),
  ];
  return reasons.length === 0 ? { kind: 'unchanged', release: current.release } : { kind: 'change', reasons };
}

function stateReasons(wanted: WantedFacts, { containers }: CurrentFacts): readonly string[] {
  if (containers.length === 0) return ['nothing of it runs'];
  if (wanted.oneShot) {
    const failed = containers.find((container) => container.state === 'exited' && container.exitCode !== 0);
    return failed === undefined ? [] : [`its last run ended with exit code ${failed.exitCode}`];
  }
  const reasons: string[] = [];
  const down = containers.find((container) => container.state !== 'running');
  if (down !== undefined) reasons.push(`${down.name} is ${down.state}`);
  const unhealthy = containers.find((container) => container.health === 'unhealthy');
  if (unhealthy !== undefined) reasons.push(`${unhealthy.name} is unhealthy`);
  if (containers.length !== wanted.replicas) {
    reasons.push(`${containers.length} of ${wanted.replicas} containers run`);
  }
  return reasons;
}

/** What failed its verification and was left running is not what was asked for, however well it seems to run. */
function acceptanceReasons({ release, accepted }: CurrentFacts): readonly string[] {
  return release === undefined || accepted ? [] : [`release ${release.id} runs, but it never passed its verification`];
}

function imageReasons(wanted: WantedFacts, { release, containers }: CurrentFacts): readonly string[] {
  if (wanted.fingerprint === undefined) {
    if (release?.commit !== undefined && release.commit === wanted.commit) return [];
    return ['the image is built or pulled when it runs for real; only then is it known whether it differs'];
  }
  const differs = containers.some((container) => container.fingerprint !== wanted.fingerprint);
  return differs ? ['the image differs (layers or run configuration)'] : [];
}

/**
 * Our own hash decides where there is one: it sees file contents, and it does not change with the version of Compose.
 * For containers nobody recorded, Compose's hash on their labels is what is left.
 */
function configurationReasons(wanted: WantedFacts, { release, files, containers }: CurrentFacts): readonly string[] {
  const recorded = release?.definitionFrom === 'rendered';
  const reasons = [...contentsDiffer(wanted.otherContents)];
  if (recorded && release.configHash === wanted.configHash) return reasons;
  if (containers.some((container) => container.composeHash !== wanted.composeHash)) {
    reasons.push('the definition in the compose files differs');
  }
  const { unknown, changedFiles } = changed(files, wanted.files);
  const newer = unknown.filter((name) => name.startsWith('/'));
  reasons.push(...newerThanContainer(newer));
  const unread = unknown.filter((name) => !newer.includes(name) && !wanted.otherContents.includes(name));
  if (unread.length > 0) reasons.push(`contents in the container are unknown: ${unread.join(', ')}`);
  if (changedFiles.length > 0) reasons.push(`contents changed: ${changedFiles.join(', ')}`);
  if (recorded && reasons.length === 0) reasons.push('networks, volumes, configs or secrets that it uses differ');
  return reasons;
}

/** @returns words for configs and secrets of which a container has something else; empty for none */
export function contentsDiffer(names: readonly string[]): readonly string[] {
  return names.length === 0 ? [] : [`contents differ: ${names.join(', ')}`];
}

/** @returns words for files that were written after a container started; empty for none */
export function newerThanContainer(paths: readonly string[]): readonly string[] {
  return paths.length === 0
    ? []
    : [`${paths.join(', ')} ${paths.length === 1 ? 'is' : 'are'} newer than the container`];
}

/** Nothing is known about files of a release that was never recorded: then they count as the same. */
function changed(
  before: Readonly<Record<string, string>> | undefined,
  after: Readonly<Record<string, string>>,
): { readonly unknown: readonly string[]; readonly changedFiles: readonly string[] } {
  if (before === undefined) return { unknown: [], changedFiles: [] };
  const differing = [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((path) => before[path] !== after[path])
    .sort();
  return {
    unknown: differing.filter((path) => before[path] === UNKNOWN_CONTENTS),
    changedFiles: differing.filter((path) => before[path] !== UNKNOWN_CONTENTS),
  };
}
