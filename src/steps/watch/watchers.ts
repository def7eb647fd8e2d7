import { ErrorLinesWatcher } from './error-lines.js';
import { FailedRequestsWatcher } from './failed-requests.js';
import { MemoryWatcher } from './memory.js';
import { ResponseTimeWatcher } from './response-time.js';
import { StateWatcher } from './state.js';
import type { MakeWatcher } from './window.js';

/** What looks during a watch; a new kind of sign is one file and one line here. */
export const WATCHERS: readonly MakeWatcher[] = [
  (window) => new StateWatcher(window),
  (window) => new MemoryWatcher(window),
  (window) => new ErrorLinesWatcher(window),
  (window) => new FailedRequestsWatcher(window),
  (window) => new ResponseTimeWatcher(window),
];
