import type { OutcomeKind } from './outcome.js';
import type { ErrorCode } from './errors.js';

/** The moments of a run that `notify-on` chooses from. */
export const MOMENTS = ['start', 'success', 'failure', 'rollback'] as const;
export type Moment = (typeof MOMENTS)[number];

/** What people are told of a run. Every text in it is redacted. */
export interface Notice {
  readonly kind: 'notice';
  readonly moment: Moment;
  readonly at: string;
  readonly project: string;
  readonly procedure: string;
  /** Empty as long as it is not known which services change. */
  readonly services: readonly string[];
  /** One sentence: what is asked for, or what is live now. */
  readonly headline: string;
  /** Undefined at the start. */
  readonly outcome: OutcomeKind | undefined;
  /** Whether what runs differs from before the run. */
  readonly changed: boolean;
  readonly durationMs: number | undefined;
  readonly problem: { readonly code: ErrorCode; readonly message: string } | undefined;
  /** What a person should do now, most useful first. */
  readonly next: readonly string[];
  readonly reason: string | undefined;
  readonly by: string;
  readonly run: string;
  readonly runUrl: string | undefined;
  readonly host: string;
  /** The same for all that belongs together: a run, or a maintenance window. */
  readonly thread: string;
}

export interface NotificationSettings {
  readonly on: readonly Moment[];
  /** A secret. */
  readonly slackUrl: string | undefined;
  /** Both are secrets. */
  readonly webhook: { readonly url: string; readonly secret: string | undefined } | undefined;
  readonly email:
    | {
        /** `smtp:` or `smtps:`, with user and password where there are any. A secret. */
        readonly smtpUrl: string;
        readonly from: string;
        readonly to: readonly string[];
      }
    | undefined;
}

/** @returns what people are told at the end of a run; `undefined` outcomes do not end one */
export function momentOf(outcome: OutcomeKind): Moment {
  switch (outcome) {
    case 'deployed':
    case 'unchanged':
    case 'completed':
      return 'success';
    case 'rolled-back':
      return 'rollback';
    case 'refused':
    case 'failed':
    case 'rollback-failed':
    case 'cancelled':
      return 'failure';
  }
}

/** Whether a channel takes it: a moment that was chosen. */
export function isTold({ moment }: Notice, on: readonly Moment[]): boolean {
  return on.includes(moment);
}

/** @returns a title of some words, such as `code-update of roma failed` */
export function noticeTitle({ moment, procedure, project, outcome }: Notice): string {
  const what = `${procedure} of ${project}`;
  switch (moment) {
    case 'start':
      return `${what} begins`;
    case 'rollback':
      return `${what} was rolled back`;
    case 'success':
      return outcome === 'unchanged' ? `${what}: nothing to change` : `${what} succeeded`;
    case 'failure':
      return `${what} ${FAILURES[outcome ?? 'failed'] ?? 'failed'}`;
  }
}

const FAILURES: Partial<Readonly<Record<OutcomeKind, string>>> = {
  refused: 'was refused',
  cancelled: 'was cancelled',
  'rollback-failed': 'failed, and so did going back',
};
