import type { Operation, OperationOf } from '../operations/operation.js';
import { touchesService } from '../run/decide.js';
import type { OutcomeKind } from '../model/outcome.js';
import { asProcedureError } from '../model/errors.js';
import { memoryBaseline } from '../model/memory-baseline.js';
import { policyOf } from '../model/project-policy.js';
import type { ReadinessSignal } from '../model/readiness.js';
import type { Release, ReleaseId, ReleaseWithDefinition } from '../model/release.js';
import { isAlive, type ObservedContainer } from '../model/service.js';
import { sloRows, type Measured } from '../model/slo.js';
import { formatSize } from '../model/units.js';
import { analyseCanary } from './analyse-canary.js';
import type { Candidate } from './candidate.js';
import { captureEvidence, isUrgent } from './evidence.js';
import { countInLogs, LogAccount } from './log-account.js';
import { errorMatcher } from './log-lines.js';
import { OutageAccount } from './outage-account.js';
import { noteKilled } from './killed-after-grace.js';
import { liveNow, type LiveNow } from './live-release.js';
import { awaitReady, type Readiness } from './readiness.js';
import { ERRORS_BEFORE_WINDOW_MS, noSigns, raise, type SignSource } from './signs.js';
import { lookAtStart } from './slow-start.js';
import { verify } from './verify.js';
import { mostMemory } from './watch/memory.js';
import { watch } from './watch/watch.js';
import type { Watched } from './watch/window.js';
import type { Looker, Session } from './session.js';
import { releaseBefore } from './way-back.js';

type Back = Pick<ReleaseWithDefinition, 'replicas' | 'definition'>;

/**
 * What is known about one service while it is being changed: which part of the plan it is in, what was measured. The
 * operations that look (readiness, verification, watch, evidence) are carried out here, since they need it; those that
 * change something are the executor's own.
 */
export class ServiceRun implements Looker {
  /** Operations on this service that have begun, in order. */
  readonly begun: Operation[] = [];
  private killed = false;
  /** Release whose containers were made last; undefined while they are being made, and after that failed. */
  private placed: ReleaseId | undefined;
  /** The release that comes back, once it does. */
  private back: Back | undefined;
  private readonly signs: SignSource = noSigns();
  private replacedAtMs: number;
  private ready: Readiness | undefined;
  private watched: Watched | undefined;
  /** Of the container that used most before anything was touched; bytes. */
  private memoryBefore: number | undefined;
  private tolerated = 0;
  private readonly outage: OutageAccount;
  private readonly log = new LogAccount();

  constructor(
    private readonly session: Session,
    private readonly candidate: Candidate,
  ) {
    this.replacedAtMs = session.clock.now();
    session.lookers.set(candidate.service, this);
    this.outage = new OutageAccount(session, candidate);
    this.placed = candidate.current.release?.id;
  }

  get goingBack(): boolean {
    return this.signs.goingBack;
  }

  /** From here on a release comes back: no warning sign stands in its way, and it has as many containers as it had. */
  goBackTo({ replicas, release }: Pick<Candidate, 'replicas' | 'release'>): void {
    this.signs.goingBack = true;
    this.back = { replicas, definition: release.definition };
    this.log.close();
  }

  /** All that a release has written that failed, before it goes: a verification read less, and nobody read after a crash. */
  async countLog(signal: AbortSignal): Promise<void> {
    const { session, candidate, replacedAtMs } = this;
    const old = new Set(candidate.current.containers.map(({ id }) => id));
    const all = await session.engine.containers(session.project, candidate.service);
    const fresh = all.filter(({ id }) => !old.has(id));
    if (fresh.length > 0) this.log.counted(await countInLogs(session, fresh, { since: replacedAtMs / 1000, signal }));
  }

  async execute(operation: Operation, signal: AbortSignal): Promise<void> {
    const places = operation.kind === 'replace-containers' || operation.kind === 'start-beside';
    if (operation.kind === 'freeze-data' && operation.how === 'stop') this.beginAccount();
    if (operation.kind === 'kill-containers' || operation.kind === 'restart-containers') {
      this.beginAccount();
      this.killed = operation.kind === 'kill-containers';
    }
    if (places) {
      // The first batch of several begins the account; later ones add to it. After a kill the service is down: the time
      // until it serves again counts from there.
      const first = operation.kind === 'replace-containers' || this.placed !== operation.to;
      if (first && !this.killed) this.beginAccount();
      this.placed = undefined;
    }
    const beganAtMs = this.session.clock.now();
    const seenBefore = this.session.events.seen.length;
    this.outage.before(operation);
    this.begun.push(operation);
    await this.session.execute(operation, signal);
    await this.outage.after(operation, beganAtMs);
    if (places) this.placed = operation.to;
    await this.noteKilledContainers(operation, seenBefore);
  }

