import { z } from 'zod';
import { ProcedureError } from '../model/errors.js';
import { recordsName } from './names.js';

/** A record, or why its file cannot be read as one. */
export type ReadRecord<T> =
  { readonly kind: 'record'; readonly value: T } | { readonly kind: 'broken'; readonly error: ProcedureError };

/** Reads one record's file. The error says which file, what is wrong with it and how to look at it. */
export function readRecord<T>(project: string, path: string, content: Buffer, schema: z.ZodType<T>): ReadRecord<T> {
  let problem: string;
  try {
    const parsed = schema.safeParse(JSON.parse(content.toString('utf8')));
    if (parsed.success) return { kind: 'record', value: parsed.data };
    problem = z.prettifyError(parsed.error).replaceAll(/\s*\n\s*/g, '; ');
  } catch (error) {
    // Not the parser's own words: they quote the text, and a definition is a secret.
    problem = content.length === 0 ? 'the file is empty' : error instanceof SyntaxError ? 'not JSON' : String(error);
  }
  const name = recordsName(project);
  return {
    kind: 'broken',
    error: new ProcedureError('E_LEDGER', `The record ${path} in volume ${name} cannot be read: ${problem}`, {
      next: `A newer version may have written it, or the disk lost it. Look at it with \`docker cp ${name}:<mount>/${path} -\`.`,
    }),
  };
}
