import type { StatusChange } from '../../model/notification.js';
import type { Session } from '../session.js';

/** Tells the status page, where there is one. @returns what it says then, as far as we told it */
export function tellPage(session: Session, change: StatusChange): 'maintenance' | 'operational' | undefined {
  const { notifier } = session;
  const told = notifier.describe(change).length > 0;
  notifier.send(change);
  if (!told) return undefined;
  return change.kind === 'maintenance' || change.kind === 'operational' ? change.kind : undefined;
}

/** A page that goes on saying maintenance is what nobody notices: it is said, and what to do. */
export function sayPageStays(session: Session): void {
  session.progress.warning('the status page still says maintenance');
  session.recorder.note('the status page still says maintenance');
  session.recorder.nextSteps.unshift(
    'The status page still says maintenance. When the services are right again, run procedure maintenance with phase: verify: it says operational when all checks pass; or set the page by hand.',
  );
}
