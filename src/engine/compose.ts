import type { ChildRedactor } from '../host/child.js';
import { ProcedureError } from '../model/errors.js';
import { helperLabels } from '../model/own-names.js';
import type { Compose } from '../model/ports/engine.js';
import { childEnvironment, type Environment } from '../host/environment.js';
import { composeArgs, DockerCli, NOTHING_NEW, reasonIn } from './compose-cli.js';
import { composeHashes, documentHashes } from './compose-hashes.js';
import { composePlace } from './compose-place.js';
import { pullImage, pushImage, registryProblem } from './compose-registry.js';
import { documentTarget, renderProject } from './compose-render.js';
import { variablesOf } from './compose-variables.js';
import { makeTemplate, withLabels } from './compose-template.js';
import { forgetsDependencies, up } from './compose-up.js';

export interface ComposeOptions {
  /** What the CLI gets to see: the same engine as the API client's, the user's credentials and COMPOSE_ variables. */
  readonly environment: Environment;
  readonly debug: (line: string) => void;
  /** For what the CLIs print, a build above all. */
  readonly redactor?: ChildRedactor;
  /** Whose helper containers are labelled with it. */
  readonly run?: string;
}

/** The Docker and Compose CLIs: the plugin `docker compose`, 2.24 or newer, and 5. */
export function createCompose({ environment, debug, redactor, run = 'none' }: ComposeOptions): Compose {
  const own = childEnvironment(environment);
  const cli = new DockerCli(own, debug, redactor);
  let known: Promise<string> | undefined;
  const version = (): Promise<string> => (known ??= composeVersion(cli));
  return {
    version,
    place: (target) => composePlace(cli, own, target),
    render: (target) => renderProject(cli, target),
    hashes: (target) => composeHashes(cli, target),
    documentHashes: (document, directory) => documentHashes(cli, document, directory),
    variables: (target, names) => variablesOf(cli, target, names),

    async build({ document, directory, service, pullBase, onLine, signal, timeoutMs }) {
      await cli.demand({
        args: [
          ...composeArgs(documentTarget(document, directory)),
          ...['--profile', '*', 'build', ...(pullBase ? ['--pull'] : []), service],
        ],
        directory,
        input: JSON.stringify(document),
        onLine,
        signal,
        timeoutMs,
        title: `docker compose build ${service}`,
        code: 'E_BUILD',
        next: 'Correct the build; the same command on the host shows the same. Nothing that runs was touched.',
      });
    },

    makeTemplate: (options) => makeTemplate(cli, run, options),
    async create({ document, services, helper, signal, timeoutMs }) {
      await cli.demand({
        args: [...composeArgs(documentTarget(document, '/')), 'create', ...NOTHING_NEW, ...services],
        directory: '/',
        input: JSON.stringify(
          helper === undefined ? document : withLabels(document, services, helperLabels(helper, run, Date.now())),
        ),
        signal,
        timeoutMs,
        title: `docker compose create ${services.join(' ')}`,
        code: 'E_COMPOSE',
        next: 'Compose says below why. Nothing of the service was touched.',
      });
    },

    keepsVolumes: async (hasDependencies) => !hasDependencies || !forgetsDependencies(await version()),
    up: async (options) => up(cli, options, await version()),
    pull: (reference, onLine, signal, timeoutMs) => pullImage(cli, { reference, onLine, signal, timeoutMs }),
    push: (reference, onLine, signal, timeoutMs) => pushImage(cli, { reference, onLine, signal, timeoutMs }),
    registryProblem: (reference, timeoutMs) => registryProblem(cli, reference, timeoutMs),
  };
}

/** @returns `2.26.1`, without a leading `v` and a distribution's own suffix */
async function composeVersion(cli: DockerCli): Promise<string> {
  const answer = await cli.run({ args: ['compose', 'version', '--short'], title: 'docker compose version' });
  const found = /^v?(\d+\.\d+(?:\.\d+)?)/.exec(answer.stdout)?.[1];
  if (answer.exitCode === 0 && found !== undefined) return found;
  const reason = reasonIn(answer.stderr);
  throw new ProcedureError('E_ENGINE_UNREACHABLE', `docker compose does not work on this host: ${reason}`, {
    next: 'Install the Docker CLI and its Compose plugin for the user that runs this. Nothing was changed.',
  });
}
