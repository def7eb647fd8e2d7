import type { TrafficLoop } from '../model/ports/probe.js';
import type { TrafficSample, TrafficSettings } from '../model/traffic.js';
import { Sender } from './send.js';

/** No more are in flight at a time, whatever rate and timeout say: each is a socket of this process. */
const MOST_IN_FLIGHT = 1_000;

/** @returns how many may be in flight: as many as are sent before the first of them is given up */
export function inFlightLimit({
  ratePerSecond,
  timeoutMs,
}: Pick<TrafficSettings, 'ratePerSecond' | 'timeoutMs'>): number {
  return Math.min(MOST_IN_FLIGHT, Math.ceil((ratePerSecond * timeoutMs) / 1_000) + 10);
}

/**
 * An open loop: a request is due at its time whether or not earlier ones were answered, as with real callers, who do not
 * wait for each other. A closed loop would send one request during an outage and call it one failure.
 */
export class OpenLoop implements TrafficLoop {
  private readonly sender: Sender;
  private readonly limit: number;
  private readonly inFlight = new Set<Promise<void>>();
  /** By a clock that is never set back; `epochMs` makes times of day of it. */
  private readonly startedAt = performance.now();
  private readonly epochMs = Date.now() - performance.now();
  private sent = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly settings: TrafficSettings,
    private readonly onSample: (sample: TrafficSample) => void,
  ) {
    this.sender = new Sender(settings);
    this.limit = inFlightLimit(settings);
    this.sendDue();
  }

  async settled(): Promise<void> {
    await Promise.all(this.inFlight);
  }

  async stop(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    await this.settled();
    this.sender.close();
  }

  /** Sends what is due by now: more than one when this process was busy or the rate is above one a millisecond. */
  private readonly sendDue = (): void => {
    const everyMs = 1_000 / this.settings.ratePerSecond;
    for (;;) {
      const due = this.startedAt + this.sent * everyMs;
      const wait = due - performance.now();
      if (wait > 0) {
        this.timer = setTimeout(this.sendDue, wait);
        return;
      }
      this.sent += 1;
      this.send(due, -wait);
    }
  };

  private send(due: number, lateMs: number): void {
    if (this.inFlight.size >= this.limit) {
      const said = `${this.limit} requests are in flight already`;
      this.report(due, { failure: { kind: 'not-sent', said }, version: undefined, retried: false, lateMs });
      return;
    }
    const sending = this.sender.send().then((result) => {
      this.inFlight.delete(sending);
      this.report(due, { ...result, lateMs });
    });
    this.inFlight.add(sending);
  }

  private report(due: number, rest: Omit<TrafficSample, 'dueMs' | 'endedMs'>): void {
    this.onSample({ dueMs: due + this.epochMs, endedMs: performance.now() + this.epochMs, ...rest });
  }
}
