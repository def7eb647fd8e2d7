import { describeMessage, type Message } from '../model/notification.js';
import type { Clock } from '../model/ports/clock.js';
import type { Channel } from '../model/ports/notifications.js';
import type { Progress } from '../model/ports/progress.js';

/** What one message to one channel may take. */
const DEADLINE_MS = 5_000;
/** The runner kills a cancelled job some seconds later; and a channel that gave no answer once is not waited for as long again. */
const SHORT_DEADLINE_MS = 2_000;

/** What became of one message on one channel. */
export interface Delivery {
  readonly channel: string;
  readonly message: Message;
  readonly problem: string | undefined;
  readonly durationMs: number;
}

/**
 * Tells all channels at once, in the background: a channel that is down delays no change and fails none. Messages to one
 * channel go one after the other, so that an end never comes before its beginning.
 */
export class Notifier {
  private readonly tails = new Map<Channel, Promise<void>>();
  private readonly delivered: Delivery[] = [];
  private readonly silent = new Set<Channel>();

  constructor(
    private readonly channels: readonly Channel[],
    private readonly options: {
      readonly clock: Clock;
      readonly progress: Progress;
      readonly redact: (text: string) => string;
      readonly cancelled: AbortSignal;
      readonly deadlineMs?: number;
    },
  ) {}

  /** Begins to send it and waits for nothing. */
  send(message: Message): void {
    void this.begin(message);
  }

  /** Sends it and waits until that is done or given up. @returns what became of it on each channel that takes it */
  async tell(message: Message): Promise<readonly Delivery[]> {
    return Promise.all(this.begin(message));
  }

  private begin(message: Message): readonly Promise<Delivery>[] {
    return this.channels.flatMap((channel) => {
      if (channel.describe(message) === undefined) return [];
      const before = this.tails.get(channel) ?? Promise.resolve();
      const sent = before.then(() => this.deliver(channel, message));
      this.tails.set(
        channel,
        sent.then(() => undefined),
      );
      return [sent];
    });
  }

  /** @returns what each channel would do with the message, in words */
  describe(message: Message): readonly string[] {
    return this.channels.flatMap((channel) => {
      const what = channel.describe(message);
      return what === undefined ? [] : [`${channel.name}: ${what}`];
    });
  }

  /** Waits until everything is sent or given up. @returns what became of it, in the order it ended */
  async settle(): Promise<readonly Delivery[]> {
    await Promise.all(this.tails.values());
    return this.delivered;
  }

  private async deliver(channel: Channel, message: Message): Promise<Delivery> {
    const { cancelled, clock, progress, redact, deadlineMs = DEADLINE_MS } = this.options;
    // A status page that is not told says something untrue from then on: it gets its time again.
    const short = cancelled.aborted || (this.silent.has(channel) && message.kind === 'notice');
    const limit = short ? Math.min(deadlineMs, SHORT_DEADLINE_MS) : deadlineMs;
    const began = clock.monotonic();
    const problem = await within(clock, limit, (signal) => channel.send(message, signal));
    const durationMs = Math.round(clock.monotonic() - began);
    if (durationMs >= limit) this.silent.add(channel);
    const words = problem === undefined ? undefined : redact(problem);
    const delivery: Delivery = { channel: channel.name, message, problem: words, durationMs };
    this.delivered.push(delivery);
    if (words === undefined) progress.debug(`${channel.name} has ${describeMessage(message)} after ${durationMs} ms`);
    else progress.warning(`${channel.name} could not be told (${describeMessage(message)}): ${words}`);
    return delivery;
  }
}

/** @returns what went wrong in words; a channel that does not heed the signal is not waited for either */
async function within(
  clock: Clock,
  limitMs: number,
  send: (signal: AbortSignal) => Promise<void>,
): Promise<string | undefined> {
  const [deadline, over] = [new AbortController(), new AbortController()];
  const late = clock.sleep(limitMs, over.signal).then(
    () => {
      deadline.abort();
      return `no answer within ${limitMs / 1_000} s`;
    },
    () => undefined, // the answer was here first
  );
  const sent = send(deadline.signal).then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error.message || error.name : String(error)),
  );
  try {
    return await Promise.race([sent, late]);
  } finally {
    over.abort();
  }
}