  /** What was measured is about containers that go now. */
  private beginAccount(): void {
    this.replacedAtMs = this.session.clock.now();
    this.ready = undefined;
    this.watched = undefined;
  }

  definition(): Readonly<Record<string, unknown>> {
    return (this.back ?? this.candidate.release).definition;
  }

  async awaitReady(operation: OperationOf<'await-ready'>, signal: AbortSignal): Promise<void> {
    const { candidate, session } = this;
    this.ready = await this.readyWithin(operation, signal);
    this.outage.ready(this.ready);
    if (this.ready.ended) return;
    if (!this.ready.proven) {
      raise(session, this.signs, {
        sign: 'no-health-check',
        severity: 'low',
        service: candidate.service,
        message:
          'it has no health check: ready means that it stayed up and its ports are open; add a healthcheck, or give readiness',
      });
    }
    await lookAtStart(session, candidate, this.signs, this.ready.startupMs);
  }

  /**
   * Docker's `max_failure_ratio`: a container that fails to become ready is made once more while it allows it.
   * @throws ProcedureError E_NOT_READY
   */
  private async readyWithin(operation: OperationOf<'await-ready'>, signal: AbortSignal): Promise<Readiness> {
    const { candidate, session } = this;
    const expected = {
      replicas: operation.except === undefined ? this.replicas() : 1,
      lifetime: candidate.lifetime,
      readiness: this.readiness(),
    };
    for (;;) {
      try {
        return await awaitReady(session, operation, expected, signal);
      } catch (error) {
        const failure = asProcedureError(error);
        const left = (operation.tolerate ?? 0) - this.tolerated;
        if (failure.code !== 'E_NOT_READY' || left <= 0 || this.placed === undefined) throw error;
        this.tolerated += 1;
        raise(session, this.signs, {
          sign: 'note',
          severity: 'low',
          service: candidate.service,
          message: `${failure.message}: made once more, as max_failure_ratio allows`,
        });
        await this.makeOnceMore(operation, signal);
      }
    }
  }

  private async makeOnceMore({ service, except = [] }: OperationOf<'await-ready'>, signal: AbortSignal): Promise<void> {
    const { session, candidate } = this;
    const all = await session.engine.containers(session.project, service);
    const failed = all.filter((one) => !except.includes(one.id) && !isUp(one)).map(({ id }) => id);
    if (failed.length === 0) return;
    await session.execute(
      { kind: 'retire-containers', service, containers: { are: 'these', containers: failed } },
      signal,
    );
    await session.execute(
      {
        kind: 'start-beside',
        service,
        to: candidate.release.id,
        from: candidate.current.release?.id,
        count: failed.length,
        beside: all.map(({ id }) => id).filter((id) => !failed.includes(id)),
        published: false,
        named: false,
      },
      signal,
    );
  }

  async analyse(operation: OperationOf<'analyse-canary'>, signal: AbortSignal): Promise<void> {
    await analyseCanary(this.session, operation, this.signs, signal);
  }

  async verify(operation: OperationOf<'verify'>, signal: AbortSignal): Promise<void> {
    await verify(
      this.session,
      operation,
      {
        lifetime: this.candidate.lifetime,
        // Those of one batch, or of a set whose number its own plan knows.
        replicas: operation.except === undefined || operation.except.length === 0 ? this.replicas() : undefined,
        sinceMs: this.replacedAtMs,
        goingBack: this.goingBack,
        signs: this.signs,
        environment: this.candidate.definition.environment,
        onCounted: (counted) => this.log.counted(counted),
      },
      signal,
    );
  }

  async watch(operation: OperationOf<'watch'>, signal: AbortSignal): Promise<void> {
    const { session, signs, memoryBefore } = this;
    const onSeen = (watched: Watched): void => {
      this.watched = watched;
      if (watched.lines !== undefined) this.log.counted({ errors: watched.errorLines, lines: watched.lines });
    };
    const about = { sinceMs: this.replacedAtMs, signs, lifetime: this.candidate.lifetime, memoryBefore, onSeen };
    await watch(session, operation, about, signal);
  }

  async capture(operation: OperationOf<'capture-evidence'>, signal: AbortSignal): Promise<void> {
    const { session } = this;
    const containers = await captureEvidence(session, session.project, operation.service, operation.moment, signal);
    // In an emergency nobody waits for a comparison with the log of before.
    if (operation.moment !== 'before' || isUrgent(session)) return;
    this.memoryBefore = await mostMemory(session, containers);
    if (errorMatcher(session.request) === undefined || containers.length === 0) return;
    const since = (session.clock.now() - ERRORS_BEFORE_WINDOW_MS) / 1000;
    this.signs.errorsBefore = (await countInLogs(session, containers, { since, tail: 20_000 })).errors;
  }

