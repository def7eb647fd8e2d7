import { z } from 'zod';

/** As much of octokit as is used here. */
export type Ask = (route: string, parameters: Readonly<Record<string, unknown>>) => Promise<{ readonly data: unknown }>;

export const issueSchema = z.looseObject({
  number: z.number(),
  html_url: z.string(),
  body: z.string().nullish(),
  pull_request: z.unknown().optional(),
});
type Issue = z.infer<typeof issueSchema>;

const PER_PAGE = 100;
/** Older ones than the newest thousand are not looked for: a new issue is better than a long wait. */
const MOST_PAGES = 10;
/** GitHub takes 65536 characters. */
export const MOST_CHARACTERS = 60_000;

/**
 * @returns the open issue whose text has the marker; the one that was changed last when there are several
 * https://docs.github.com/rest/issues/issues#list-repository-issues
 */
export async function findOpenIssue(ask: Ask, marker: string): Promise<Issue | undefined> {
  for (let page = 1; page <= MOST_PAGES; page += 1) {
    const query = { state: 'open', sort: 'updated', per_page: PER_PAGE, page };
    const { data } = await ask('GET /repos/{owner}/{repo}/issues', query);
    const issues = z.array(issueSchema).parse(data);
    const found = issues.find(({ body, pull_request: pull }) => pull === undefined && body?.includes(marker) === true);
    if (found !== undefined || issues.length < PER_PAGE) return found;
  }
  return undefined;
}

/** Logs hold whatever a stranger sent: as code it mentions nobody and links to nothing. */
export function inline(text: string): string {
  return `\`${text.replaceAll('`', "'").replaceAll(/\s+/g, ' ').replaceAll('|', '\\|')}\``;
}
