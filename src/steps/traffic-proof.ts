import type { Excerpt } from '../model/errors.js';
import { changesService, type Operation } from '../operations/operation.js';
import type { StrategyName } from '../model/plan.js';
import type { TrafficLoop } from '../model/ports/probe.js';
import type { Request } from '../model/request.js';
import { TrafficAccount } from '../model/traffic-account.js';
import { failureWords, type TrafficReport, type TrafficSample, type TrafficSettings } from '../model/traffic.js';
import { formatDuration } from '../model/units.js';
import type { Run } from '../run/run.js';
import { describeFailed, FailureVoice, failuresExcerpt } from './traffic-words.js';

/** How long requests are sent before anything is changed, to see whether they are answered at all. */
const BASELINE_MS = 1_000;
/** At a low rate longer, so that it is more than one. */
const BASELINE_REQUESTS = 3;

/** Strategies that stop the old containers before the new ones serve: requests fail then, and the plan says so. */
const INTERRUPTS: ReadonlySet<StrategyName> = new Set<StrategyName>(['recreate']);

/** @returns whether a change is judged by its requests: where they fail by plan, only when a person said how many may */
export function judgesTraffic({ traffic }: Pick<Request, 'traffic'>, strategy: StrategyName): boolean {
  return traffic !== undefined && (traffic.maxFailed !== undefined || !INTERRUPTS.has(strategy));
}

/** @returns for the plan of a service: what is done with the requests to `probe-url` */
export function trafficNotes(request: Pick<Request, 'traffic'>, strategy: StrategyName): readonly string[] {
  if (request.traffic === undefined) return [];
  if (judgesTraffic(request, strategy)) {
    return [`Requests are sent to ${request.traffic.url}: at most ${request.traffic.maxFailed ?? 0} may fail.`];
  }
  return [
    `Requests are sent to ${request.traffic.url}; those that fail are counted and not judged, since some do between stop and start. With max-failed-requests they are judged.`,
  ];
}

/** What was found of the requests since a service's change began. */
export type TrafficJudgement =
  | { readonly kind: 'not-judged'; readonly reason: string }
  | { readonly kind: 'passed' | 'failed'; readonly message: string; readonly excerpt: readonly Excerpt[] };

/**
 * Traffic proof of one run: requests are sent from just before its first change to its end. Each service is judged by
 * those that failed since its own change began.
 */
export class TrafficProof {
  private loop: TrafficLoop | undefined;
  private starting: Promise<void> | undefined;
  /** What each sample is added to. */
  private readonly accounts = new Set<(sample: TrafficSample) => void>();
  private whole: TrafficAccount | undefined;
  private readonly changes = new Map<string, TrafficAccount>();
  private readonly verdicts = new Map<string, 'passed' | 'failed'>();
  /** Why nothing is judged, although requests are sent. */
  private failedBefore: string | undefined;

  constructor(private readonly run: Pick<Run, 'clock' | 'request' | 'probes' | 'progress' | 'recorder'>) {}

  /** Called before each operation: the first one that changes something starts the requests, after their baseline. */
  async beforeChange(operation: Operation, signal: AbortSignal): Promise<void> {
    const settings = this.run.request.traffic;
    if (settings === undefined || !changesService(operation)) return;
    this.starting ??= this.start(settings, signal);
    await this.starting;
    if ('service' in operation && !this.changes.has(operation.service)) {
      this.changes.set(operation.service, this.open());
    }
  }

  /** Judges what failed since a service's change began, after waiting for what is in flight. */
  async judge(service: string): Promise<TrafficJudgement> {
    await this.settled();
    return this.judgeNow(service);
  }

  /** Resolves when what has been sent is answered or has failed: `probe-timeout` at the latest. */
  async settled(): Promise<void> {
    await this.loop?.settled();
  }

  /** The same without waiting, for somebody who looks again soon. */
  judgeNow(service: string): TrafficJudgement {
    const account = this.changes.get(service);
    const settings = this.run.request.traffic;
    if (this.failedBefore !== undefined) return { kind: 'not-judged', reason: this.failedBefore };
    if (account === undefined || settings === undefined) return { kind: 'not-judged', reason: 'no requests were sent' };
    const numbers = account.numbers(this.run.clock.now());
    const allowed = settings.maxFailed ?? 0;
    const kind = numbers.failed > allowed ? 'failed' : 'passed';
    this.verdicts.set(service, kind);
    return { kind, message: describeFailed(numbers, settings.url, allowed), excerpt: failuresExcerpt(numbers) };
  }

