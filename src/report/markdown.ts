import { stripControls } from '../model/printable.js';

/**
 * Markdown from text that others wrote: container logs, commit subjects, image names. None of it may become a heading,
 * a link, HTML, math or the end of a code block.
 */

const LONGEST_INLINE = 600;
const LONGEST_BLOCK_LINE = 400;
const LONGEST_BLOCK = 60;

/** Text in a paragraph or a cell of a table, on one line. */
export function inline(text: string): string {
  return escapeMarkdown(bounded(oneLine(text), LONGEST_INLINE));
}

/** Text of several lines; lines that begin with `- ` stay a list. */
export function paragraph(text: string): string {
  return text
    .split('\n')
    .map((line) => (line.startsWith('- ') ? `- ${inline(line.slice(2))}` : inline(line)))
    .join('\n');
}

/** A name or an id as code. In a table a `|` ends the cell even inside code. */
export function code(text: string): string {
  const content = bounded(oneLine(text), LONGEST_INLINE).replaceAll('|', '\\|');
  if (content.trim() === '') return '–';
  const ticks = '`'.repeat(longestRun(content) + 1);
  const pad = content.startsWith('`') || content.endsWith('`') ? ' ' : '';
  return `${ticks}${pad}${content}${pad}${ticks}`;
}

/** Output of programs, its last lines when there are too many. */
export function block(lines: readonly string[], language: 'text' | 'diff' = 'text'): string {
  const clean = lines
    .flatMap((line) => line.split(/\r\n|[\n\r]/))
    .map((line) => bounded(stripControls(line), LONGEST_BLOCK_LINE));
  const left = Math.max(0, clean.length - LONGEST_BLOCK);
  const shown = left === 0 ? clean : [`(${left} earlier lines left out)`, ...clean.slice(left)];
  const fence = '`'.repeat(Math.max(3, ...shown.map((line) => longestRun(line) + 1)));
  return [`${fence}${language}`, ...shown, fence].join('\n');
}

/** @param rows cells that are Markdown already */
export function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [
    line(columns),
    line(columns.map(() => '---')),
    ...rows.map((row) => line(columns.map((_, index) => row[index] ?? ''))),
  ].join('\n');
}

/** A part that is folded up until somebody wants it. */
export function folded(title: string, body: string): string {
  return `<details>\n<summary>${escapeHtml(title)}</summary>\n\n${body}\n\n</details>`;
}

/** Only addresses of the web become links. */
export function link(title: string, url: string): string {
  return /^https?:\/\/[^\s()<>"'`|\\]+$/.test(url) ? `[${inline(title)}](${url})` : code(url);
}

/** `$` begins math and `@` a mention on GitHub; neither has an escape of its own, so both are written as entities. */
function escapeMarkdown(text: string): string {
  return escapeHtml(text)
    .replaceAll(/[\\`*_[\]~|#!]/g, '\\$&')
    .replaceAll('$', '&#36;')
    .replaceAll('@', '&#64;')
    .replace(/^(\s*)([-+=])/, '$1\\$2')
    .replace(/^(\s*\d+)([.)])(?=\s|$)/, '$1\\$2');
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function oneLine(text: string): string {
  return stripControls(text.replaceAll(/\s+/g, ' ')).trim();
}

function bounded(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}

function longestRun(text: string): number {
  return Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
}
