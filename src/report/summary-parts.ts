import type { WarningSign } from '../model/policy.js';
import type { Finding } from '../model/finding.js';
import type { Checklist, RunReport, ServiceReport, SloRow, TimelineEntry } from '../model/report.js';
import { formatDuration, formatSize, short } from '../model/units.js';
import { block, code, folded, inline, link, table } from './markdown.js';
import { clock, outcomeTitle, STATUS_SIGNS } from './words.js';

/** A row of the timeline costs about 150 bytes; a watch of a day must not fill the summary. */
const LONGEST_TIMELINE = 300;
const LONGEST_COMMITS = 50;

const NOTHING = '–';

/** What is live after the run; facts that are empty for all services are left out. */
export function renderServices({ services, dryRun }: Pick<RunReport, 'services' | 'dryRun'>): string | undefined {
  if (services.length === 0) return undefined;
  const columns: readonly (readonly [string, (service: ServiceReport) => string | undefined])[] = [
    ['Service', ({ service }) => code(service)],
    ['Outcome', ({ outcome }) => (dryRun ? undefined : outcomeTitle(outcome))],
    ['Release', ({ release }) => defined(release, code)],
    ['Version', ({ version }) => defined(version, code)],
    ['Commit', ({ commit }) => defined(commit, (id) => code(short(id)))],
    ['Image', ({ imageDigest }) => defined(imageDigest, (digest) => code(short(digest.replace(/^.*@/, ''))))],
    [
      'Before',
      ({ release, previousRelease }) => (previousRelease === release ? undefined : defined(previousRelease, code)),
    ],
    ['Outage', ({ downtimeMs }) => defined(downtimeMs, formatDuration)],
    ['Ready after', ({ readyMs }) => defined(readyMs, formatDuration)],
    ['Memory', ({ memoryBytes }) => defined(memoryBytes, formatSize)],
    ['Error lines', ({ errorLines }) => (dryRun ? undefined : String(errorLines))],
    ['Why', ({ reasons }) => (reasons.length === 0 ? undefined : inline(reasons.join('; ')))],
  ];
  const used = columns.filter(([, cell]) => services.some((service) => cell(service) !== undefined));
  const [only] = services;
  if (only !== undefined && services.length === 1) {
    // One service reads better downwards; a dozen columns do not fit beside each other.
    return table(
      ['Service', code(only.service)],
      used.slice(1).map(([title, cell]) => [title, cell(only) ?? NOTHING]),
    );
  }
  return table(
    used.map(([title]) => title),
    services.map((service) => used.map(([, cell]) => cell(service) ?? NOTHING)),
  );
}

const SEVERITY_RANK: Readonly<Record<WarningSign['severity'], number>> = { high: 0, medium: 1, low: 2 };
const SEVERITY_WORDS: Readonly<Record<WarningSign['severity'], string>> = {
  high: '**High**',
  medium: 'Medium',
  low: 'Low',
};

/** Every warning sign, the most severe first. */
export function renderWarnings(warnings: readonly WarningSign[]): string | undefined {
  if (warnings.length === 0) return undefined;
  return table(
    ['Severity', 'Service', 'What', 'Leads to', 'UTC'],
    warnings
      .toSorted((a, b) => SEVERITY_RANK[a.severity] - SEVERITY_RANK[b.severity])
      .map((warning) => [
        SEVERITY_WORDS[warning.severity],
        code(warning.service),
        inline(warning.message),
        warning.action,
        inline(clock(warning.at)),
      ]),
  );
}

export function renderTimeline(timeline: readonly TimelineEntry[]): string | undefined {
  if (timeline.length === 0) return undefined;
  const left = Math.max(0, timeline.length - LONGEST_TIMELINE);
  const several = new Set(timeline.flatMap(({ service }) => service ?? [])).size > 1;
  const rows = timeline
    .slice(left)
    .map(({ at, status, service, text, durationMs }) => [
      inline(clock(at)),
      STATUS_SIGNS[status],
      ...(several ? [defined(service, code) ?? NOTHING] : []),
      inline(text),
      defined(durationMs, formatDuration) ?? NOTHING,
    ]);
  const body = table(['UTC', '', ...(several ? ['Service'] : []), 'What', 'Took'], rows);
  return left === 0 ? body : `The first ${left} entries are in the JSON report.\n\n${body}`;
}

/** The runbook's Restart Performance Targets. */
export function renderTargets(rows: readonly SloRow[]): string | undefined {
  if (rows.length === 0) return undefined;
  const several = new Set(rows.map(({ service }) => service)).size > 1;
  return table(
    [...(several ? ['Service'] : []), 'Metric', 'Target', 'Actual', 'Met'],
    rows.map(({ service, metric, target, actual, met }) => [
      ...(several ? [code(service)] : []),
      inline(metric),
      inline(target),
      inline(actual),
      met === undefined ? NOTHING : met ? '✔ yes' : '✖ **no**',
    ]),
  );
}

/** A procedure that only looks, or was refused, has nothing to tick. */
export function saysSomething({ items }: Checklist): boolean {
  return items.some(({ state }) => state !== 'not-asked');
}

/** A box is ticked only for what was seen to be so. */
export function renderChecklist({ title, items }: Checklist): string {
  const lines = items.map(({ text, state, detail }) => {
    const more = detail === undefined || detail === '' ? '' : ` (${inline(detail)})`;
    switch (state) {
      case 'done':
        return `- [x] ${inline(text)}${more}`;
      case 'failed':
        return `- [ ] ✖ **${inline(text)}**: no${more}`;
      case 'not-asked':
        return `- [ ] ${inline(text)}: not done${more}`;
    }
  });
  return `**${inline(title)}**\n\n${lines.join('\n')}`;
}

/** The longest diffs are in the log and in the report. */
const LONGEST_DIFF = 50;

/** What differs in the configuration of each service. */
export function renderDiffs(plan: RunReport['plan']): string | undefined {
  const diffs = (plan?.services ?? []).flatMap(({ diff }) => (diff === undefined || diff.length === 0 ? [] : [diff]));
  if (diffs.length === 0) return undefined;
  return diffs
    .map((diff) => {
      const left = diff.length - LONGEST_DIFF;
      const more = left > 0 ? [`(${left} more lines are in the log)`] : [];
      return block([...diff.slice(0, LONGEST_DIFF), ...more], 'diff');
    })
    .join('\n\n');
}

export function renderCommits(commits: readonly string[]): string | undefined {
  if (commits.length === 0) return undefined;
  const shown = commits.slice(0, LONGEST_COMMITS).map((commit) => {
    const space = commit.indexOf(' ');
    return space === -1
      ? `- ${code(short(commit))}`
      : `- ${code(commit.slice(0, space).slice(0, 12))} ${inline(commit.slice(space))}`;
  });
  if (commits.length > LONGEST_COMMITS) shown.push(`- and ${commits.length - LONGEST_COMMITS} more`);
  const list = shown.join('\n');
  return commits.length > 10 ? folded(`${commits.length} commits`, list) : list;
}

export function renderPullRequests(pullRequests: RunReport['pullRequests']): string | undefined {
  if (pullRequests.length === 0) return undefined;
  return pullRequests.map(({ number, title, url }) => `- ${link(`#${number}`, url)} ${inline(title)}`).join('\n');
}

export function renderFinding({ columns, rows }: Finding): string {
  if (rows.length === 0) return 'None.';
  return table(
    columns.map((column) => inline(column)),
    rows.map((row) => row.map((cell) => inline(cell))),
  );
}

function defined<T>(value: T | undefined, show: (value: T) => string): string | undefined {
  return value === undefined ? undefined : show(value);
}
