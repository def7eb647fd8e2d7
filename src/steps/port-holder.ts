import { describeHolder, type PortHolder } from '../model/remedies.js';
import { isAlive, type ServiceDefinition } from '../model/service.js';
import type { Candidate } from './candidate.js';
import type { Viewing } from './session.js';

/** A service that is going to be started, as far as ports of the host are concerned. */
export interface WantsPorts {
  readonly service: string;
  readonly definition: Pick<ServiceDefinition, 'ports'>;
  readonly current: Pick<Candidate['current'], 'containers'>;
  readonly traffic: { readonly router: { readonly kind: Candidate['traffic']['router']['kind'] } };
}

/** Who has a port of the host. */
export type Found =
  | { readonly kind: 'may-end'; readonly holder: PortHolder; readonly words: string }
  /** @property why it is not to be ended from here, for a person to read */
  | { readonly kind: 'stays'; readonly words: string; readonly why: string };

type Looking = Pick<Viewing, 'engine' | 'listeners' | 'project'>;

/** @returns the TCP ports of the host that a service publishes and that its own containers do not have */
export function portsToGet({ definition, current, traffic }: WantsPorts): readonly number[] {
  // What keeps restarting has its ports for moments only, and is just what an update may be the fix of.
  const own = new Set(
    current.containers.flatMap((container) => [
      ...container.hostPorts.map(({ host }) => host),
      ...(isAlive(container) ? container.boundPorts : []),
    ]),
  );
  const wanted = definition.ports.flatMap(({ published, protocol }) =>
    protocol === 'tcp' && /^\d+$/.test(published ?? '') ? [Number(published)] : [],
  );
  // The edge has them, and containers behind it get none.
  return traffic.router.kind === 'edge' ? [] : wanted.filter((port) => !own.has(port));
}

/**
 * @param service that wants the port: the same service of another project may be the one that is meant
 * @returns who has a port of the host; undefined when it is free as far as can be seen from here
 */
export async function findHolder(looking: Looking, port: number, service: string): Promise<Found | undefined> {
  const { engine, listeners, project } = looking;
  const [publisher] = await engine.publishers(port);
  if (publisher !== undefined) {
    if (publisher.project === project) return ofThisProject(publisher.name);
    return publisher.project !== undefined && publisher.service === service
      ? ofTwin(publisher.name, publisher.project, service)
      : mayEnd({ kind: 'container', ...publisher });
  }
  const listener = await listeners.on(port);
  if (listener === undefined) return undefined;
  if (listener === 'unseen') {
    const why = 'its process cannot be seen from here: run this as root on the host of the engine, or end it yourself';
    return { kind: 'stays', words: 'a process of another user', why };
  }
  if (listener.container !== undefined) return inContainer(looking, listener.container, listener.name);
  const { pid, name, started, essential } = listener;
  const found = mayEnd({ kind: 'process', pid, name, started });
  return essential === undefined ? found : { kind: 'stays', words: found.words, why: essential };
}

/** A process of a container that shares the host's network publishes nothing, and is one of its container all the same. */
async function inContainer({ engine, project }: Looking, id: string, program: string): Promise<Found> {
  const container = await engine.container(id);
  if (container === undefined) {
    const why = 'it runs in a container that this engine does not know';
    return { kind: 'stays', words: `process ${program}`, why };
  }
  const own = await engine.containers(project);
  return own.some((one) => one.id === id)
    ? ofThisProject(container.name)
    : mayEnd({ kind: 'container', id, name: container.name });
}

function mayEnd(holder: PortHolder): Extract<Found, { kind: 'may-end' }> {
  const bare: PortHolder =
    holder.kind === 'container' ? { kind: 'container', id: holder.id, name: holder.name } : holder;
  return { kind: 'may-end', holder: bare, words: describeHolder(bare) };
}

function ofTwin(name: string, project: string, service: string): Found {
  return {
    kind: 'stays',
    words: `container ${name}`,
    why: `it is ${service} of project ${project}, which may be the one that is meant: set project-name: ${project}`,
  };
}

function ofThisProject(name: string): Found {
  return {
    kind: 'stays',
    words: `container ${name}`,
    why: 'it belongs to this project: no container of it is ended for another',
  };
}
