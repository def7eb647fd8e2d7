import type { Finding } from './finding.js';

/** What a period of runs has cost, as it goes to the forge. Every text in it is redacted. */
export interface SloReview {
  readonly at: string;
  readonly project: string;
  /** Each host has its own ledger, and so its own review. */
  readonly host: string;
  /** As in `last 30 days`. */
  readonly period: string;
  readonly headline: string;
  readonly runUrl: string | undefined;
  /** The runbook's table and the runs, for each service. */
  readonly findings: readonly Finding[];
}
