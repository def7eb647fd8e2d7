import type { Clock } from '../../../src/model/ports/clock.js';
import type { Compose, ComposeTarget, Engine, EngineEvent } from '../../../src/model/ports/engine.js';
import type { Behavior } from '../memory/behavior.js';

/** An engine with its Compose, real or in memory, and a project that is nobody else's. */
export interface EngineSubject {
  readonly engine: Engine;
  readonly compose: Compose;
  readonly clock: Clock;
  readonly project: string;
  /** A folder for the project; it has no files. */
  readonly directory: string;
  /** A port of the host that nobody has. */
  readonly port: number;
  /** Makes an image that behaves so, under a name of the project. @returns the name */
  image(behavior: Behavior, name?: string): Promise<string>;
  /** What somebody else does on the engine. */
  readonly outside: {
    pause(id: string): Promise<void>;
    unpause(id: string): Promise<void>;
    removeVolume(name: string): Promise<void>;
    /** Creates a one-off container of a service, as `compose run` does. @returns its id */
    oneOff(service: string, image: string): Promise<string>;
  };
  /** The same engine by a way on which no answer comes back: from the first request on, after the first call, or refused. */
  unanswered(from: 'start' | 'second call' | 'nobody listens'): Promise<Engine>;
  cleanup(): Promise<void>;
}

type Values = Readonly<Record<string, unknown>>;

/** A project as Compose renders it. */
export function documentOf({ project }: EngineSubject, services: Readonly<Record<string, Values>>): Values {
  return {
    name: project,
    services: Object.fromEntries(
      Object.entries(services).map(([name, service]) => [
        name,
        {
          ...{ command: null, entrypoint: null },
          ...(service['network_mode'] === undefined ? { networks: { default: null } } : {}),
          ...service,
        },
      ]),
    ),
    networks: { default: { name: `${project}_default`, ipam: {} } },
  };
}

export function targetOf(subject: EngineSubject, document: Values): ComposeTarget {
  const { directory, project } = subject;
  return { files: [], directory, projectDirectory: directory, projectName: project, envFiles: [], document };
}

/** Waits, by the subject's clock, for something to become so. */
export async function until(
  { clock }: EngineSubject,
  what: string,
  holds: () => Promise<boolean>,
  timeoutMs = 15_000,
): Promise<void> {
  const endsAt = clock.monotonic() + timeoutMs;
  const never = new AbortController().signal;
  while (!(await holds())) {
    if (clock.monotonic() > endsAt) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await clock.sleep(25, never);
  }
}

/** The events of the project from now on. The engine is asked by a time in milliseconds: what was just before may come too. */
export async function eventsFromNow(
  { clock, engine, project }: EngineSubject,
  signal: AbortSignal,
): Promise<AsyncIterable<EngineEvent>> {
  await clock.sleep(5, new AbortController().signal);
  return engine.events(project, signal);
}

/** The items of a stream until one of them ends it. */
export async function collect<T>(
  stream: AsyncIterable<T>,
  stop: AbortController,
  isLast: (item: T) => boolean,
): Promise<readonly T[]> {
  const seen: T[] = [];
  for await (const item of stream) {
    seen.push(item);
    if (isLast(item)) stop.abort();
  }
  return seen;
}

/** @returns what an event says, as in `web die 3` */
export function actionOf({ action, service, exitCode }: EngineEvent): string {
  return [service, action, exitCode].filter((part) => part !== undefined).join(' ');
}
