import { readFileSync, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

export interface Step {
  readonly name?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly if?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}

export interface Concurrency {
  readonly group?: string;
  readonly 'cancel-in-progress'?: unknown;
  readonly queue?: string;
}

export interface Job {
  readonly uses?: string;
  readonly if?: string;
  readonly needs?: string | readonly string[];
  readonly 'runs-on'?: unknown;
  readonly 'timeout-minutes'?: unknown;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly concurrency?: Concurrency;
  readonly environment?: Readonly<Record<string, unknown>>;
  readonly steps?: readonly Step[];
  readonly with?: Readonly<Record<string, unknown>>;
  readonly secrets?: unknown;
  readonly outputs?: Readonly<Record<string, string>>;
}

export interface DeclaredInput {
  readonly type: 'string' | 'boolean' | 'number';
  readonly description?: string;
  readonly required?: boolean;
  readonly default?: unknown;
}

export interface WorkflowCall {
  readonly inputs: Readonly<Record<string, DeclaredInput>>;
  readonly outputs: Readonly<Record<string, { readonly description?: string; readonly value: string }>>;
  readonly secrets: Readonly<Record<string, { readonly required?: boolean }>>;
}

export interface WorkflowFile {
  readonly name: string;
  readonly path: string;
  readonly text: string;
  readonly on: Readonly<Record<string, unknown>> & { readonly workflow_call?: WorkflowCall };
  readonly permissions: unknown;
  readonly jobs: Readonly<Record<string, Job>>;
}

/** All workflow files in a folder of the repository. */
export function readWorkflows(folder: string): WorkflowFile[] {
  return readdirSync(join(ROOT, folder)).map((file) => {
    const path = join(ROOT, folder, file);
    const text = readFileSync(path, 'utf8');
    const parsed = parse(text) as Omit<WorkflowFile, 'name' | 'path' | 'text'>;
    return { ...parsed, name: basename(file), path, text };
  });
}

export const OWN_WORKFLOWS = '.github/workflows';
export const EXAMPLE_WORKFLOWS = 'examples/roma/.github/workflows';
