import type { Session } from '../session.js';
import { askInContainer } from './in-container.js';
import type { Probe } from './probe.js';

/** As long as Docker gives a health check that says nothing of it. */
const LONGEST_MS = 30_000;

/** A shell command inside the container. */
export function commandProbe(session: Pick<Session, 'engine' | 'redactor'>, command: string): Probe {
  return {
    name: command,
    ask: (container, leftMs, signal) =>
      askInContainer(session, container, ['/bin/sh', '-c', command], Math.min(LONGEST_MS, leftMs), signal),
  };
}
