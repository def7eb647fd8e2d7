import type { EngineEvent } from '../../../src/model/ports/engine.js';
import { ONE_OFF, PROJECT, SERVICE } from '../../../src/engine/observed.js';

export interface WorldEvent {
  readonly type: EngineEvent['type'];
  readonly action: string;
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly exitCode: number | undefined;
  readonly atMs: number;
}

/** What happened on the engine, in order. */
export class EventLog {
  readonly all: WorldEvent[] = [];
  private readonly listeners = new Set<(event: WorldEvent) => void>();

  constructor(private readonly now: () => number) {}

  add(event: Omit<WorldEvent, 'atMs' | 'exitCode'> & { readonly exitCode?: number }): void {
    const whole = { exitCode: undefined, ...event, atMs: this.now() };
    this.all.push(whole);
    for (const listener of this.listeners) listener(whole);
  }

  /** From now on, until the abort: what is not asked for yet is kept. */
  listen(project: string, signal: AbortSignal): AsyncIterable<EngineEvent> {
    const waiting: EngineEvent[] = [];
    let wake = (): void => undefined;
    const listener = (event: WorldEvent): void => {
      const seen = eventOf(event, project);
      if (seen === undefined) return;
      waiting.push(seen);
      wake();
    };
    this.listeners.add(listener);
    signal.addEventListener('abort', () => {
      this.listeners.delete(listener);
      wake();
    });
    return (async function* () {
      while (!signal.aborted) {
        const next = waiting.shift();
        if (next !== undefined) yield next;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    })();
  }
}

function eventOf(event: WorldEvent, project: string): EngineEvent | undefined {
  const { type, action, id, exitCode, atMs, labels } = event;
  if (type === 'volume') {
    if (!id.startsWith(`rolling-restart.${project}.`)) return undefined;
    return { type, action, id, service: undefined, exitCode: undefined, atMs };
  }
  if (labels[PROJECT] !== project || labels[ONE_OFF] === 'True') return undefined;
  return { type, action, id, service: labels[SERVICE], exitCode, atMs };
}
