import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createInstance, getHttpOperationsFromSpec, type IHttpProxyConfig } from '@stoplight/prism-http';

/** As much of an OpenAPI description as is read here; Prism reads the rest. */
interface Description {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly parameters: Readonly<Record<string, Parameter>> };
}
interface Operation {
  readonly parameters?: readonly (Parameter | { readonly $ref: string })[];
  readonly requestBody?: { readonly content: Content };
}
interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query';
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

export interface Exchange {
  readonly method: string;
  readonly pathname: string;
  readonly query: URLSearchParams;
  readonly body: unknown;
  readonly contentType: string;
  /** What the double says to it; undefined when that is not to be held against the description. */
  readonly answer: { readonly status: number; readonly body: unknown } | undefined;
}

/**
 * Prism between whoever asks and the double, as its validation proxy is between a client and GitHub.
 * @returns what of a request GitHub's own description does not know or allow, and what of the answer is not as it says: a
 * double that says something else proves nothing. Empty when all is as described.
 */
export async function describedProblems(exchange: Exchange): Promise<readonly string[]> {
  const { method, pathname, query, body, contentType, answer } = exchange;
  const asked = `${method} ${pathname}`;
  const found = operationOf(method, pathname);
  if (found === undefined) return [`${asked} is not described`];
  const { operation, path } = found;
  const isFile = operation.requestBody?.content[BYTES_TYPE] !== undefined;
  const problems = unknownNames(asked, operation, query, body);
  // A file may be anything, and is said to be something.
  if (isFile && contentType === '') problems.push(`${asked} does not say what the file is`);
  const type = isFile ? BYTES_TYPE : JSON_TYPE;
  const hasBody = isFile || body !== undefined;
  const result = await prism(answer)(
    {
      method: method.toLowerCase() as 'get',
      url: { path, query: Object.fromEntries(query) },
      headers: hasBody ? { 'content-type': type } : {},
      ...(hasBody ? { body: isFile ? '' : body } : {}),
    },
    await operations,
  )();
  if (result._tag === 'Left') return [...problems, `${asked}: ${result.left.message}`];
  const { input, output } = result.right.validations;
  return [...problems, ...[...input, ...output].map(({ message }) => `${asked}: ${message}`)];
}

const operations = getHttpOperationsFromSpec(description);
const LOGGER: object = new Proxy({}, { get: (_, name) => (name === 'child' ? () => LOGGER : () => undefined) });

/** @returns Prism as a proxy of which the upstream is what the double says */
function prism(answer: Exchange['answer']) {
  const config: IHttpProxyConfig = {
    isProxy: true,
    upstream: new URL('https://api.github.test'),
    upstreamProxy: undefined,
    mock: { dynamic: false },
    checkSecurity: false,
    errors: false,
    validateRequest: true,
    validateResponse: answer !== undefined,
  };
  const said = {
    statusCode: answer?.status ?? 200,
    headers: answer?.body === undefined ? {} : { 'content-type': JSON_TYPE },
    body: answer?.body,
  };
  const forward = () => () => () => Promise.resolve({ _tag: 'Right', right: said } as const);
  return createInstance(config, { logger: LOGGER, forward }).request;
}

/** Prism lets pass what is not described. */
function unknownNames(asked: string, operation: Operation, query: URLSearchParams, body: unknown): string[] {
  const known = new Set((operation.parameters ?? []).map((one) => resolved(one).name));
  const problems = [...query.keys()]
    .filter((name) => !known.has(name))
    .map((name) => `${asked} has no query parameter ${name}`);
  const content = operation.requestBody?.content[JSON_TYPE];
  if (body === undefined || operation.requestBody?.content[BYTES_TYPE] !== undefined) return problems;
  if (content === undefined) return [...problems, `${asked} takes no body`];
  for (const name of Object.keys(body ?? {})) {
    if (content.schema.properties?.[name] === undefined) problems.push(`${asked}: the body has no property ${name}`);
  }
  return problems;
}

/** @returns with the path as Prism knows it: of a parameter that may have slashes, they are encoded */
function operationOf(method: string, pathname: string): { operation: Operation; path: string } | undefined {
  for (const [template, operations] of Object.entries(description.paths)) {
    const operation = operations[method.toLowerCase()];
    if (operation === undefined) continue;
    const many = (operation.parameters ?? []).map(resolved).filter((one) => one['x-multi-segment'] === true);
    const segments = (_: string, name: string): string => (many.some((one) => one.name === name) ? '(.+)' : '[^/]+');
    const match = new RegExp(`^${template.replaceAll(/\{([^}]+)\}/g, segments)}$`).exec(pathname);
    if (match === null) continue;
    const [, several] = match;
    const path = several === undefined ? pathname : pathname.replace(several, several.replaceAll('/', '%2F'));
    return { operation, path };
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
