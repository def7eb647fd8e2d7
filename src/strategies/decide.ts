import type { Decision } from '../model/plan.js';
import type { Release } from '../model/release.js';
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
  const { replicas } = wanted;
  const faults = containerFaults({ replicas, containers }).map(({ text }) => text);
  return containers.length > replicas ? [...faults, `${containers.length} of ${replicas} containers run`] : faults;
}

/** What is as it is wanted, and does not serve, is not left alone. */
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
  const differs = containers.some((container) => container.fingerprint !== wanted.fingerprint);
  return differs ? ['the image differs (layers or run configuration)'] : [];
}

/**
 * Our own hash decides where there is one: it sees file contents, and it does not change with the version of Compose.
 * For containers nobody recorded, Compose's hash on their labels is what is left.
 */
function configurationReasons(wanted: WantedFacts, { release, files, containers }: CurrentFacts): readonly string[] {
  const recorded = release?.definitionFrom === 'rendered';
  if (recorded && release.configHash === wanted.configHash) return [];
  const reasons: string[] = [];
  if (containers.some((container) => container.composeHash !== wanted.composeHash)) {
    reasons.push('the definition in the compose files differs');
  }
  const changedFiles = changed(files, wanted.files);
  if (changedFiles.length > 0) reasons.push(`contents changed: ${changedFiles.join(', ')}`);
  if (recorded && reasons.length === 0) reasons.push('networks, volumes, configs or secrets that it uses differ');
  return reasons;
}

/** Nothing is known about files of a release that was never recorded: then they count as the same. */
function changed(
  before: Readonly<Record<string, string>> | undefined,
  after: Readonly<Record<string, string>>,
): readonly string[] {
  if (before === undefined) return [];
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((path) => before[path] !== after[path])
    .sort();
}
