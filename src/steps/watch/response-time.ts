import type { TrafficAccount } from '../../model/traffic-account.js';
import { raiseSign, type Watcher, type WatchWindow } from './window.js';

/** Fewer say nothing about half of them. */
const LEAST_REQUESTS = 10;

/**
 * The runbook's performance check, "should be <100ms" (Medium), with the requests that are sent to `probe-url` anyway: the
 * median, since the first answers of a new container are slow in most languages.
 */
export class ResponseTimeWatcher implements Watcher {
  private readonly account: TrafficAccount | undefined;

  constructor(private readonly window: WatchWindow) {
    this.account = window.session.proof?.accountFromNow();
  }

  atEnd(): void {
    const { account, window } = this;
    const { maxResponseMs } = window.session.request;
    if (account === undefined || account.requests - account.failed < LEAST_REQUESTS) return;
    const { p50Ms, p99Ms } = account.numbers(this.window.session.clock.now());
    if (p50Ms === undefined || p50Ms <= maxResponseMs) return;
    const message = `half of the requests took longer than ${p50Ms.toFixed(0)} ms, and should take ${maxResponseMs} ms at most (99 % within ${(p99Ms ?? p50Ms).toFixed(0)} ms)`;
    raiseSign(window, 'slow-responses', 'medium', message);
  }
}
