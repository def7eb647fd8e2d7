import { allSucceeded } from '../../model/job.js';
import type { EngineEvent } from '../../model/ports/engine.js';
import type { ObservedContainer } from '../../model/service.js';
import { formatDuration } from '../../model/units.js';
import { explainContainer } from '../diagnose.js';
import { verdictMs } from '../readiness.js';
import { raiseSign, type Watcher, type WatchWindow } from './window.js';

type StateSign = 'out-of-memory' | 'keeps-restarting' | 'exited' | 'unhealthy';

/** Whether the containers go on running and healthy: the runbook's "container keeps restarting" (High). */
export class StateWatcher implements Watcher {
  private noted = 0;

  constructor(private readonly window: WatchWindow) {}

  async lookBack(): Promise<void> {
    const { containers, session, sinceMs } = this.window;
    for (const event of session.events.seen) {
      const container = containers.find(({ id }) => id === event.id);
      if (container !== undefined && event.atMs >= sinceMs) this.note(event, container);
    }
    for (const container of this.window.containers) {
      const now = await this.window.session.engine.container(container.id);
      if (now !== undefined) await this.judge(now);
    }
  }

  async onEvent(event: EngineEvent, container: ObservedContainer): Promise<void> {
    this.note(event, container);
    const sign = signOf(event, container);
    if (sign === undefined) return;
    const now = (await this.window.session.engine.container(container.id)) ?? container;
    if (allSucceeded(this.window.lifetime, [now])) return;
    await this.raiseHigh(now, sign(now));
  }

  async atEnd(): Promise<void> {
    for (const container of this.window.containers) {
      const now = await this.window.session.engine.container(container.id);
      if (now === undefined) {
        raiseSign(this.window, 'exited', 'high', `${container.name} is gone`);
        continue;
      }
      await this.judge(now);
      if (now.health === 'starting') await this.judgeUnconfirmed(now);
    }
  }

  /** Its health check passed when we ran it; Docker, which runs it as well, has not said so up to now. */
  private async judgeUnconfirmed(container: ObservedContainer): Promise<void> {
    const { name, healthCheck, healthLog, startedAt } = container;
    const { session } = this.window;
    if (healthCheck !== undefined && this.window.session.clock.now() - Date.parse(startedAt) > verdictMs(healthCheck)) {
      const message = `${name}: Docker has not called it healthy within the ${formatDuration(verdictMs(healthCheck))} that its health check has for that`;
      await this.raiseHigh(container, { sign: 'unhealthy', message });
      return;
    }
    const last = healthLog.at(-1);
    if (last === undefined || last.exitCode === 0) {
      const message = `${name}: Docker has not confirmed its health yet; the watch was shorter than the health check`;
      raiseSign(this.window, 'note', 'low', message);
      return;
    }
    const failed = healthLog.filter(({ exitCode }) => exitCode !== 0).length;
    const message = `${name}: Docker has not confirmed its health: ${failed} of its last ${healthLog.length} checks failed`;
    raiseSign(this.window, 'unhealthy', 'medium', message, await explainContainer(session, container));
  }

  /** Runbook, Container Health: "should transition: Up → Restarting → Up (healthy)". One that loops does not fill the report. */
  private note(event: EngineEvent, { name }: ObservedContainer): void {
    const text = transitionOf(event);
    if (text === undefined || this.noted > MOST_NOTED) return;
    this.noted += 1;
    const { recorder } = this.window.session;
    const more = this.noted > MOST_NOTED ? '; what follows is not noted' : '';
    recorder.note(`${name}: ${text}${more}`, this.window.operation.service, event.atMs);
  }

  private async judge(container: ObservedContainer): Promise<void> {
    const trouble = this.troubleOf(container);
    if (trouble !== undefined) await this.raiseHigh(container, trouble);
  }

  private async raiseHigh(
    container: ObservedContainer,
    { sign, message }: { readonly sign: StateSign; readonly message: string },
  ): Promise<void> {
    raiseSign(this.window, sign, 'high', message, await explainContainer(this.window.session, container));
  }

  private troubleOf(container: ObservedContainer): { readonly sign: StateSign; readonly message: string } | undefined {
    const { name, restartCount } = container;
    if (container.oomKilled) return { sign: 'out-of-memory', message: `${name} was killed: out of memory` };
    if (restartCount > 0) {
      const times = restartCount === 1 ? 'once' : `${restartCount} times`;
      const code = this.window.session.events.lastExitCode(container.id);
      const exit = code === undefined ? '' : ` (exit code ${code})`;
      return { sign: 'keeps-restarting', message: `${name} exited and was restarted by Docker ${times}${exit}` };
    }
    if (container.state !== 'running' && !allSucceeded(this.window.lifetime, [container])) {
      return { sign: 'exited', message: `${name} is ${container.state} (exit code ${container.exitCode})` };
    }
    if (container.health === 'unhealthy') return { sign: 'unhealthy', message: `${name} became unhealthy` };
    return undefined;
  }
}

const MOST_NOTED = 50;

/** @returns what became of a container, as `docker compose ps` would show it; undefined when it is still what it was */
function transitionOf({ action, exitCode }: EngineEvent): string | undefined {
  switch (action) {
    case 'start':
      return 'up';
    case 'die':
      return `exited${exitCode === undefined ? '' : ` with code ${exitCode}`}`;
    case 'health_status: healthy':
      return 'up (healthy)';
    case 'health_status: unhealthy':
      return 'up (unhealthy)';
    default:
      return undefined;
  }
}

function signOf(
  { action, exitCode }: EngineEvent,
  { name }: ObservedContainer,
): ((now: ObservedContainer) => { readonly sign: StateSign; readonly message: string }) | undefined {
  switch (action) {
    case 'oom':
      return () => ({ sign: 'out-of-memory', message: `${name} ran out of memory` });
    case 'die':
      return (now) => ({
        sign: 'exited',
        message: `${name} exited with code ${exitCode ?? now.exitCode} while it was watched`,
      });
    case 'health_status: unhealthy':
      return () => ({ sign: 'unhealthy', message: `${name} became unhealthy` });
    default:
      return undefined;
  }
}
