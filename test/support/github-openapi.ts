import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Ajv, type ErrorObject } from 'ajv';
import addFormats from 'ajv-formats';

/** As much of an OpenAPI description as is read here. */
interface Description {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly parameters: Readonly<Record<string, Parameter>> };
}
interface Operation {
  readonly parameters?: readonly (Parameter | { readonly $ref: string })[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly content?: Content }>>;
}
interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query';
  readonly required?: boolean;
  readonly schema: object;
  /** In a path: there may be slashes in it. */
  readonly 'x-multi-segment'?: boolean;
}
type Content = Readonly<
  Record<string, { readonly schema: { readonly properties?: Readonly<Record<string, unknown>> } }>
>;

const JSON_TYPE = 'application/json';
const BYTES_TYPE = 'application/octet-stream';
const file = fileURLToPath(new URL('github-openapi.json', import.meta.url));
const description = JSON.parse(readFileSync(file, 'utf8')) as Description;
const ajv = new Ajv({ strict: false, allErrors: true, coerceTypes: false, validateSchema: false });
addFormats(ajv);
ajv.addSchema(description, 'github');

export interface Asked {
  readonly method: string;
  readonly pathname: string;
  readonly query: URLSearchParams;
  readonly body: unknown;
  readonly contentType: string;
}

/** @returns what of a request GitHub's own description does not know or allow; empty when it is as described */
export function requestProblems({ method, pathname, query, body, contentType }: Asked): readonly string[] {
  const found = operationOf(method, pathname);
  if (found === undefined) return [`${method} ${pathname} is not described`];
  const { operation, place } = found;
  const parameters = (operation.parameters ?? []).map(resolved);
  const known = new Map(parameters.filter((one) => one.in === 'query').map((one) => [one.name, one.schema]));
  const problems: string[] = [];
  for (const [name, text] of query) {
    const schema = known.get(name);
    if (schema === undefined) problems.push(`${method} ${pathname} has no query parameter ${name}`);
    // Everything in an address is text.
    else if (!fits(schema, text) && !fits(schema, Number(text)))
      problems.push(`${name}=${text} is not what is described`);
  }
  // A file may be anything, and is said to be something.
  if (operation.requestBody?.content[BYTES_TYPE] !== undefined)
    return contentType === '' ? [...problems, `${method} ${pathname} does not say what the file is`] : problems;
  const content = operation.requestBody?.content[JSON_TYPE];
  if (content === undefined) return body === undefined ? problems : [...problems, `${method} takes no body`];
  const pointer = `${place}/requestBody/content/${escaped(JSON_TYPE)}/schema`;
  problems.push(...schemaProblems(pointer, body));
  for (const name of Object.keys(body ?? {})) {
    if (content.schema.properties?.[name] === undefined) problems.push(`the body has no property ${name}`);
  }
  return problems;
}

/** @returns what of an answer is not as GitHub describes it: a double that says something else proves nothing */
export function answerProblems(method: string, pathname: string, status: number, body: unknown): readonly string[] {
  const found = operationOf(method, pathname);
  const described = found?.operation.responses[String(status)];
  if (found === undefined || described === undefined) return [`${method} ${pathname} is never answered with ${status}`];
  if (described.content === undefined) return [];
  return schemaProblems(`${found.place}/responses/${status}/content/${escaped(JSON_TYPE)}/schema`, body);
}

function fits(schema: object, value: unknown): boolean {
  return ajv.validate(schema, value);
}

function operationOf(method: string, pathname: string): { operation: Operation; place: string } | undefined {
  for (const [template, operations] of Object.entries(description.paths)) {
    const operation = operations[method.toLowerCase()];
    if (operation === undefined) continue;
    const many = (operation.parameters ?? []).map(resolved).filter((one) => one['x-multi-segment'] === true);
    const segments = (_: string, name: string): string => (many.some((one) => one.name === name) ? '.+' : '[^/]+');
    const pattern = new RegExp(`^${template.replaceAll(/\{([^}]+)\}/g, segments)}$`);
    if (pattern.test(pathname)) return { operation, place: `#/paths/${escaped(template)}/${method.toLowerCase()}` };
  }
  return undefined;
}

function resolved(parameter: Parameter | { readonly $ref: string }): Parameter {
  if (!('$ref' in parameter)) return parameter;
  const name = parameter.$ref.split('/').at(-1) ?? '';
  const known = description.components.parameters[name];
  if (known === undefined) throw new Error(`no parameter ${name} in the description`);
  return known;
}

function schemaProblems(pointer: string, value: unknown): readonly string[] {
  const validate = ajv.compile({ $ref: `github${pointer}` });
  if (validate(value)) return [];
  return (validate.errors ?? []).map(
    ({ instancePath, message }: ErrorObject) => `${instancePath || '/'} ${message ?? ''}`,
  );
}

/** As a part of a JSON pointer in an address. */
function escaped(key: string): string {
  return encodeURIComponent(key.replaceAll('~', '~0').replaceAll('/', '~1'));
}
