import { parseVersionSource, trafficUrlProblem, type TrafficSettings } from '../model/traffic.js';
import type { InputReader } from './input-reader.js';
import type { InputName } from './input-table.js';

/** Inputs that mean nothing without a URL to send requests to. */
const NEED_URL = ['probe-version', 'max-failed-requests'] as const satisfies readonly InputName[];

const MOST_ALLOWED = 1_000_000;

/** @returns what is sent while something is changed; undefined when no URL is given */
export function readTraffic(input: InputReader): TrafficSettings | undefined {
  const url = input.checked('probe-url', trafficUrlProblem);
  const version = input.text('probe-version');
  const source = version === undefined ? undefined : parseVersionSource(version);
  if (source !== undefined && 'problem' in source) input.problem('probe-version', source.problem);
  const settings = {
    ratePerSecond: input.count('probe-rate', 1, 1_000),
    timeoutMs: input.duration('probe-timeout', 100) ?? 0,
    keepAlive: input.flag('probe-keep-alive'),
    version: source === undefined || 'problem' in source ? undefined : source,
    maxFailed:
      input.text('max-failed-requests') === undefined ? undefined : input.count('max-failed-requests', 0, MOST_ALLOWED),
  };
  if (input.text('probe-url') === undefined) {
    for (const name of NEED_URL) {
      if (input.text(name) !== undefined) input.problem(name, 'needs `probe-url`, which requests are sent to');
    }
  }
  return url === undefined ? undefined : { url, ...settings };
}