  restartMs(): number | undefined {
    return this.ready === undefined ? undefined : this.ready.readyAtMs - this.replacedAtMs;
  }

  /** Going back, as many containers as that release had; forward, as many as are wanted. */
  private replicas(): number {
    return this.back?.replicas ?? this.candidate.replicas;
  }

  /** Going back, what the live compose file said: the release of before may not have what the new one is asked for. */
  private readiness(): ReadinessSignal | undefined {
    const { session, candidate } = this;
    const policy = this.goingBack ? policyOf(session.opened.live.policy, candidate.service) : candidate.policy;
    return session.request.readiness ?? policy.readiness;
  }

  /** What was stopped, and whether it is known to have ended: a replacement may leave some for a later batch. */
  private async noteKilledContainers(operation: Operation, from: number): Promise<void> {
    if (this.killed) return; // that was asked for
    const { candidate, session, signs } = this;
    const about = (containers: readonly string[], ended: boolean): Promise<void> =>
      noteKilled(session, signs, candidate.service, { containers, from, ended });
    switch (operation.kind) {
      case 'replace-containers':
      case 'retire-containers':
        return about(
          candidate.current.containers.map(({ id }) => id),
          false,
        );
      case 'restart-containers':
      case 'stop-containers':
        return about(this.ran(operation.containers), true);
      case 'freeze-data':
        return operation.how === 'stop' ? about(this.ran(operation.containers), true) : undefined;
      default:
        return undefined;
    }
  }

  /** Of containers that were there before, those that had something to stop. */
  private ran(containers: readonly string[]): readonly string[] {
    const still = new Set(this.candidate.current.containers.filter((one) => !isAlive(one)).map(({ id }) => id));
    return containers.filter((id) => !still.has(id));
  }

  /**
   * Runbook, Procedure 1: memory is back at its baseline.
   * @throws WarningSignError when it is not, and `on-warning` says so
   */
  async compareMemory(): Promise<void> {
    const { session, candidate, watched } = this;
    const bytes = watched?.memoryBytes;
    if (bytes === undefined) return;
    const { mostBytes, words } = memoryBaseline(await session.ledger.sloRecords(candidate.service));
    if (bytes > mostBytes) {
      raise(session, this.signs, {
        sign: 'memory-baseline',
        severity: 'medium',
        service: candidate.service,
        message: `it uses ${formatSize(bytes)} after the restart, above its baseline (${words})`,
      });
      return;
    }
    session.recorder.note(`memory ${formatSize(bytes)}, within its baseline (${words})`, candidate.service);
  }

  /** Closes the account of a change that did not go through: which release is live is read, not remembered. */
  async reportFailure(outcome: OutcomeKind, previous: string | undefined): Promise<LiveNow> {
    const { current, release, service } = this.candidate;
    const known = [current.release, releaseBefore(current), release].filter((one) => one !== undefined);
    const live = await liveNow(this.session, service, known);
    this.report(outcome, live.release, previous);
    return live;
  }

  /** Closes the account: what the service was, is, and cost, for report and SLO table. */
  report(outcome: OutcomeKind, live: Release | undefined, previous: string | undefined): void {
    const { session, candidate } = this;
    const { decision } = candidate;
    const downtimeMs = this.outage.ms();
    session.recorder.services.push({
      service: candidate.service,
      outcome,
      release: live?.id,
      previousRelease: previous,
      imageDigest: live?.image.digest ?? live?.image.id,
      commit: live?.commit,
      version: live?.version,
      downtimeMs,
      readyMs: this.ready?.startupMs,
      memoryBytes: this.watched?.memoryBytes,
      errorLines: this.log.all()?.errors ?? 0,
      reasons: decision.kind === 'change' ? decision.reasons : [],
    });
    const measured: Measured = {
      restartMs: this.restartMs(),
      healthyMs: this.ready?.proven === true ? this.ready.startupMs : undefined,
      memoryBytes: this.watched?.memoryBytes,
      log: this.log.all(),
      downtimeMs,
    };
    session.recorder.slo.push(...sloRows(session.request.procedure, candidate.service, measured));
    if (!this.begun.some(touchesService)) return;
    session.recorder.accounts.push({ ...measured, service: candidate.service, outcome, release: live?.id });
  }
}

function isUp(container: ObservedContainer): boolean {
  return container.state === 'running' && container.health !== 'unhealthy' && container.restartCount === 0;
}
