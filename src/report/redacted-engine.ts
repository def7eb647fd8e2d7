import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { Transform, type Readable } from 'node:stream';
import { parseEnv } from 'node:util';
import type { ByteFilter, Redactor } from '../model/ports/progress.js';
import type { Compose, ComposeTarget, Engine } from '../model/ports/engine.js';
import type { IsolatedCompose } from '../model/ports/isolated-compose.js';
import type { ComposeProject, FileObject, ObservedContainer } from '../model/service.js';
import { looksSecret } from './secret-names.js';

/**
 * The engine as the rest of the program sees it: the variables of every container that it shows are learned before anything
 * about that container is written, and text of containers is redacted before it is cut into lines.
 */
export function redactedEngine<T extends Engine>(engine: T, redactor: Redactor): T {
  const learned = (container: ObservedContainer): ObservedContainer => {
    redactor.learn(container.environment.map(assignment));
    return {
      ...container,
      healthLog: container.healthLog.map((probe) => ({ ...probe, output: redactor.cutText(probe.output) })),
    };
  };
  return {
    ...engine,
    containers: async (project, service) => (await engine.containers(project, service)).map(learned),
    container: async (id) => {
      const found = await engine.container(id);
      return found === undefined ? undefined : learned(found);
    },
    logs: async (id, options) => filtered(await engine.logs(id, options), redactor.stream()),
    top: async (id) => (await engine.top(id)).map((line) => redactor.commandLine(line)),
  };
}

/** Compose likewise: every document that it renders is learned. @param environment what Compose sees */
export function redactedCompose(compose: Compose, redactor: Redactor, environment: NodeJS.ProcessEnv): Compose {
  return {
    ...compose,
    render: async (target) => {
      const project = await compose.render(target);
      redactor.learnDocument(project.document, [target.directory, ...target.files, ...target.envFiles]);
      redactor.learn([
        ...(await secretsInFiles(project)),
        ...(await secretsOfEnvironment(project, target, environment)),
      ]);
      return project;
    },
  };
}

/** Files of the host that a commit names which nobody has read are left alone: only its document is learned. */
export function redactedIsolated(isolated: IsolatedCompose, redactor: Redactor): IsolatedCompose {
  return {
    render: async (target, tree, options) => {
      const project = await isolated.render(target, tree, options);
      redactor.learnDocument(project.document, [target.directory, ...target.files]);
      return project;
    },
  };
}

interface Named {
  readonly name: string;
  readonly value: string;
}

/** A secret that is not a small text is no password. */
const SECRET_FILE_LIMIT_BYTES = 16 * 1024;

/** Contents of `secrets:` are secrets wherever they turn up. */
async function secretsInFiles({ secrets }: ComposeProject): Promise<readonly Named[]> {
  const found: Named[] = [];
  for (const [name, { file }] of Object.entries(secrets)) {
    if (file === undefined) continue;
    const facts = await stat(file).catch(() => undefined);
    if (facts?.isFile() !== true || facts.size > SECRET_FILE_LIMIT_BYTES) continue;
    const value = await readFile(file, 'utf8').catch(() => ''); // unreadable for us is unreadable for our logs
    found.push({ name: `secret ${name}`, value });
  }
  return found;
}

/** What `secrets:` and `configs:` take from variables, and what has a secret-like name where Compose reads variables from. */
async function secretsOfEnvironment(
  { secrets, configs }: ComposeProject,
  target: ComposeTarget,
  environment: NodeJS.ProcessEnv,
): Promise<readonly Named[]> {
  const variables: Record<string, string | undefined> = {};
  const folders = [target.directory, ...target.files.slice(0, 1).map((file) => path.dirname(file))];
  const files = target.envFiles.length > 0 ? target.envFiles : folders.map((folder) => path.join(folder, '.env'));
  for (const file of new Set(files)) Object.assign(variables, parseEnv(await readFile(file, 'utf8').catch(() => '')));
  Object.assign(variables, environment);
  const objects = Object.entries<FileObject>({ ...configs, ...secrets });
  const taken = objects.flatMap(([object, { environment: name }]) => {
    const value = name === undefined ? undefined : variables[name];
    return value === undefined ? [] : [{ name: `secret ${object}`, value }];
  });
  const named = Object.entries(variables).flatMap(([name, value]) =>
    value !== undefined && looksSecret(name) ? [{ name, value }] : [],
  );
  return [...taken, ...named];
}

/** `NAME=value` */
function assignment(entry: string): Named {
  const split = entry.indexOf('=');
  return { name: entry.slice(0, split), value: entry.slice(split + 1) };
}

/** Destroying the result closes the connection to the engine, and an error of the engine is one of the result. */
function filtered(source: Readable, filter: ByteFilter): Readable {
  const clean = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      for (const part of filter.push(chunk)) this.push(part);
      done();
    },
    flush(done) {
      for (const part of filter.end()) this.push(part);
      done();
    },
  });
  source.once('error', (error) => clean.destroy(error));
  clean.once('close', () => source.destroy());
  source.pipe(clean);
  return clean;
}
