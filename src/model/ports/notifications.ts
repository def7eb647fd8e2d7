import type { Message } from '../notification.js';

/** A way to tell people, or a status page. Implemented in `src/notify`, one file a channel. */
export interface Channel {
  /** As it stands in reports. */
  readonly name: string;
  /** What it would do with the message, without any secret; undefined: nothing. */
  describe(message: Message): string | undefined;
  /** Sends it. Rejects with what went wrong; ends at once on abort. */
  send(message: Message, signal: AbortSignal): Promise<void>;
}
