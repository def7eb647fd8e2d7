/** The tables in docs/workflows.md, made from the workflow files themselves. */
import { parse } from 'yaml';
import { PUBLIC_WORKFLOWS } from './workflow-model.mjs';

/**
 * Fills the part of every public workflow in the page.
 *
 * @param {string} page text of docs/workflows.md
 * @param {Map<string, string>} files text of the workflows by path
 */
export function documentWorkflows(page, files) {
  return PUBLIC_WORKFLOWS.reduce((text, { file }) => {
    const workflow = files.get(`.github/workflows/${file}`);
    if (workflow === undefined) throw new Error(`${file} is not among the generated files`);
    return fillMarked(text, file, tables(parse(workflow).on.workflow_call));
  }, page);
}

/** Replaces what stands between `<!-- begin: NAME -->` and `<!-- end: NAME -->`. */
function fillMarked(text, name, body) {
  const [begin, end] = [`<!-- begin: ${name} -->`, `<!-- end: ${name} -->`];
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from < 0 || to < from) throw new Error(`docs/workflows.md has no part "${name}"`);
  return `${text.slice(0, from + begin.length)}\n\n${body}\n\n${text.slice(to)}`;
}

function tables({ inputs, secrets, outputs }) {
  return [
    table(
      ['Input', 'Type', 'Default', 'What it is'],
      Object.entries(inputs).map(([name, input]) => [
        `\`${name}\``,
        input.type,
        input.required === true ? '**required**' : shownDefault(input.default),
        input.description,
      ]),
    ),
    table(
      ['Secret', '', 'What it is'],
      Object.entries(secrets).map(([name, secret]) => [
        `\`${name}\``,
        secret.required === true ? '**required**' : 'optional',
        secret.description,
      ]),
    ),
    table(
      ['Output', 'What it is'],
      Object.entries(outputs).map(([name, output]) => [`\`${name}\``, output.description]),
    ),
  ].join('\n\n');
}

function shownDefault(value) {
  return value === undefined || value === '' ? '' : `\`${String(value)}\``;
}

function table(columns, rows) {
  const line = (cells) => `| ${cells.map(cell).join(' | ')} |`;
  return [line(columns), `|${columns.map(() => ' --- ').join('|')}|`, ...rows.map(line)].join('\n');
}

/** A cell is one line, and a bar in it would end it. */
function cell(text) {
  return String(text).trim().replace(/\s+/g, ' ').replaceAll('|', '\\|');
}
