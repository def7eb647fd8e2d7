/**
 * Cuts what this project asks of GitHub out of GitHub's own OpenAPI description, so that the tests can hold every request
 * against it without 13 MB of it in the repository.
 *
 *     npm pack @octokit/openapi && tar xzf octokit-openapi-*.tgz
 *     node scripts/lib/github-openapi.mjs package/generated/api.github.com.json
 *
 * Words for people and examples are left out, and `nullable` is written as JSON Schema has it.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { projectRoot } from './files.mjs';

/** Every route that is asked, as in `src/github`, `.github/actions` and `scripts/lib/release-publish.mjs`. */
const ROUTES = {
  '/repos/{owner}/{repo}/commits/{commit_sha}/pulls': ['get'],
  '/repos/{owner}/{repo}/deployments': ['get', 'post'],
  '/repos/{owner}/{repo}/deployments/{deployment_id}/statuses': ['get', 'post'],
  '/repos/{owner}/{repo}/issues': ['get', 'post'],
  '/repos/{owner}/{repo}/issues/{issue_number}': ['patch'],
  '/repos/{owner}/{repo}/issues/{issue_number}/comments': ['get', 'post'],
  '/repos/{owner}/{repo}/issues/comments/{comment_id}': ['patch'],
  '/repos/{owner}/{repo}/environments/{environment_name}': ['get'],
  '/repos/{owner}/{repo}/actions/runs/{run_id}/approvals': ['get'],
  '/repos/{owner}/{repo}/git/ref/{ref}': ['get'],
  '/repos/{owner}/{repo}/git/refs': ['post'],
  '/repos/{owner}/{repo}/git/refs/{ref}': ['patch'],
  '/repos/{owner}/{repo}/git/tags/{tag_sha}': ['get'],
  '/repos/{owner}/{repo}/releases': ['get', 'post'],
  '/repos/{owner}/{repo}/releases/tags/{tag}': ['get'],
  '/repos/{owner}/{repo}/releases/{release_id}': ['patch', 'delete'],
  '/repos/{owner}/{repo}/releases/{release_id}/assets': ['post'],
  '/repos/{owner}/{repo}/releases/assets/{asset_id}': ['get', 'delete'],
};
const UNSAID = new Set(['description', 'examples', 'example', 'summary', 'externalDocs', 'tags', 'x-github', 'title']);
const TARGET = join(projectRoot, 'test/support/github-openapi.json');

const source = process.argv[2];
if (source === undefined) {
  process.stderr.write('Say where api.github.com.json is: see the comment at the top of this file.\n');
  process.exit(2);
}
const whole = JSON.parse(readFileSync(source, 'utf8'));
const paths = {};
for (const [path, methods] of Object.entries(ROUTES)) {
  paths[path] = Object.fromEntries(methods.map((method) => [method, operation(whole.paths[path][method])]));
}
const components = {};
collect(paths);
const cut = {
  openapi: '3.1.0',
  info: { title: whole.info.title, version: whole.info.version },
  'x-source': `GitHub's REST API description ${whole.info.version} (@octokit/openapi, MIT), cut by scripts/lib/github-openapi.mjs`,
  paths,
  components,
};
writeFileSync(TARGET, await format(JSON.stringify(cut), { ...(await resolveConfig(TARGET)), filepath: TARGET }));

/** Answers are what the double gives: the good ones. One without a description is none, by OpenAPI. */
function operation({ parameters, requestBody, responses }) {
  const good = Object.entries(responses).filter(([status]) => status.startsWith('2'));
  return {
    ...shorten({ parameters, requestBody }),
    responses: Object.fromEntries(good.map(([status, said]) => [status, { description: '', ...shorten(said) }])),
  };
}

/** @param {unknown} value in which `$ref`s are followed */
function collect(value) {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    if (key !== '$ref') {
      collect(inner);
      continue;
    }
    const [, , kind, name] = inner.split('/');
    components[kind] ??= {};
    if (components[kind][name] !== undefined) continue;
    components[kind][name] = shorten(whole.components[kind][name]);
    collect(components[kind][name]);
  }
}

function shorten(value, inProperties = false) {
  if (Array.isArray(value)) return value.map((one) => shorten(one));
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).flatMap(([key, inner]) =>
    inProperties || !UNSAID.has(key) ? [[key, shorten(inner, key === 'properties')]] : [],
  );
  const short = Object.fromEntries(kept);
  if (inProperties || short.nullable !== true) return short;
  delete short.nullable;
  return { anyOf: [short, { type: 'null' }] };
}
