import { ROUTER_ABILITIES } from '../model/router.js';
import { formatDuration } from '../model/units.js';
import type { Change, Planned } from './strategy.js';

/** Stopping the old container and starting the edge, both prepared (measured on Engine 26.1: 0.6 to 0.7 s). */
export const TAKEOVER_OUTAGE_MS = 700;

/** @returns what a change without an outage costs all the same, in words and milliseconds */
export function costOf(change: Change, notes: readonly string[]): Pick<Planned, 'notes' | 'estimatedDowntimeMs'> {
  const { traffic } = change;
  const abilities = ROUTER_ABILITIES[traffic.router.kind];
  const said = [...notes];
  if (traffic.takeover !== undefined) said.push(...takeoverNotes(change));
  if (!abilities.countsInFlight) {
    said.push(
      'The drain of the old containers is not confirmed: this router does not say what is in flight; a request that outlives it may be cut by the stop.',
    );
  }
  if (!abilities.ownsName) {
    said.push(
      `Callers inside the compose network are not covered: Docker's DNS gives the name ${change.service} to the old container until it is gone, so a request of theirs in that moment may fail.`,
    );
  } else if (change.containerName !== undefined) {
    said.push(
      `Callers inside the compose network are covered by the name ${change.service}; those that use ${change.containerName} reach one container directly and are not.`,
    );
  }
  const withoutRedirect = traffic.takeover?.redirectProblem !== undefined;
  return { notes: said, estimatedDowntimeMs: withoutRedirect ? TAKEOVER_OUTAGE_MS : 0 };
}

function takeoverNotes({ traffic: { takeover }, service }: Change): readonly string[] {
  if (takeover === undefined) return [];
  const ports = takeover.edge.ports.map((port) => `${port.published} (${port.mode})`).join(', ');
  const way =
    takeover.redirectProblem === undefined
      ? 'new connections are redirected through it for some seconds meanwhile; keep-alive connections to the old container are closed by its stop'
      : `the ports cannot be redirected here (${takeover.redirectProblem}), so nothing listens while the old container stops and for about ${formatDuration(TAKEOVER_OUTAGE_MS)} more`;
  return [
    `The edge takes port ${ports} of ${service} over: ${way}. Procedure eject puts it back.`,
    'From then on HTTP requests carry X-Forwarded-For, and the connection comes from the edge. Callers inside the compose network may have a request fail in the moment of the take-over; after it they are covered.',
  ];
}
