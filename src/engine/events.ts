import type { EngineEvent } from '../model/ports/engine.js';
import type { EngineClient } from './client.js';
import { jsonLines } from './json-lines.js';
import { ONE_OFF, PROJECT, SERVICE } from './observed.js';

/** Without `exec_*`: health checks make three of those each. Matched as beginnings, because of `health_status: …`. */
const ACTIONS = [
  'create',
  'start',
  'restart',
  'die',
  'oom',
  'kill',
  'stop',
  'destroy',
  'pause',
  'unpause',
  'rename',
  'health_status',
];

/** What is read of an event (Engine API, EventMessage). */
interface EventAnswer {
  readonly Type: string;
  readonly Action: string;
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> | null };
  readonly timeNano: number;
}

/**
 * What happens to a project's containers (one-off ones left out) and to the volumes in which its lock is kept
 * (`rolling-restart.PROJECT.…`). The request goes out at once, not when the first event is asked for, so that nothing is
 * missed in between. Ends on abort; a connection that breaks is thrown.
 *
 * The engine's label filter does not serve: an event of a volume carries no labels.
 */
export function projectEvents(client: EngineClient, project: string, signal: AbortSignal): AsyncIterable<EngineEvent> {
  const what = `stream the events of ${project}`;
  const filters = { type: ['container', 'volume'], event: ACTIONS };
  const query = { filters: JSON.stringify(filters), ...sinceNow(client.endpoint.host) };
  const opening = client.open(what, { method: 'GET', path: '/events', query }, { signal });
  opening.catch(() => undefined); // whoever iterates gets it

  return (async function* () {
    try {
      for await (const message of jsonLines(await opening)) {
        const event = eventOf(message as EventAnswer, project);
        if (event !== undefined) yield event;
      }
    } catch (error) {
      if (signal.aborted) return;
      throw client.broken(what, error);
    }
    if (!signal.aborted) throw client.broken(what, undefined);
  })();
}

/**
 * The engine keeps its last 256 events and sends those since an instant before it goes on. On its own socket, where its
 * clock is ours, that closes the gap until the request has arrived; elsewhere the clocks may differ.
 */
function sinceNow(host: string): { readonly since?: string } {
  return host.startsWith('unix://') && process.platform === 'linux' ? { since: (Date.now() / 1_000).toFixed(3) } : {};
}

function eventOf(message: EventAnswer, project: string): EngineEvent | undefined {
  const { ID: id } = message.Actor;
  const attributes = message.Actor.Attributes ?? {};
  const common = { action: message.Action, id, atMs: Math.floor(message.timeNano / 1_000_000) };
  if (message.Type === 'volume') {
    if (!id.startsWith(`rolling-restart.${project}.`)) return undefined;
    return { ...common, type: 'volume', service: undefined, exitCode: undefined };
  }
  if (attributes[PROJECT] !== project || attributes[ONE_OFF] === 'True') return undefined;
  const exitCode = attributes['exitCode'];
  return {
    ...common,
    type: 'container',
    service: attributes[SERVICE],
    exitCode: exitCode === undefined ? undefined : Number(exitCode),
  };
}
