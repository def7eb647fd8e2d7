import { stat } from 'node:fs/promises';
import {
  inlineFiles,
  type ComposeProject,
  type FileObject,
  type InlineFile,
  type ServiceDefinition,
} from '../model/service.js';
import type { IdentifiedContainer } from './candidate.js';
import type { Viewing } from './session.js';

/** A config or secret of which a container has something else than the compose files say. */
export interface OtherInlineFile extends InlineFile {
  /** `config motd` */
  readonly label: string;
  /** What the container has; undefined when the engine cannot read it there. A secret. */
  readonly content: Buffer | undefined;
}

/**
 * Reads in the containers what Compose copied into them. Neither Compose's hash nor ours sees a changed value of an
 * environment secret, and nothing recorded what a container has that was started by hand.
 */
export async function otherInlineFiles(
  viewing: Viewing,
  project: ComposeProject,
  definition: ServiceDefinition,
  containers: readonly IdentifiedContainer[],
): Promise<readonly OtherInlineFile[]> {
  const files = inlineFiles(project, definition).filter(({ object }) => isKnown(object));
  const running = containers.filter(({ state }) => state === 'running');
  if (files.length === 0 || running.length === 0) return [];
  const names = files.flatMap(({ object }) => object.environment ?? []);
  const values = await viewing.compose.variables(viewing.opened.target, names);
  viewing.redactor.learn(
    files.flatMap(({ kind, name, object }) =>
      kind === 'secret' && object.environment !== undefined
        ? [{ name: `secret ${name}`, value: values[object.environment] ?? '' }]
        : [],
    ),
  );
  const found: OtherInlineFile[] = [];
  for (const file of files) {
    const wanted = wantedContent(file, values);
    for (const { id } of running) {
      const content = await viewing.engine.readFile(id, file.target);
      if (content?.equals(Buffer.from(wanted)) === true) continue;
      found.push({ ...file, label: `${file.kind} ${file.name}`, content });
      break;
    }
  }
  return found;
}

/** Compose substitutes only what has the form of a variable. */
function isKnown({ environment }: FileObject): boolean {
  return environment === undefined || /^[A-Za-z_]\w*$/.test(environment);
}

/** A `$` is doubled in what Compose renders. */
function wantedContent({ object }: InlineFile, values: Readonly<Record<string, string>>): string {
  if (object.environment !== undefined) return values[object.environment] ?? '';
  return (object.content ?? '').replaceAll('$$', '$');
}

/** @returns a rendered document with the contents of configs that the containers have, so that they can come back */
export function withFoundContents(
  document: Readonly<Record<string, unknown>>,
  others: readonly OtherInlineFile[],
): Readonly<Record<string, unknown>> {
  const configs = (document['configs'] ?? {}) as Readonly<Record<string, object>>;
  const found = others.flatMap(({ kind, name, content, object }) =>
    kind === 'config' && content !== undefined && object.environment === undefined
      ? [[name, { ...configs[name], content: content.toString('utf8').replaceAll('$', '$$$$') }] as const]
      : [],
  );
  return found.length === 0 ? document : { ...document, configs: { ...configs, ...Object.fromEntries(found) } };
}

/**
 * A file that was written or replaced after a container started: the container may have the file of before, which nobody
 * can read any more when another one has its name (moby/moby#15793).
 * @returns paths of single files; a folder shows its changes in the container at once
 */
export async function newerFiles(
  paths: readonly string[],
  containers: readonly IdentifiedContainer[],
): Promise<readonly string[]> {
  const started = Math.min(...containers.map(({ startedAt }) => Date.parse(startedAt)));
  const newer: string[] = [];
  for (const path of paths) {
    const facts = await stat(path).catch(() => undefined);
    if (facts?.isFile() === true && Math.max(facts.mtimeMs, facts.ctimeMs) > started) newer.push(path);
  }
  return newer;
}
