import path from 'node:path';
import { definitionDiff, filesDiff } from '../model/definition-diff.js';
import type { Decision } from '../model/plan.js';
import type { ReleaseWithDefinition } from '../model/release.js';
import type { Current } from './candidate.js';
import type { Viewing } from './session.js';

/** Longest diff that is shown of one service. */
const LONGEST = 200;

/** What a service is to become. */
interface Wanted {
  readonly service: string;
  /** The compose document reduced to the service. A secret. */
  readonly document: Readonly<Record<string, unknown>>;
  readonly files: Readonly<Record<string, string>>;
}

/**
 * The runbook's `git diff docker-compose.yml`, and more than it: what differs between the configuration that runs and the
 * wanted one, whatever file it comes from, with secrets hidden.
 * @returns lines of a unified diff; empty when nothing of the configuration differs or nothing is known about before
 */
export function changedConfiguration(
  viewing: Viewing,
  decision: Decision,
  { service, document, files }: Wanted,
  current: Current,
): readonly string[] {
  if (decision.kind !== 'change') return [];
  const kept = current.definition;
  const before = kept?.definitionFrom === 'rendered' ? kept : undefined;
  const wanted = partOf(document, service);
  const old = before === undefined ? knownFromContainer(current, wanted) : partOf(before.definition, service);
  if (old === undefined) return [];
  // The redactor has seen the environment of today, and not that of before.
  viewing.redactor.learn(environmentOf(old));
  const shown = (part: unknown): { readonly raw: unknown; readonly shown: unknown } => ({
    raw: part,
    shown: viewing.redactor.json(part),
  });
  const directory = viewing.request.workingDirectory;
  const name = (file: string): string => {
    const relative = path.relative(directory, file);
    return relative.startsWith('..') ? file : relative;
  };
  const lines = [
    ...definitionDiff(shown(old), shown(wanted)),
    ...filesDiff(before?.files, files, name).map((line) => viewing.redactor.text(line)),
  ];
  if (lines.length === 0) return [];
  const left = lines.length - LONGEST;
  return [
    `--- ${service}: ${titleOf(before, current)}`,
    `+++ ${service}: wanted`,
    ...lines.slice(0, LONGEST),
    ...(left > 0 ? [`(${left} more lines)`] : []),
  ];
}

function titleOf(before: ReleaseWithDefinition | undefined, current: Current): string {
  if (before !== undefined) return `release ${before.id}`;
  return `environment of ${current.containers[0]?.name ?? 'the container'}`;
}

/** The service's own keys at the top, and what it uses of the project below `project`. */
function partOf(document: Readonly<Record<string, unknown>>, service: string): Readonly<Record<string, unknown>> {
  const services = (document['services'] ?? {}) as Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  const used = ['networks', 'volumes', 'configs', 'secrets'].map((key) => [key, document[key] ?? {}] as const);
  return { ...services[service], project: Object.fromEntries(used) };
}

/**
 * What is known of a container that nobody recorded: its environment. Variables of its image are in it too, so that only
 * those count which the wanted definition names.
 */
function knownFromContainer(
  { containers }: Current,
  wanted: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> | undefined {
  const [container] = containers;
  if (container === undefined) return undefined;
  const named = (wanted['environment'] ?? {}) as Readonly<Record<string, unknown>>;
  const environment = Object.fromEntries(
    container.environment.flatMap((line) => {
      const split = line.indexOf('=');
      const key = line.slice(0, split);
      return key in named ? [[key, line.slice(split + 1).replaceAll('$', '$$$$')]] : [];
    }),
  );
  return { ...wanted, environment };
}

function environmentOf(part: Readonly<Record<string, unknown>>): readonly { name: string; value: string }[] {
  const environment = (part['environment'] ?? {}) as Readonly<Record<string, unknown>>;
  return Object.entries(environment).flatMap(([name, value]) =>
    typeof value === 'string' ? [{ name, value: value.replaceAll('$$', '$') }] : [],
  );
}
