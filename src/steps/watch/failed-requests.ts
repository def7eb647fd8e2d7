import type { TrafficAccount } from '../../model/traffic-account.js';
import { describeFailed, failuresExcerpt } from '../traffic-words.js';
import { raiseSign, type Watcher, type WatchWindow } from './window.js';

/**
 * Requests to `probe-url` that fail while the release is watched. Where the change is judged by its requests, more than
 * may fail are a High sign, looked for each second. Where it is not, those that fail from here on are told as a Medium
 * one: it serves by now, and nothing is stopped any more.
 */
export class FailedRequestsWatcher implements Watcher {
  private readonly account: TrafficAccount | undefined;

  constructor(private readonly window: WatchWindow) {
    this.account = window.session.proof?.accountFromNow();
  }

  tick(): void {
    const { session, operation } = this.window;
    const { proof } = session;
    if (proof === undefined) return;
    if (!proof.judges(operation.service)) {
      this.tell();
      return;
    }
    const judged = proof.judgeNow(operation.service);
    if (judged.kind !== 'failed') return;
    raiseSign(this.window, 'failed-requests', 'high', judged.message, judged.excerpt);
  }

  async atEnd(): Promise<void> {
    await this.window.session.proof?.settled();
    this.tick();
  }

  words(): string | undefined {
    const { account } = this;
    return account === undefined ? undefined : `failed requests ${account.failed}`;
  }

  private tell(): void {
    const { account, window } = this;
    const url = window.session.request.traffic?.url;
    if (account === undefined || account.failed === 0 || url === undefined) return;
    const numbers = account.numbers(this.window.session.clock.now());
    raiseSign(window, 'failed-requests', 'medium', describeFailed(numbers, url), failuresExcerpt(numbers));
  }
}
