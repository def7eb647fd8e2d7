import { access, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { ComposePlace, ComposeTarget } from '../model/ports/engine.js';
import type { DockerCli } from './compose-cli.js';
import { variablesOf } from './compose-variables.js';

/** What Compose reads where no file is named, and what it lays over it (compose-go, cli/options.go). */
const DEFAULT_FILES: readonly string[] = ['compose.yaml', 'compose.yml', 'docker-compose.yml', 'docker-compose.yaml'];
const OVERRIDE_FILES: readonly string[] = [
  'compose.override.yml',
  'compose.override.yaml',
  'docker-compose.override.yml',
  'docker-compose.override.yaml',
];

type Environment = Readonly<Record<string, string | undefined>>;
type Cli = Pick<DockerCli, 'demand'>;

/**
 * Which files, folder and profiles Compose uses for a target, by Compose's own rules: files that are named, else those of
 * `COMPOSE_FILE`, else the default files of the folder or of the nearest folder above. The folder of the first file is the
 * project directory. Compose prints none of this, so the files are looked for here; what `COMPOSE_FILE` and
 * `COMPOSE_PROFILES` are is Compose's own answer, since they may stand in an env file.
 *
 * Costs a few looks at the disk, and one call (0.04 s) for each of the two variables that is set anywhere.
 */
export async function composePlace(cli: Cli, environment: Environment, target: ComposeTarget): Promise<ComposePlace> {
  const chosen = await filesOf(cli, environment, target);
  const [first] = chosen.files;
  const directory = target.projectDirectory ?? (first === undefined ? target.directory : path.dirname(first));
  const profiles = await ask(cli, environment, { ...target, projectDirectory: directory }, ['COMPOSE_PROFILES']);
  return {
    ...chosen,
    directory,
    profiles: (profiles['COMPOSE_PROFILES'] ?? '').split(',').flatMap((name) => name.trim() || []),
    named: await isNamed(environment, { ...target, projectDirectory: directory }),
  };
}

async function filesOf(
  cli: Cli,
  environment: Environment,
  target: ComposeTarget,
): Promise<Pick<ComposePlace, 'files' | 'byDefault'>> {
  const absolute = (file: string): string => path.resolve(target.directory, file);
  if (target.files.length > 0) return { files: target.files.map(absolute), byDefault: false };
  const found = await ask(cli, environment, target, ['COMPOSE_FILE', 'COMPOSE_PATH_SEPARATOR']);
  const files = found['COMPOSE_FILE'] ?? '';
  if (files === '') return { files: await defaultFiles(target.directory), byDefault: true };
  const separator = found['COMPOSE_PATH_SEPARATOR'] || path.delimiter;
  return { files: files.split(separator).map(absolute), byDefault: false };
}

/** @returns the default files that Compose finds from a folder, its override file included; none when there are none */
export async function defaultFiles(directory: string): Promise<readonly string[]> {
  const first = await firstOf(directory, DEFAULT_FILES);
  if (first !== undefined) {
    const override = await firstOf(directory, OVERRIDE_FILES);
    return override === undefined ? [first] : [first, override];
  }
  const above = path.dirname(directory);
  return above === directory ? [] : defaultFiles(above);
}

async function firstOf(folder: string, names: readonly string[]): Promise<string | undefined> {
  for (const name of names) {
    const file = path.join(folder, name);
    const isThere = await access(file).then(
      () => true,
      () => false,
    );
    if (isThere) return file;
  }
  return undefined;
}

/** @returns nothing, without asking Compose, where the first of them is set nowhere */
async function ask(
  cli: Cli,
  environment: Environment,
  target: ComposeTarget,
  names: readonly [string, ...string[]],
): Promise<Readonly<Record<string, string>>> {
  if (environment[names[0]] === undefined && !(await isMentioned(environment, target, names[0]))) return {};
  return variablesOf(cli, target, names);
}

async function isMentioned(environment: Environment, target: ComposeTarget, name: string): Promise<boolean> {
  return (await envFileTexts(environment, target)).some((text) => text.includes(name));
}

async function isNamed(environment: Environment, target: ComposeTarget): Promise<boolean> {
  if ((target.projectName ?? environment['COMPOSE_PROJECT_NAME'] ?? '') !== '') return true;
  const line = /^\s*(?:export\s+)?COMPOSE_PROJECT_NAME\s*[=:]\s*\S/m;
  return (await envFileTexts(environment, target)).some((text) => line.test(text));
}

async function envFileTexts(environment: Environment, target: ComposeTarget): Promise<readonly string[]> {
  const { directory, projectDirectory, envFiles } = target;
  const named = (environment['COMPOSE_ENV_FILES'] ?? '').split(',').filter((file) => file !== '');
  const folders = projectDirectory === undefined ? [directory] : [directory, projectDirectory];
  const files = [
    ...folders.map((folder) => path.join(folder, '.env')),
    ...[...envFiles, ...named].map((file) => path.resolve(directory, file)),
  ];
  return Promise.all(files.map((file) => readFile(file, 'utf8').catch(() => '')));
}
