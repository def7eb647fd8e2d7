/** A project to see what each procedure leaves on engine and disk. */
import { join } from 'node:path';
import { expect } from 'vitest';
import { isGreen } from '../../src/model/outcome.js';
import { killVariables, openDoor, openShell, wasKilled } from './doors.js';
import { EDGE_IMAGE } from './edge.js';
import { docker } from './engine-containers.js';
import { changesBetween, takeInventory } from './inventory.js';
import { carryOut } from './procedure.js';
import { makeOwnBase } from './own-image.js';
import { makeProject, type Project } from './project.js';

/** Two services on a network of the file: there is no default network, and nothing may make one. */
const COMPOSE = `services:
  app:
    build: {context: ., args: {BASE_IMAGE: '\${BASE_IMAGE:-node:22-alpine}'}}
    ports: ['\${HOST_PORT:-0}:8080']
    networks: [front]
    depends_on: [edge]
    environment: {WHO: '\${WHO:-app}'}
    volumes: ['state:/data']
    healthcheck:
      test: ['CMD', 'wget', '-q', '-O', '/dev/null', 'http://127.0.0.1:8080/health']
      interval: 1s
      start_period: 1s
    restart: unless-stopped
    stop_grace_period: 1s
  edge:
    image: \${COMPOSE_PROJECT_NAME}-base:node
    pull_policy: never
    command: [sleep, infinity]
    init: true
    restart: unless-stopped
    networks: [front]
networks:
  front:
volumes:
  state:
x-rolling-restart:
  services:
    app: {shared-volumes: [state]}
`;

export type Inputs = Readonly<Record<string, string>>;

export interface Step {
  readonly is: string;
  readonly inputs: Inputs;
  /** Belongs to the step: what it changes is in `leaves`. */
  readonly before?: (project: Project) => Promise<unknown>;
  readonly outcome: string;
  /** What it is meant to leave, and nothing else: `+` new, `-` gone, `~` another one. */
  readonly leaves: readonly string[];
}

export const version =
  (number: string, chaos = '') =>
  (project: Project): Promise<string> =>
    project.commitRelease({ version: number, chaos });
export const update = (inputs: Inputs = {}): Inputs => ({ procedure: 'code-update', ...inputs });

/** A release has an image under our own name; the checkout is at its commit. */
export const RELEASE = [
  ...['+ image rolling-restart/P-app:R', '~ image P-app:latest'],
  ...['~ file live/app/release.json', '~ worktree live'],
];
export const SAME = ['~ container P-app-N'];
export const NEXT = ['+ container P-app-N', '- container P-app-N'];
export const BACKUP = [
  ...['/SHA256SUMS', '/manifest.json', '/state.tar.gz'].map((name) => `+ file backups/P/app/R${name}`),
  '+ folder backups/P/app/R',
];

/** What a row of a table is about, so that a test can tell whether all there is has a row. */
export function rowsOf(steps: readonly { readonly inputs: Inputs }[], input: string): readonly string[] {
  return [...new Set(steps.flatMap(({ inputs }) => inputs[input] ?? []))].sort();
}

/** Each step goes on from where the one before left the project. */
export interface Leftovers {
  readonly project: Project;
  /** Begins to compare anew. */
  look(): Promise<void>;
  /** @returns what differs since the last look, without what is another one each time */
  changes(): Promise<readonly string[]>;
  /** Carries out what a later step needs; it has to end well. */
  prepare(inputs: Inputs, before?: Step['before']): Promise<void>;
  /** Carries a step out, and expects that it leaves what it says. */
  step(step: Step): Promise<void>;
  /** Types a command that only the shell has. @returns what it printed */
  type(command: string, inputs?: Inputs): Promise<string>;
  /** @param when the time of its death: a journal record, or what is seen from outside */
  kill(inputs: Inputs, when: string | (() => Promise<boolean>)): Promise<void>;
  /** @returns ids of helper containers of the project */
  helpers(): Promise<string>;
}

/** The caller owns the project and calls `cleanup()` of it. */
export async function makeLeftovers(): Promise<Leftovers> {
  const project = await makeProject({ fixture: 'plain', files: { 'compose.yaml': COMPOSE } });
  await makeOwnBase(`${project.name}-base:node`);
  await project.compose(['up', '-d', 'edge']);
  let last: Awaited<ReturnType<typeof takeInventory>> = [];
  const common = (): Inputs => ({
    ...{ service: 'app', 'drain-timeout': '1s', 'edge-image': EDGE_IMAGE, 'keep-releases': '50' },
    'backup-dir': join(project.root, 'backups'),
  });
  const look = async (): Promise<void> => {
    last = await takeInventory(project);
  };
  const changes = async (): Promise<readonly string[]> => {
    const lines = changesBetween(last, await takeInventory(project)).map((line) => plain(line, project));
    // The lock is another volume each time, and there is one of them.
    const locks = lines.filter((line) => line.endsWith('volume rolling-restart.P.lock'));
    const isLock = (line: string): boolean => locks.length === 2 && locks.includes(line);
    // What ran before the last change has another name after each.
    return lines.filter((line) => !isLock(line) && line !== '~ image P-app:previous').sort();
  };
  return {
    project,
    look,
    changes,
    async prepare(inputs, before) {
      await before?.(project);
      const { report, log } = await carryOut(project, { ...common(), ...inputs });
      expect(isGreen(report.outcome), log).toBe(true);
    },
    async step({ inputs, before, outcome, leaves }) {
      await look();
      await before?.(project);
      const { report, log } = await carryOut(project, { ...common(), ...inputs });
      expect(report.outcome, log).toBe(outcome);
      expect(await changes(), log).toEqual([...leaves].sort());
    },
    async type(command, inputs = {}) {
      const door = openShell(project, command, inputs);
      expect(await door.ended, door.output()).toBe(0);
      return door.output();
    },
    async kill(inputs, when) {
      const variables = typeof when === 'string' ? killVariables(when) : {};
      const door = openDoor(project, 'main', { ...common(), ...inputs }, {}, variables);
      if (typeof when === 'string') {
        expect(await wasKilled(door), door.output()).toBe(true);
        return;
      }
      await expect.poll(when, { timeout: 60_000, interval: 5 }).toBe(true);
      await door.kill();
    },
    helpers: () =>
      docker('ps', '-aq', ...['rolling-restart.helper', `rolling-restart.project=${project.name}`].flatMap(byLabel)),
  };
}

const byLabel = (label: string): readonly string[] => ['--filter', `label=${label}`];

/** @returns a line without details, and without what is another one each time */
function plain(line: string, { name }: Project): string {
  return line
    .replace(/^(. .*?): .*$/, '$1')
    .replaceAll(name, 'P')
    .replace(/(container \S+)-\d+$/, '$1-N')
    .replace(/\d{8}[tT]\d{6}[zZ]-[0-9a-f]{6}/, 'R')
    .replace(/\.lock\.g\d+$/, '.lock');
}
