import type { ObservedContainer } from '../../../src/model/service.js';
import { documentOf, targetOf, until, type EngineSubject } from './subject.js';

type Values = Readonly<Record<string, unknown>>;

interface UpOptions {
  readonly replicas?: number;
  readonly forceRecreate?: boolean;
  readonly hasDependencies?: boolean;
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
}

/** One project, whose services are defined as the tests go along. */
export class ComposeFixture {
  image = '';
  private opened: EngineSubject | undefined;
  private services: Readonly<Record<string, Values>> = {};

  get subject(): EngineSubject {
    if (this.opened === undefined) throw new Error('the project is not there yet');
    return this.opened;
  }

  async open(subject: EngineSubject): Promise<void> {
    this.opened = subject;
    this.image = await subject.image({ prints: ['ready'] });
  }

  document(): Values {
    const { project } = this.subject;
    return { ...documentOf(this.subject, this.services), volumes: { state: { name: `${project}_state` } } };
  }

  /** @param definition of the service from now on; as before unless given */
  readonly up = async (service: string, definition?: Values, options: UpOptions = {}): Promise<void> => {
    if (definition !== undefined) this.services = { ...this.services, [service]: definition };
    await this.subject.compose.up({
      target: targetOf(this.subject, this.document()),
      service,
      replicas: options.replicas,
      forceRecreate: options.forceRecreate ?? false,
      hasDependencies: options.hasDependencies ?? false,
      onLine: () => undefined,
      signal: options.signal ?? new AbortController().signal,
      timeoutMs: options.timeoutMs ?? 60_000,
    });
    for (const { id, state } of await this.containersOf(service)) {
      // Its process has to have set up what it does at SIGTERM before the next test stops it.
      if (state === 'running') await this.hasPrinted(id, '');
    }
  };

  readonly containersOf = (service: string): Promise<readonly ObservedContainer[]> =>
    this.subject.engine.containers(this.subject.project, service);

  readonly oneOf = async (service: string): Promise<ObservedContainer> => {
    const [container, ...others] = await this.containersOf(service);
    if (container === undefined || others.length > 0) throw new Error(`not one container of ${service}`);
    return container;
  };

  async volumeOf(id: string): Promise<string | undefined> {
    const inspected = (await this.subject.engine.inspectContainer(id)) as { Mounts: { Name?: string }[] };
    return inspected.Mounts.map(({ Name }) => Name).find((name) => /^[0-9a-f]{64}$/.test(name ?? ''));
  }

  async hasPrinted(id: string, text: string): Promise<void> {
    await until(this.subject, `container ${id} prints ${text}`, async () => {
      let printed = '';
      for await (const chunk of await this.subject.engine.logs(id, {})) printed += String(chunk);
      return printed !== '' && printed.includes(text);
    });
  }
}
