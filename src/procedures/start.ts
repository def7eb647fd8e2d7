import { dependencyOrder } from '../model/service.js';
import { requireNamedServices } from '../steps/require.js';
import type { Session, Viewing } from '../steps/session.js';
import { describePreview } from '../steps/show-plan.js';
import { startService, viewStart } from '../steps/start-service.js';
import { ended, type Procedure, type ProcedureResult } from './procedure.js';

/** The way back from `stop`: the release that was live runs again, verified and watched, or is stopped again. */
export const start: Procedure = {
  name: 'start',
  purpose: 'Starts services that were stopped, with the release that was live, verifies and watches them.',
  interrupts: false,

  async preview(viewing: Viewing): Promise<ProcedureResult> {
    const services = await Promise.all(inOrder(viewing).map((name) => viewStart(viewing, name)));
    return ended('completed', describePreview(viewing, { procedure: 'start', preparation: [], services }));
  },

  async perform(session: Session): Promise<ProcedureResult> {
    const started: string[] = [];
    const running: string[] = [];
    for (const service of inOrder(session)) {
      const { outcome, error, changed, began } = await session.progress.group(`${service}: start`, () =>
        startService(session, service),
      );
      if (error !== undefined) {
        const before = started.length === 0 ? '' : `${started.join(', ')} started; `;
        const now = changed ? 'it is left running' : 'it is stopped again';
        const what = began ? `was started and is not right, ${now}` : 'was not started';
        const headline = `${before}${service} ${what}: ${error.message}`;
        return { outcome, headline, error, undoError: undefined, changed: changed || started.length > 0 };
      }
      (outcome === 'unchanged' ? running : started).push(service);
    }
    if (started.length === 0) return ended('unchanged', `${running.join(', ')}: nothing to start`);
    return ended('deployed', `${started.join(', ')} started and verified`);
  },
};

/** What others depend on first. */
function inOrder(viewing: Viewing): readonly string[] {
  const named = requireNamedServices(viewing);
  return dependencyOrder(viewing.opened.live).filter((name) => named.includes(name));
}
