import type { StatusChange, StatusNews } from '../../model/notification.js';
import type { Session } from '../session.js';

/** Why, where nothing is said: as the runbook writes it. */
const ROUTINE = 'Routine maintenance and updates';

/** What became of a call to the status page. */
export interface PageTold {
  /** What the page says now, as far as we told it; undefined: nothing new. */
  readonly page: 'maintenance' | 'operational' | undefined;
  /** Why it could not be told. */
  readonly problem: string | undefined;
}

/**
 * Tells the status page, where there is one, and waits for its answer for some seconds: what a page says counts only once
 * it has taken it.
 */
export async function tellPage(session: Session, news: StatusNews): Promise<PageTold> {
  const { notifier, recorder } = session;
  const deliveries = await notifier.tell(changeOf(session, news));
  if (deliveries.length === 0) return { page: undefined, problem: undefined };
  const problem = deliveries.find((one) => one.problem !== undefined)?.problem;
  const detail = problem === undefined ? news.kind : `${news.kind}: ${problem}`;
  recorder.gates.push({ gate: 'status-page', state: problem === undefined ? 'passed' : 'refused', detail });
  const says = news.kind === 'maintenance' || news.kind === 'operational' ? news.kind : undefined;
  return { page: problem === undefined ? says : undefined, problem };
}

/** @returns whether there is a page that would be told */
export function isCalled(session: Session, news: StatusNews): boolean {
  return session.notifier.describe(changeOf(session, news)).length > 0;
}

function changeOf(session: Session, news: StatusNews): StatusChange {
  return { ...news, project: session.project, reason: whyOf(session) };
}

/** @returns why there is a maintenance, redacted */
export function whyOf({ request, redactor }: Session): string {
  return redactor.text(request.reason ?? ROUTINE);
}

/** A call that is lost changes nothing of the work, and somebody has to make it. */
export function sayNotTold(session: Session, { problem }: PageTold, what: string, next: string): void {
  if (problem === undefined) return;
  session.recorder.note(`the status page was not told ${what}: ${problem}`);
  session.recorder.nextSteps.push(`The status page was not told ${what} (${problem}). ${next}`);
}

/**
 * A page that goes on saying maintenance is what nobody notices: it is said, and what to do.
 * @param problem why it could not be told that all is right; undefined: all is not right
 */
export function sayPageStays(session: Session, problem?: string): void {
  const said = `the status page still says maintenance${problem === undefined ? '' : `: ${problem}`}`;
  session.progress.warning(said);
  session.recorder.note(said);
  session.recorder.nextSteps.unshift(
    problem === undefined
      ? 'The status page still says maintenance. When the services are right again, run procedure maintenance with phase: verify: it says operational when all checks pass; or set the page by hand.'
      : `The status page still says maintenance: it could not be told that all works again (${problem}). Once it answers, run procedure maintenance with phase: verify, which tells it again; or set the page by hand.`,
  );
}
