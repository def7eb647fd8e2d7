import type { Checklist, SloRow } from '../model/report.js';
import { MEMORY_METRIC } from '../model/slo.js';
import type { GateResult, Recorder, VerifiedCheck } from './recorder.js';

/** @returns the runbook's checklists, ticked from what happened and nothing else */
export function checklists(recorder: Recorder): readonly Checklist[] {
  const checked = (name: string): readonly VerifiedCheck[] => recorder.verified.filter((entry) => entry.check === name);
  /** Of several services, or several calls, one that went wrong is what counts. */
  const fromGate = (text: string, name: string): Checklist['items'][number] => {
    const results = recorder.gates.filter((entry) => entry.gate === name && entry.state !== 'off');
    if (results.length === 0) return { text, state: 'not-asked', detail: undefined };
    const failed = results.some((entry: GateResult) => entry.state === 'refused');
    const details = [...new Set(results.map((entry) => entry.detail))];
    return { text, state: failed ? 'failed' : 'done', detail: details.join('; ') };
  };
  const fromChecks = (text: string, name: string): Checklist['items'][number] => {
    const results = checked(name);
    if (results.length === 0) return { text, state: 'not-asked', detail: undefined };
    const failed = results.filter((result) => !result.passed);
    const shown = failed.length > 0 ? failed : results;
    return {
      text,
      state: failed.length > 0 ? 'failed' : 'done',
      detail: shown.map((result) => `${result.service}: ${result.detail}`).join('; '),
    };
  };
  const ticked = (text: string, done: boolean, detail: string | undefined): Checklist['items'][number] => ({
    text,
    state: done ? 'done' : 'not-asked',
    detail,
  });
  const wholeWatch = recorder.watched.length > 0 && recorder.watched.every((entry) => entry.whole);
  return [
    {
      title: 'Pre-restart checklist',
      items: [
        fromGate('Verified service health', 'health'),
        fromGate('Checked for active jobs', 'active-jobs'),
        ticked(
          'Saved current logs',
          recorder.captured.some((entry) => entry.endsWith('before')),
          undefined,
        ),
        fromGate('Backed up state', 'backup'),
        fromGate('Notified team', 'notified'),
        ticked(
          'Prepared rollback plan',
          recorder.rollbackReleasePresent === true,
          recorder.rollbackReleasePresent === false ? 'there is no release to go back to' : undefined,
        ),
      ],
    },
    {
      title: 'Post-restart checklist',
      items: [
        unlessSeen(fromChecks('Container status is running and healthy', 'state'), recorder, NOT_RUNNING),
        fromChecks('The wanted image and configuration are what runs', 'identity'),
        unlessSeen(fromChecks('No errors in logs', 'error-lines'), recorder, ['error-lines']),
        fromChecks('Smoke tests pass', 'smoke-test'),
        memory(recorder.slo),
        {
          text: 'Monitored for the whole watch',
          state: recorder.watched.length === 0 ? 'not-asked' : wholeWatch ? 'done' : 'failed',
          detail: recorder.watched
            .map((entry) => `${entry.service}: ${Math.round(entry.durationMs / 1000)} s`)
            .join('; '),
        },
        fromGate('Updated status page', 'status-page'),
        ticked('Documented any issues', recorder.warnings.length > 0, `${recorder.warnings.length} recorded here`),
      ],
    },
  ];
}

/** Signs of a container that did not run on as it was verified. */
const NOT_RUNNING = ['exited', 'keeps-restarting', 'unhealthy', 'out-of-memory'];

/** What was verified and did not stay so: the watch comes after it. */
function unlessSeen(
  item: Checklist['items'][number],
  { warnings }: Recorder,
  signs: readonly string[],
): Checklist['items'][number] {
  const seen = warnings.filter(({ sign }) => signs.includes(sign));
  if (seen.length === 0) return item;
  return { ...item, state: 'failed', detail: seen.map(({ service, message }) => `${service}: ${message}`).join('; ') };
}

/** As the targets have it: one reading for each service that was changed. */
function memory(slo: readonly SloRow[]): Checklist['items'][number] {
  const rows = slo.filter(({ metric, met }) => metric === MEMORY_METRIC && met !== undefined);
  const wrong = rows.filter(({ met }) => met === false);
  const shown = wrong.length > 0 ? wrong : rows;
  return {
    text: 'Resource usage is normal',
    state: rows.length === 0 ? 'not-asked' : wrong.length > 0 ? 'failed' : 'done',
    detail: shown.map(({ service, actual, target }) => `${service}: ${actual} of memory, target ${target}`).join('; '),
  };
}
