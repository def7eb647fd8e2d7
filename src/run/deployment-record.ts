import type { OutcomeKind } from '../model/outcome.js';
import type { RunReport } from '../model/report.js';
import type { Finding } from '../model/finding.js';
import {
  shortDescription,
  stateAfter,
  type DeploymentStart,
  type DeploymentState,
  type DeploymentStatus,
} from '../model/deployment.js';
import { whoApproved, type Approval } from '../model/approval.js';
import type { DeploymentId, Deployments, Place } from '../model/ports/deployments.js';
import type { Progress } from '../model/ports/progress.js';

/** What a record is told of a run. */
export type Ending = Pick<RunReport, 'outcome' | 'headline'> & {
  /** Whether every service of the run is live with what was wanted. */
  readonly live: boolean;
  /** Commit of the release of before, where that one is live again; undefined when it is not, or has none. */
  readonly liveCommit: string | undefined;
};

/** Outcomes after which the release of before may be live again. */
const UNDONE: ReadonlySet<OutcomeKind> = new Set(['rolled-back', 'rollback-failed', 'cancelled']);

/**
 * The forge's record of this run's change. It is begun in the background and delays nothing; whatever of it fails is told
 * and fails nothing.
 */
export class DeploymentRecord {
  private begun:
    | {
        readonly start: DeploymentStart;
        readonly id: Promise<DeploymentId | undefined>;
        readonly approval: Promise<Approval>;
      }
    | undefined;
  private ending: Promise<void> = Promise.resolve();
  private readonly problems: string[] = [];

  constructor(
    private readonly deployments: Deployments,
    private readonly options: {
      readonly progress: Progress;
      readonly redact: (text: string) => string;
      readonly logUrl: string | undefined;
      readonly environmentUrl: string | undefined;
      /** Never throws. */
      readonly approvalOf: (environment: string) => Promise<Approval>;
    },
  ) {}

  /** Once a run: later calls are of the same change. */
  begin(start: DeploymentStart): void {
    if (this.begun !== undefined) return;
    const id = this.make(start);
    this.begun = { start, id, approval: this.options.approvalOf(start.environment) };
  }

  /** @returns what was recorded, for the report; undefined when nothing was begun */
  async end({ outcome, headline, live, liveCommit }: Ending): Promise<Finding | undefined> {
    if (this.begun === undefined) return undefined;
    const { start, id: making, approval } = this.begun;
    const id = await making;
    const state = stateAfter(outcome, live);
    if (id !== undefined) {
      await this.say(start, id, this.status(state, headline));
      if (state === 'success') await this.retire(start, id);
      else if (UNDONE.has(outcome) && liveCommit !== undefined) await this.liveAgain(start, id, liveCommit);
    }
    const what = id === undefined ? 'not recorded' : `deployment ${id}: ${state}`;
    return {
      title: 'GitHub deployment',
      columns: ['Environment', 'Commit', 'Record', 'Approval'],
      rows: [
        [
          start.environment,
          start.commit.slice(0, 12),
          [what, ...this.problems].join('; '),
          this.options.redact(whoApproved(await approval, start.origin.by)),
        ],
      ],
    };
  }

  /** Ends the record of a run that was killed, in the background. */
  endOf(killed: { readonly environment: string; readonly run: string }, live: boolean, headline: string): void {
    const { environment, run } = killed;
    const ending = async (): Promise<void> => {
      const id = await this.deployments.unfinished(environment, run);
      if (id === undefined) return;
      const state = live ? 'success' : 'failure';
      await this.deployments.report(id, this.status(state, headline));
      this.options.progress.info(`deployment ${id} in ${environment}, which run ${run} had begun: ${state}`);
    };
    this.ending = this.ending.then(ending).catch((error: unknown) => {
      this.lost(`the deployment in ${environment} that run ${run} had begun could not be ended`, error);
    });
  }

  /** Waits for what is said in the background. */
  async settle(): Promise<void> {
    await this.ending;
  }

  private async make(start: DeploymentStart): Promise<DeploymentId | undefined> {
    const { environment, description } = start;
    let id: DeploymentId;
    try {
      id = await this.deployments.begin({ ...start, description: this.text(description) });
    } catch (error) {
      this.lost(`the deployment in ${environment} could not be recorded`, error);
      return undefined;
    }
    // Made is made: how it ends is said, also where its beginning could not be.
    await this.deployments.report(id, this.status('in_progress', description)).then(
      () => this.options.progress.debug(`deployment ${id} in ${environment} is in progress`),
      (error: unknown) => this.lost(`deployment ${id} in ${environment} does not say that it is in progress`, error),
    );
    return id;
  }

  private async say(start: DeploymentStart, id: DeploymentId, status: DeploymentStatus): Promise<void> {
    await this.deployments.report(id, status).catch((error: unknown) => {
      this.lost(`deployment ${id} in ${start.environment} does not say how it ended`, error);
    });
  }

  private async retire(start: DeploymentStart, id: DeploymentId): Promise<void> {
    const status = this.status('inactive', `replaced by ${start.commit.slice(0, 12)}`);
    try {
      const retired = await this.deployments.retireOthers(start.environment, id, placeOf(start), status);
      if (retired > 0) this.options.progress.debug(`${retired} older deployments in ${start.environment} are inactive`);
    } catch (error) {
      this.lost(`older deployments in ${start.environment} were not set inactive`, error);
    }
  }

  private async liveAgain(start: DeploymentStart, id: DeploymentId, commit: string): Promise<void> {
    try {
      const before = await this.deployments.liveBefore(start.environment, id, placeOf(start), commit);
      const said = `live again: ${start.commit.slice(0, 12)} was rolled back`;
      if (before !== undefined) await this.deployments.report(before, this.status('success', said));
    } catch (error) {
      this.lost(`what is live in ${start.environment} could not be said`, error);
    }
  }

  private status(state: DeploymentState, description: string): DeploymentStatus {
    const { logUrl, environmentUrl } = this.options;
    return { state, description: this.text(description), logUrl, environmentUrl };
  }

  private text(text: string): string {
    return shortDescription(this.options.redact(text));
  }

  private lost(what: string, error: unknown): void {
    const reason = this.options.redact(error instanceof Error ? error.message : String(error));
    const words = `${what}: ${reason}${isRefusal(error) ? ' (github-token needs deployments: write)' : ''}`;
    this.problems.push(words);
    this.options.progress.warning(`GitHub: ${words}`);
  }
}

/** GitHub hides from a token what it may not see. */
function isRefusal(error: unknown): boolean {
  return error instanceof Error && 'status' in error && (error.status === 403 || error.status === 404);
}

function placeOf({ origin: { project, host } }: DeploymentStart): Place {
  return { project, host };
}
