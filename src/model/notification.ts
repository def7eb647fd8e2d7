import type { OutcomeKind } from './outcome.js';
import type { ErrorCode } from './errors.js';
import type { PullRequest } from './ports/code-host.js';

/** The moments of a run that `notify-on` chooses from. */
export const MOMENTS = ['start', 'success', 'failure', 'rollback'] as const;
/** `announcement`: a maintenance window is told of; it is what was asked for, and no choice. */
export type Moment = (typeof MOMENTS)[number] | 'announcement';

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
  /** The commit that is live at the end, in full; undefined at the start, and where none is known. */
  readonly commit: string | undefined;
  /** The pull requests that brought it, of a run that is green. */
  readonly pullRequests: readonly PullRequest[];
  readonly reason: string | undefined;
  readonly by: string;
  readonly run: string;
  readonly runUrl: string | undefined;
  readonly host: string;
  /** The same for all that belongs together: a run, or a maintenance window. */
  readonly thread: string;
}

/** What a status page is told: the calls of the runbook's Procedure 5. Every text in it is redacted. */
export type StatusChange = {
  readonly project: string;
  readonly reason: string;
} & StatusNews;

/** What is new in a call to a status page. */
export type StatusNews =
  | {
      readonly kind: 'announced';
      readonly startsAt: string;
      readonly durationMs: number;
      readonly impact: string;
    }
  | { readonly kind: 'maintenance' }
  | { readonly kind: 'operational' }
  | {
      readonly kind: 'completed';
      readonly actualMs: number;
      readonly issues: string;
      readonly notes: string;
    };

/** What a channel may be given. */
export type Message = Notice | StatusChange;

/** One call to a status page. */
export interface PageCall {
  readonly method: string;
  readonly url: string;
  /** JSON with words in braces (`page-body.ts`). */
  readonly body: string;
  /** Their values are secrets. */
  readonly headers: Readonly<Record<string, string>>;
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
  /** Each of its calls, where there is an address for it. */
  readonly statusPage: Readonly<Record<StatusChange['kind'], PageCall | undefined>> | undefined;
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

/** Whether a channel for people takes it: a moment that was chosen, or an announcement. */
export function isTold(message: Message, on: readonly Moment[]): message is Notice {
  return message.kind === 'notice' && (message.moment === 'announcement' || on.includes(message.moment));
}

/** @returns a title of some words, such as `code-update of roma failed` */
export function noticeTitle({ moment, procedure, project, outcome }: Notice): string {
  const what = `${procedure} of ${project}`;
  switch (moment) {
    case 'start':
      return `${what} begins`;
    case 'announcement':
      return `${what} is announced`;
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

/** @returns what is live, as in `4f2a9c1b7d3e (#12 Faster start)`; undefined where no commit is known */
export function whatIsLive({ commit, pullRequests }: Notice): string | undefined {
  if (commit === undefined) return undefined;
  const brought = pullRequests.map(({ number, title }) => `#${number} ${title}`).join(', ');
  return brought === '' ? commit.slice(0, 12) : `${commit.slice(0, 12)} (${brought})`;
}

/** @returns the message in some words, for reports */
export function describeMessage(message: Message): string {
  return message.kind === 'notice' ? message.moment : `status ${message.kind}`;
}
