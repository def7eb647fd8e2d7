import type { Incident } from '../model/incident.js';
import type { WrittenIssue } from '../model/ports/code-host.js';
import { findOpenIssue, inline, issueSchema, MOST_CHARACTERS, type Ask } from './issues.js';

/**
 * One open issue for the services of a project: what happens while it is open is a comment on it.
 * https://docs.github.com/rest/issues/issues, https://docs.github.com/rest/issues/comments; needs `issues: write`.
 */
export async function openOrUpdate(ask: Ask, incident: Incident): Promise<WrittenIssue> {
  const marker = `<!-- rolling-restart incident: ${incident.project}/${[...incident.services].sort().join(',')} -->`;
  const known = await findOpenIssue(ask, marker);
  const text = describe(incident).slice(0, MOST_CHARACTERS);
  if (known !== undefined) {
    await ask('POST /repos/{owner}/{repo}/issues/{issue_number}/comments', { issue_number: known.number, body: text });
    return { number: known.number, url: known.html_url, created: false };
  }
  const title = `Emergency restart of ${incident.services.join(', ')} (${incident.project})`;
  const made = await ask('POST /repos/{owner}/{repo}/issues', { title, body: `${text}\n${marker}\n` });
  const { number, html_url: url } = issueSchema.parse(made.data);
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
