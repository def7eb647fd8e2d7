import type { EdgeUpgrade } from '../model/edge.js';
import { formatDuration } from '../model/units.js';
import { TAKEOVER_OUTAGE_MS } from './cost.js';

/** @returns how the edge gets the image that is asked for, and what that costs: an edge is not replaced unasked */
export function edgeUpgradeNote({ service, has, wanted, redirectProblem }: EdgeUpgrade): string {
  const way = `procedure eject, and the next change with router: edge takes the ports over with the new one`;
  const cost =
    redirectProblem === undefined
      ? 'no new connection fails, since the ports are redirected meanwhile; connections that are open through the edge are closed'
      : `the ports cannot be redirected here (${redirectProblem}), so each of the two is an outage: eject until the new container is ready, the take-over of about ${formatDuration(TAKEOVER_OUTAGE_MS)} and the stop of the old container`;
  return `The edge of ${service} is of ${has} and stays so; edge-image says ${wanted}. To upgrade it: ${way}. What it costs: ${cost}.`;
}
