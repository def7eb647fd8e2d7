import type { Finding } from '../model/finding.js';
import type { WrittenIssue } from '../model/ports/code-host.js';
import type { SloReview } from '../model/slo-review.js';
import { findOpenIssue, inline, issueSchema, MOST_CHARACTERS, type Ask } from './issues.js';

/**
 * One open issue for a project on a host, that always holds the newest review; closed, the next review opens another one.
 * https://docs.github.com/rest/issues/issues; needs `issues: write`.
 */
export async function openOrReplaceReview(ask: Ask, review: SloReview): Promise<WrittenIssue> {
  const marker = `<!-- rolling-restart slo-review: ${review.project} on ${review.host} -->`;
  const body = `${describe(review).slice(0, MOST_CHARACTERS)}\n${marker}\n`;
  const known = await findOpenIssue(ask, marker);
  if (known !== undefined) {
    await ask('PATCH /repos/{owner}/{repo}/issues/{issue_number}', { issue_number: known.number, body });
    return { number: known.number, url: known.html_url, created: false };
  }
  const title = `Restart Performance Targets of ${review.project} on ${review.host}`;
  const { data } = await ask('POST /repos/{owner}/{repo}/issues', { title, body });
  const { number, html_url: url } = issueSchema.parse(data);
  return { number, url, created: true };
}

function describe({ at, headline, runUrl, findings }: SloReview): string {
  const run = runUrl === undefined ? '' : ` Charts are in the summary of [the run](${runUrl}).`;
  return [`${at}: ${inline(headline)}.${run}`, ...findings.flatMap(section)].join('\n');
}

function section({ title, columns, rows }: Finding): readonly string[] {
  const line = (cells: readonly string[]): string => `| ${cells.map(plain).join(' | ')} |`;
  return ['', `### ${plain(title)}`, '', line(columns), `|${columns.map(() => ' --- ').join('|')}|`, ...rows.map(line)];
}

/** Figures and words as they are; what Markdown or GitHub would read something into, as code. */
function plain(text: string): string {
  return /^[\w\s.,:;%()/–-]*$/.test(text) ? text.replaceAll(/\s+/g, ' ') : inline(text);
}
