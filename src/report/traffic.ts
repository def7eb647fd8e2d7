import { failureWords, type TrafficBucket, type TrafficReport } from '../model/traffic.js';
import { formatDuration } from '../model/units.js';
import { folded, inline, table } from './markdown.js';
import { clock } from './words.js';

const NOTHING = '–';
const SHOWN_FAILURES = 20;

const VERDICTS: Readonly<Record<TrafficReport['verdict'], string>> = {
  passed: '✔ passed',
  failed: '✖ **failed**',
  'not-judged': 'not judged',
};

/** The section of the summary: numbers first, then a chart, then the chart's numbers, since Mermaid is not promised. */
export function renderTraffic(traffic: TrafficReport | undefined): string | undefined {
  if (traffic === undefined) return undefined;
  return [numbers(traffic), chart(traffic), overTime(traffic), failures(traffic)]
    .filter((part) => part !== undefined)
    .join('\n\n');
}

/** One line for the log. */
export function trafficLine(traffic: TrafficReport): string {
  const { requests, failed, longestGapMs, p99Ms, slowestMs } = traffic;
  const kinds = failed === 0 ? '' : ` (${failureWords(traffic.failures)})`;
  return `${requests} requests, ${failed} failed${kinds}, longest time without a good answer ${formatDuration(longestGapMs)}, p99 ${ms(p99Ms)}, slowest ${ms(slowestMs)}: ${traffic.verdict.replace('-', ' ')}: ${traffic.reason}`;
}

function numbers(traffic: TrafficReport): string {
  const { keepAlive, ratePerSecond, durationMs, retried, failed } = traffic;
  const how = `${ratePerSecond} a second for ${formatDuration(durationMs)}, ${keepAlive ? 'connections kept' : 'a new connection each'}`;
  const again = retried === 0 ? '' : `; ${retried} sent once more, since a kept connection had been closed`;
  return table(
    ['Requests to', inline(traffic.url)],
    [
      ['Sent', `${traffic.requests} (${how})${again}`],
      ['Failed', failed === 0 ? '0' : `**${failed}** (${failureWords(traffic.failures)})`],
      [
        'Longest time without a good answer',
        `${formatDuration(traffic.longestGapMs)}, from ${inline(clock(traffic.longestGapAt))} UTC`,
      ],
      ['p50 / p99 / slowest', [traffic.p50Ms, traffic.p99Ms, traffic.slowestMs].map(ms).join(' / ')],
      ['Sent late by at most', formatDuration(traffic.latestSendMs)],
      ['Verdict', `${VERDICTS[traffic.verdict]}: ${inline(traffic.reason)}`],
    ],
  );
}

/** What a bucket has of one line of the chart. */
interface Series {
  /** Undefined: good answers of whatever version. */
  readonly version: string | undefined;
  readonly of: (bucket: TrafficBucket) => number;
}

/** Good answers, of each version where they say one. */
function series({ buckets }: TrafficReport): readonly Series[] {
  const versions = new Set(buckets.flatMap((bucket) => bucket.versions.map(({ version }) => version)));
  if (versions.size === 0) return [{ version: undefined, of: ({ good }) => good }];
  return [...versions].map((version) => ({
    version,
    of: (bucket) => bucket.versions.find((one) => one.version === version)?.answers ?? 0,
  }));
}

function chart(traffic: TrafficReport): string | undefined {
  const { buckets, bucketMs } = traffic;
  if (buckets.length < 2) return undefined;
  const lines = series(traffic);
  const highest = Math.max(1, ...buckets.map(({ good, failed }) => Math.max(good, failed)));
  const values = (of: Series['of']): string => `[${buckets.map(of).join(', ')}]`;
  return [
    `Answers in each ${formatDuration(bucketMs)}: the line${lines.length === 1 ? ' is' : 's are'} ${lines.map(({ version }) => (version === undefined ? 'good answers' : inline(version))).join(', then ')}; the bars are failed requests.`,
    '',
    '```mermaid',
    'xychart-beta',
    `  x-axis "seconds since the change began" 0 --> ${((buckets.length * bucketMs) / 1_000).toFixed(2)}`,
    `  y-axis "requests" 0 --> ${highest}`,
    `  bar ${values(({ failed }) => failed)}`,
    ...lines.map(({ of }) => `  line ${values(of)}`),
    '```',
  ].join('\n');
}

function overTime(traffic: TrafficReport): string | undefined {
  const { buckets } = traffic;
  if (buckets.length === 0) return undefined;
  const lines = series(traffic);
  const versions = lines.some(({ version }) => version !== undefined);
  const rows = buckets.map((bucket) => [
    inline(clock(bucket.at)),
    ...(versions ? [String(bucket.good)] : []),
    ...lines.map(({ of }) => String(of(bucket))),
    bucket.failed === 0 ? '0' : `**${bucket.failed}**`,
  ]);
  const titles = [
    'UTC',
    ...(versions ? ['Good'] : []),
    ...lines.map(({ version }) => (version === undefined ? 'Good' : inline(version))),
    'Failed',
  ];
  return folded(`Answers over time, in steps of ${formatDuration(traffic.bucketMs)}`, table(titles, rows));
}

function failures({ firstFailures, failed }: TrafficReport): string | undefined {
  if (firstFailures.length === 0) return undefined;
  const shown = firstFailures.slice(0, SHOWN_FAILURES);
  const rows = shown.map(({ at, kind, said }) => [inline(at.slice(11, 23)), kind, inline(said)]);
  const body = table(['UTC', 'Kind', 'What'], rows);
  return folded(failed > shown.length ? `The first ${shown.length} failed requests` : 'Failed requests', body);
}

function ms(value: number | undefined): string {
  return value === undefined ? NOTHING : formatDuration(value);
}
