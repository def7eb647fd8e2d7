/** What a reader of the documents would stumble over: links to files that are not there, inputs that do not exist. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { projectRoot } from './files.mjs';

const OWN_ACTION = /(?:^|\/)rolling-restart(?:@|$)|^\.\/$/;
const OWN_WORKFLOW = /(?:^|\/)\.github\/workflows\/(?<file>[\w.-]+\.ya?ml)(?:@|$)/;

/**
 * The documents that people read, relative to the project.
 *
 * @param {string} root
 */
export function documents(root = projectRoot) {
  const below = (folder) => markdownBelow(root, folder);
  return [
    'README.md',
    'ARCHITECTURE.md',
    'CONTRIBUTING.md',
    'SECURITY.md',
    'CHANGELOG.md',
    ...below('docs'),
    ...below('examples'),
  ]
    .filter((path) => existsSync(join(root, path)))
    .sort();
}

/**
 * @param {string} path of the document, relative to the root
 * @param {string} text
 * @param {{ inputs: readonly string[], root?: string }} context
 * @returns {string[]} what is wrong, a line each
 */
export function problemsIn(path, text, { inputs, root = projectRoot }) {
  return [...linkProblems(path, text, root), ...sampleProblems(path, text, inputs, root)];
}

function linkProblems(path, text, root) {
  const prose = text.replaceAll(/^(`{3,}|~{3,})[^]*?^\1/gm, '').replaceAll(/`[^`\n]*`/g, '');
  const targets = [
    ...prose.matchAll(/\]\(<?([^()\s>]+)>?(?:\s+"[^"]*")?\)/g),
    ...prose.matchAll(/^\[[^\]]+\]:\s+(\S+)/gm),
  ];
  return targets
    .map(([, target]) => target)
    .filter((target) => !/^(?:[a-z][a-z0-9+.-]*:|#|\/\/)/i.test(target))
    .filter((target) => !existsSync(join(root, dirname(path), decodeURIComponent(target.replace(/[#?].*$/, '')))))
    .map((target) => `${path}: the link to ${target} leads nowhere`);
}

function sampleProblems(path, text, inputs, root) {
  const samples = [...text.matchAll(/^(?<indent> *)(?<fence>`{3,})ya?ml[^\n]*\n(?<body>[^]*?)^\k<indent>\k<fence>/gm)];
  return samples.flatMap(({ groups }) => {
    const body = groups.body.replaceAll(new RegExp(`^${groups.indent}`, 'gm'), '');
    return parseAllDocuments(body).flatMap((document) => {
      if (document.errors.length > 0) return [`${path}: a YAML sample is not valid: ${document.errors[0].message}`];
      return uses(document.toJS()).flatMap((step) => unknownInputs(path, step, inputs, root));
    });
  });
}

/** Every mapping with `uses` in it, however deep. */
function uses(value) {
  if (value === null || typeof value !== 'object') return [];
  const inner = Object.values(value).flatMap(uses);
  return typeof value.uses === 'string' ? [value, ...inner] : inner;
}

function unknownInputs(path, step, inputs, root) {
  const workflow = OWN_WORKFLOW.exec(step.uses)?.groups.file;
  let known;
  if (workflow !== undefined) {
    const file = join(root, '.github', 'workflows', workflow);
    if (!existsSync(file)) return [`${path}: there is no workflow ${workflow}`];
    const [document] = parseAllDocuments(readFileSync(file, 'utf8'));
    known = Object.keys(document.toJS().on?.workflow_call?.inputs ?? {});
  } else if (OWN_ACTION.test(step.uses)) {
    known = inputs;
  } else {
    return [];
  }
  return Object.keys(step.with ?? {})
    .filter((name) => !known.includes(name))
    .map((name) => `${path}: \`${step.uses}\` has no input "${name}"`);
}

function markdownBelow(root, folder) {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true })
    .filter((path) => path.endsWith('.md') && !path.includes('node_modules'))
    .map((path) => join(folder, path));
}
