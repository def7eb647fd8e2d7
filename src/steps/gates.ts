import { ProcedureError } from '../model/errors.js';
import { sameBadRelease } from '../model/release.js';
import { formatSize } from '../model/units.js';
import type { GateResult } from '../run/recorder.js';
import type { Run } from '../run/run.js';
import type { Current } from './candidate.js';
import type { OpenProject } from './session.js';

/** A check that may refuse before anything changes. @returns what it found; throwing is left to `passGate` */
export type GateFinding =
  | { readonly kind: 'pass'; readonly detail: string }
  | { readonly kind: 'warn'; readonly detail: string }
  | { readonly kind: 'refuse'; readonly error: ProcedureError };

/**
 * Records what a gate found and refuses when it has to; `force` passes a refusing gate and records who did.
 * @throws ProcedureError the gate's own
 */
export function passGate(run: Run, gate: string, asFound: GateFinding): void {
  const finding = asSet(run, gate, asFound);
  const keep = (state: GateResult['state'], detail: string): void => {
    run.recorder.gates.push({ gate, state, detail });
  };
  switch (finding.kind) {
    case 'off':
      keep('off', 'switched off by the input gates');
      return;
    case 'pass':
      keep('passed', finding.detail);
      run.progress.info(`✓ gate ${gate}: ${finding.detail}`);
      return;
    case 'warn':
      keep('warned', finding.detail);
      run.progress.warning(`gate ${gate}: ${finding.detail}`);
      return;
    case 'refuse':
      if (run.request.force) {
        const why = run.request.reason === undefined ? '' : `: ${run.request.reason}`;
        keep('forced', `${finding.error.message} (passed by ${run.invocation.actor} with force${why})`);
        run.progress.warning(`gate ${gate}: ${finding.error.message}; passed because of force`);
        return;
      }
      keep('refused', finding.error.message);
      throw finding.error;
  }
}

/** What the input `gates` makes of a finding; gates that it cannot set are not in it. */
function asSet({ request }: Run, gate: string, finding: GateFinding): GateFinding | { readonly kind: 'off' } {
  const mode = request.gates[gate];
  if (mode === undefined) return finding;
  if (mode === 'off') return { kind: 'off' };
  if (mode === 'warn') return finding.kind === 'refuse' ? { kind: 'warn', detail: finding.error.message } : finding;
  if (finding.kind !== 'warn') return finding;
  const next = `Correct it, or leave ${gate}=enforce out of gates: it only warns then. Nothing was changed.`;
  return { kind: 'refuse', error: new ProcedureError('E_GATE', finding.detail, { next }) };
}

/** Building and pulling fill the engine's disk; a full one stops more than the deploy. */
export async function diskSpaceGate(run: Run, opened: OpenProject): Promise<GateFinding> {
  const [engine, checkout] = await Promise.all([
    run.disks.freeBytes(opened.facts.rootDirectory),
    run.disks.freeBytes(run.request.workingDirectory),
  ]);
  const free = engine === undefined || checkout === undefined ? undefined : Math.min(engine, checkout);
  if (free === undefined) return { kind: 'warn', detail: 'the engine’s disk cannot be seen from here' };
  const wanted = run.request.minFreeDiskBytes;
  if (free >= wanted) return { kind: 'pass', detail: `${formatSize(free)} free` };
  return {
    kind: 'refuse',
    error: new ProcedureError(
      'E_GATE',
      `Only ${formatSize(free)} are free on the disk of the engine (${opened.facts.rootDirectory}) or of the checkout; ${formatSize(wanted)} are asked for`,
      { next: 'Free space (docker system df shows what takes it) or lower min-free-disk; nothing was changed.' },
    ),
  };
}

/** Somebody edited tracked files on the host: moving the checkout would lose that, so a person decides. */
export function modifiedFilesGate(opened: OpenProject): GateFinding {
  const { checkout } = opened;
  if (checkout === undefined) return { kind: 'pass', detail: 'not a git checkout' };
  if (checkout.modified.length === 0) return { kind: 'pass', detail: 'no tracked file was modified' };
  const shown = checkout.modified.slice(0, 10).join(', ');
  const more = checkout.modified.length > 10 ? ` and ${checkout.modified.length - 10} more` : '';
  return {
    kind: 'refuse',
    error: new ProcedureError('E_SOURCE', `Tracked files were modified in ${checkout.topLevel}: ${shown}${more}`, {
      next: 'Commit them, or take them back with git checkout -- FILE; they are never stashed. Nothing was changed.',
    }),
  };
}

/** An unhealthy service only warns: the update may be its fix. */
export function healthGate(service: string, current: Current): GateFinding {
  if (current.containers.length === 0) return { kind: 'pass', detail: `${service}: nothing runs yet` };
  const bad = current.containers.filter(
    (container) => container.state !== 'running' || container.health === 'unhealthy' || container.restartCount > 3,
  );
  if (bad.length === 0) return { kind: 'pass', detail: `${service} runs and is healthy` };
  const words = bad.map((container) => `${container.name} is ${container.state}, health ${container.health}`);
  return { kind: 'warn', detail: `${words.join('; ')}: going on, since the change may be its fix` };
}

/** What a registry says that answers and does not have an image; "denied" may as well be a login that has expired. */
const HAS_NOT = /no such manifest|manifest unknown|name unknown|not found/i;

/**
 * The registry has to answer before anything is built on the assumption that it does.
 * @param orLocal the engine has an image of this name too, and it may have been built there: then a registry that does not
 *   know it is only worth a warning
 */
export async function registryGate(run: Run, reference: string, orLocal = false): Promise<GateFinding> {
  const problem = await run.compose.registryProblem(reference, 20_000);
  if (problem === undefined) return { kind: 'pass', detail: `the registry has ${reference}` };
  if (orLocal && HAS_NOT.test(problem)) {
    return { kind: 'warn', detail: `${problem}; the image of that name on this engine is taken` };
  }
  const local = orLocal ? ' To take the one that this engine has, give its id, or set pull_policy: missing.' : '';
  return {
    kind: 'refuse',
    error: new ProcedureError('E_GATE', `The image cannot be pulled: ${problem}`, {
      next: `Check the name, log in with docker login on this host, or try again; nothing was changed.${local}`,
    }),
  };
}

/** After a rollback main still holds the bad commit: deploying the same again wants a person's word. */
export function badReleaseGate(
  service: string,
  current: Current,
  wanted: Parameters<typeof sameBadRelease>[1],
): GateFinding {
  const bad = sameBadRelease(current.history, wanted);
  if (bad === undefined) return { kind: 'pass', detail: `${service}: not a release that was rolled back` };
  const event = current.history.events.findLast((entry) => entry.release === bad.id && entry.kind === 'bad');
  return {
    kind: 'refuse',
    error: new ProcedureError(
      'E_BAD_RELEASE',
      `This is release ${bad.id} of ${service}, which is marked bad: ${event?.reason ?? 'no reason recorded'}`,
      { next: 'Deploy a fixed commit, or set force: true to deploy the same again; nothing was changed.' },
    ),
  };
}

/** Data is not replaced under somebody who writes to it. @param others containers of other services that can */
export function inUseGate(service: string, others: readonly { readonly name: string }[]): GateFinding {
  if (others.length === 0) return { kind: 'pass', detail: `nothing but ${service} writes to its data` };
  const names = others.map(({ name }) => name).join(', ');
  return {
    kind: 'refuse',
    error: new ProcedureError(
      'E_GATE',
      `${names} can write to the data of ${service} as well, and would run meanwhile`,
      { next: `Stop ${names} first, or set force: true. Nothing was changed.` },
    ),
  };
}