  /** Whether a service was judged by its requests; then it is judged while it is watched as well. */
  judges(service: string): boolean {
    return this.verdicts.has(service);
  }

  /** @returns an account of requests that are due from now on; undefined where nothing can be told from them */
  accountFromNow(): TrafficAccount | undefined {
    if (this.whole === undefined || this.failedBefore !== undefined) return undefined;
    return this.open(this.run.clock.now());
  }

  /** Ends the requests, waits for those in flight, and puts what became of them into the report. Never throws. */
  async end(): Promise<void> {
    const { loop, whole } = this;
    const settings = this.run.request.traffic;
    if (loop === undefined || settings === undefined) return;
    const endedAt = this.run.clock.now();
    await loop.stop();
    if (whole === undefined) return; // cancelled in its baseline: nothing was changed
    const numbers = whole.numbers(endedAt);
    const { url, ratePerSecond, timeoutMs, keepAlive } = settings;
    const traffic: TrafficReport = {
      url,
      ratePerSecond,
      timeoutMs,
      keepAlive,
      ...this.verdict(settings, numbers.failed),
      ...numbers,
    };
    this.run.recorder.traffic = traffic;
    const words = numbers.failed === 0 ? '' : ` (${failureWords(numbers.failures)})`;
    this.run.progress.info(
      `traffic: ${numbers.requests} requests, ${numbers.failed} failed${words}, longest time without a good answer ${formatDuration(numbers.longestGapMs)}`,
    );
  }

  private async start(settings: TrafficSettings, signal: AbortSignal): Promise<void> {
    const { clock, progress, probes, recorder, request } = this.run;
    const { url, ratePerSecond, keepAlive } = settings;
    const connections = keepAlive ? 'connections are kept' : 'a new connection each';
    progress.info(`traffic: ${ratePerSecond} requests a second to ${url} (${connections}) until the run ends`);
    const before = new TrafficAccount(clock.now());
    const addBefore = (sample: TrafficSample): void => before.add(sample);
    this.accounts.add(addBefore);
    this.loop = probes.traffic(settings, (sample) => {
      for (const add of this.accounts) add(sample);
    });
    await clock.sleep(Math.max(BASELINE_MS, (BASELINE_REQUESTS * 1_000) / ratePerSecond), signal);
    // Who needs an emergency restart does not wait for answers that do not come.
    if (before.requests === 0 && request.procedure !== 'emergency') await this.loop.settled();
    this.accounts.delete(addBefore);
    const numbers = before.numbers(clock.now());
    if (numbers.requests === 0 || numbers.failed > 0) {
      const how =
        numbers.requests === 0
          ? 'was not answered'
          : `failed ${numbers.failed} of ${numbers.requests} times (${numbers.firstFailures[0]?.said ?? ''})`;
      this.failedBefore = `${url} ${how} before anything was changed, so nothing is judged by it`;
      progress.warning(`traffic: ${this.failedBefore}`);
      recorder.note(this.failedBefore);
    }
    this.whole = this.open();
    const voice = new FailureVoice(this.run);
    this.accounts.add((sample) => voice.hear(sample));
  }

  /** @param dueFromMs leaves out what was due before; milliseconds since the epoch */
  private open(dueFromMs = 0): TrafficAccount {
    const account = new TrafficAccount(this.run.clock.now());
    this.accounts.add((sample) => {
      if (sample.dueMs >= dueFromMs) account.add(sample);
    });
    return account;
  }

  private verdict(settings: TrafficSettings, all: number): Pick<TrafficReport, 'verdict' | 'reason'> {
    const allowed = settings.maxFailed ?? 0;
    if (this.failedBefore !== undefined) return { verdict: 'not-judged', reason: this.failedBefore };
    if (this.verdicts.size === 0) {
      const reason =
        settings.maxFailed === undefined
          ? 'where the old container stops before the new one serves, requests fail; give max-failed-requests to judge it'
          : 'the run ended before it came to that';
      return { verdict: 'not-judged', reason };
    }
    const failed = [...this.verdicts].filter(([, verdict]) => verdict === 'failed').map(([service]) => service);
    // Afterwards there is nothing to go back from, and what was not judged yet is told all the same.
    const later = all > allowed ? `; ${all} failed in the whole run` : '';
    return failed.length === 0
      ? { verdict: 'passed', reason: `at most ${allowed} may fail while a service is changed and watched${later}` }
      : { verdict: 'failed', reason: `more than ${allowed} failed while ${failed.join(', ')} was changed and watched` };
  }
}
