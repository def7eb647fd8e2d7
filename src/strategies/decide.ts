import { jobReasons, restOf, type Lifetime } from '../model/job.js';
import type { Decision } from '../model/plan.js';
import { UNKNOWN_CONTENTS, type Release, type ServiceHistory } from '../model/release.js';
import { containerFaults, type Serving } from '../model/serving.js';
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
  /** What runs was made from another folder, which this run takes the service over from. */
  readonly takenOverFrom: string | undefined;
  readonly lifetime: Lifetime;
}

/** What is live, as read from the engine and matched with the ledger. */
export interface CurrentFacts {
  readonly release: Release | undefined;
  /** Whether that release was verified once; true when nothing is recorded. */
  readonly accepted: boolean;
  readonly history: ServiceHistory;
  readonly files: Readonly<Record<string, string>> | undefined;
  readonly containers: readonly (ObservedContainer & { readonly fingerprint: string | undefined })[];
}

/**
 * Same or changed, and why, for one service. An unchanged service is left alone, so every reason to touch it is here.
 */
export function decide(wanted: WantedFacts, current: CurrentFacts): Decision {
  const { takenOverFrom } = wanted;
  if (current.containers.length === 0 && current.release === undefined) {
    return wanted.replicas === 0 ? { kind: 'unchanged', release: undefined } : { kind: 'first-deploy' };
  }
  const reasons = [
    ...(takenOverFrom === undefined ? [] : [`it was made from ${takenOverFrom}, and this folder takes it over`]),
    ...stateReasons(wanted, current),
    ...acceptanceReasons(current),
    ...imageReasons(wanted, current),
    ...configurationReasons(wanted, current),
  ];
  return reasons.length === 0 ? { kind: 'unchanged', release: current.release?.id } : { kind: 'change', reasons };
}

function stateReasons({ lifetime, replicas }: WantedFacts, current: CurrentFacts): readonly string[] {
  const { containers } = current;
  if (replicas === 0) return containers.length === 0 ? [] : [`${containers.length} of 0 containers exist`];
  if (lifetime !== 'stays') {
    const reasons = jobReasons(lifetime, current);
    if (reasons.length > 0 || lifetime === 'ends' || restOf(lifetime, current) !== undefined) return reasons;
  }
  if (containers.length === 0) return ['nothing of it runs'];
  const faults = containerFaults({ replicas, containers }).map(({ text }) => text);
  return containers.length > replicas ? [...faults, `${containers.length} of ${replicas} containers run`] : faults;
}

/** A service that is as wanted and does not serve is not left alone. */
export function withServing(decision: Decision, serving: Serving): Decision {
  if (decision.kind !== 'unchanged' || serving.kind !== 'not-serving') return decision;
  return { kind: 'change', reasons: serving.faults.map(({ text }) => text), repairs: true };
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
  const found = containers.length === 0 ? [release?.image] : containers;
  const differs = found.some((one) => one?.fingerprint !== wanted.fingerprint);
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
  const found = containers.length === 0 ? [release] : containers;
  if (found.some((one) => one?.composeHash !== wanted.composeHash)) {
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
