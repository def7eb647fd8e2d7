import type { Notice } from '../notification.js';

/** A way to tell people, or a status page. Implemented in `src/notify`, one file a channel. */
export interface Channel {
  /** As it stands in reports. */
  readonly name: string;
  /** What it would do with the message, without any secret; undefined: nothing. */
  describe(message: Notice): string | undefined;
  /** Sends it. Rejects with what went wrong; ends at once on abort. */
  send(message: Notice, signal: AbortSignal): Promise<void>;
}
