/** What is live of a service, as the engine, the checkout and the ledger show it, and whether it came back whole. */
import { expect } from 'vitest';
import { createLedger } from '../../src/ledger/ledger.js';
import type { Ledger } from '../../src/model/ports/ledger.js';
import { createRecords } from '../../src/ledger/records.js';
import { isBad, liveRelease, type ServiceHistory } from '../../src/model/release.js';
import { docker, testEngine } from './engine-containers.js';
import { carryOut, type Carried } from './procedure.js';
import type { Project } from './project.js';

export interface Live {
  readonly container: string;
  readonly image: string;
  readonly environment: readonly string[];
  /** Id that the compose file's image name names. */
  readonly named: string;
  /** Commit of the live checkout. */
  readonly commit: string;
  /** The release that the ledger calls live. */
  readonly release: string | undefined;
}

/** @returns what is live of a service with one container */
export async function liveOf(project: Project, service: string): Promise<Live> {
  const container = await project.inspect(service);
  return {
    container: container.Id,
    image: container.Image,
    environment: [...container.Config.Env].sort(),
    named: await docker('image', 'inspect', '--format', '{{.Id}}', container.Config.Image),
    commit: await project.git('rev-parse', 'HEAD'),
    release: liveRelease(await historyOf(project, service))?.id,
  };
}

/** @returns the ledger of a service, read from the engine anew */
export async function historyOf(project: Project, service: string): Promise<ServiceHistory> {
  return (await ledgerOf(project)).history(service);
}

/** @returns the ledger of a project; what cannot be read in it is thrown */
export async function ledgerOf(project: Project): Promise<Ledger> {
  const { records: api } = await testEngine();
  return createLedger({
    records: createRecords(api, project.name),
    project: project.name,
    onBroken: (error) => {
      throw error;
    },
  });
}

/** The release of before is live again, in a container of its own: image, environment, names, checkout, ledger. */
export async function expectBack(project: Project, service: string, before: Live, log: string): Promise<void> {
  const now = await liveOf(project, service);
  expect(now.container, log).not.toBe(before.container);
  expect({ ...now, container: '' }, log).toEqual({ ...before, container: '' });
  const { State } = await project.inspect(service);
  expect(State.Running, log).toBe(true);
  expect(State.Health?.Status ?? 'none', log).not.toBe('unhealthy');
}

/** Nothing was touched: not even the container is another one. */
export async function expectUntouched(project: Project, service: string, before: Live, log: string): Promise<void> {
  expect(await liveOf(project, service), log).toEqual(before);
}

/** @returns releases that the ledger calls bad */
export async function badReleases(project: Project, service: string): Promise<readonly string[]> {
  const history = await historyOf(project, service);
  return history.releases.flatMap(({ id }) => (isBad(history, id) ? [id] : []));
}

/** Carries `code-update` of a service out; no service: all of the project. */
export function update(
  project: Project,
  service: string,
  inputs: Readonly<Record<string, string>> = {},
  options: Parameters<typeof carryOut>[2] = {},
): Promise<Carried> {
  return carryOut(project, { procedure: 'code-update', service, ...inputs }, options);
}

/** Deploys and insists on it: what a test begins with. */
export async function deploy(
  project: Project,
  service: string,
  inputs: Readonly<Record<string, string>> = {},
): Promise<Carried> {
  const carried = await update(project, service, inputs);
  expect(carried.report.outcome, carried.log).toBe('deployed');
  return carried;
}

/** @returns every line of the error's excerpts */
export function excerptOf({ report }: Carried): string {
  return (report.error?.excerpt ?? []).flatMap(({ title, lines }) => [title, ...lines]).join('\n');
}
