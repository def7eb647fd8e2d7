import { z } from 'zod';
import type { Incident } from '../model/incident.js';
import type { IncidentIssue } from '../model/ports/code-host.js';

/** As much of octokit as is used here. */
export type Ask = (route: string, parameters: Readonly<Record<string, unknown>>) => Promise<{ readonly data: unknown }>;

const issue = z.looseObject({
  number: z.number(),
  html_url: z.string(),
  body: z.string().nullish(),
  pull_request: z.unknown().optional(),
});
const MOST_CHARACTERS = 60_000;

/**
 * One open issue for the services of a project: what happens while it is open is a comment on it.
 * https://docs.github.com/rest/issues/issues, https://docs.github.com/rest/issues/comments; needs `issues: write`.
 */
export async function openOrUpdate(ask: Ask, incident: Incident): Promise<IncidentIssue> {
  const marker = `<!-- rolling-restart incident: ${incident.project}/${[...incident.services].sort().join(',')} -->`;
  const { data } = await ask('GET /repos/{owner}/{repo}/issues', { state: 'open', sort: 'updated', per_page: 100 });
  const known = z
    .array(issue)
    .parse(data)
    .find(({ body, pull_request: pull }) => pull === undefined && body?.includes(marker) === true);
  const text = describe(incident).slice(0, MOST_CHARACTERS);
  if (known !== undefined) {
    await ask('POST /repos/{owner}/{repo}/issues/{issue_number}/comments', { issue_number: known.number, body: text });
    return { number: known.number, url: known.html_url, created: false };
  }
  const title = `Emergency restart of ${incident.services.join(', ')} (${incident.project})`;
  const made = await ask('POST /repos/{owner}/{repo}/issues', { title, body: `${text}\n${marker}\n` });
  const { number, html_url: url } = issue.parse(made.data);
  return { number, url, created: true };
}

function describe(incident: Incident): string {
  const lines = [
    `${incident.at}: **${incident.outcome}**, by ${inline(incident.by)}. ${inline(incident.headline)}`,
    '',
    ...(incident.reason === undefined ? [] : [`Reason: ${inline(incident.reason)}`, '']),
    `Run: ${incident.runUrl ?? inline(incident.run)}`,
    `Evidence on the host: ${inline(incident.evidencePath)}`,
  ];
  for (const { service, likely, facts } of incident.causes) {
    lines.push('', `### ${inline(service)}`, '');
    lines.push(
      ...(likely.length === 0
        ? ['Nothing was found that points to a cause.']
        : likely.map((one) => `- ${inline(one)}`)),
    );
    if (facts.length > 0) lines.push('', '| What | Found |', '| --- | --- |');
    lines.push(...facts.map(({ what, found }) => `| ${inline(what)} | ${inline(found)} |`));
  }
  return `${lines.join('\n')}\n`;
}

/** Logs hold whatever a stranger sent: as code it mentions nobody and links to nothing. */
function inline(text: string): string {
  return `\`${text.replaceAll('`', "'").replaceAll(/\s+/g, ' ').replaceAll('|', '\\|')}\``;
}
