import type { BesideOptions, Engine } from '../../../src/model/ports/engine.js';
import type { ObservedContainer } from '../../../src/model/service.js';
import { documentOf, until as untilSo, type EngineSubject } from './subject.js';

/** One project with one container of each kind, made once for all tests of a suite. */
export class EngineFixture {
  images = { calm: '' };
  private opened: EngineSubject | undefined;
  private readonly ids = new Map<string, string>();

  get subject(): EngineSubject {
    if (this.opened === undefined) throw new Error('the project is not there yet');
    return this.opened;
  }

  readonly engine = (): Engine => this.subject.engine;

  /** @returns the id of the container with number 1 of a service */
  readonly idOf = (service: string): string => {
    const id = this.ids.get(service);
    if (id === undefined) throw new Error(`there is no container of ${service}`);
    return id;
  };

  readonly look = async (service: string): Promise<ObservedContainer> => {
    const container = await this.engine().container(this.idOf(service));
    if (container === undefined) throw new Error(`the container of ${service} is gone`);
    return container;
  };

  readonly until = (what: string, holds: () => Promise<boolean>): Promise<void> => untilSo(this.subject, what, holds);

  /**
   * Starts it where it does not run, and waits until its process has set up what it does at a signal. Not by the time of its
   * start: the engine takes that after the process has begun, and may have lines from before.
   */
  readonly start = async (service: string): Promise<void> => {
    const since = this.subject.clock.now() / 1_000;
    if ((await this.look(service)).state === 'running') return;
    await this.engine().startContainer(this.idOf(service));
    await this.until(`${service} prints`, async () => {
      let printed = '';
      for await (const chunk of await this.engine().logs(this.idOf(service), { since })) printed += String(chunk);
      return printed.includes('second line');
    });
  };

  /** Creates one more container of a service from the one that is there. @returns its id */
  readonly beside = (
    service: string,
    number: number,
    name = `${this.subject.project}-${service}-${number}`,
    names: BesideOptions['names'] = {},
  ): Promise<string> =>
    this.engine().createBeside(this.idOf(service), {
      name,
      project: this.subject.project,
      service,
      number,
      composeHash: 'hash-of-the-test',
      files: { directory: '/folder', names: ['/folder/compose.yaml'] },
      like: this.idOf(service),
      names,
    });

  async open(subject: EngineSubject): Promise<void> {
    this.opened = subject;
    const prints = ['first line', 'second line'];
    const calm = await subject.image({
      prints,
      programs: { greet: { code: 4, output: 'good morning' }, linger: { code: 0, takesMs: 20_000 } },
      files: { '/etc/greeting': 'hello' },
      volumes: ['/data'],
    });
    const crashing = await subject.image({ ends: { afterMs: 200, code: 3 } });
    const ready = await subject.image({ readyAfterMs: 500 });
    this.images = { calm };
    const port = (): unknown => [
      { mode: 'ingress', host_ip: '127.0.0.1', target: 80, published: String(subject.port), protocol: 'tcp' },
    ];
    const document = documentOf(subject, {
      calm: {
        image: calm,
        environment: { COLOR: 'blue' },
        networks: { default: { aliases: ['quiet'] } },
        ports: port(),
      },
      second: { image: calm, ports: port() },
      stubborn: { image: await subject.image({ prints, ignoresSigterm: true }), stop_grace_period: '1s' },
      crashing: { image: crashing },
      failing: { image: crashing, restart: 'on-failure:2' },
      sharing: { image: calm, network_mode: 'service:calm' },
      job: { image: await subject.image({ ends: { afterMs: 100, code: 0 } }) },
      ready: { image: ready },
      sick: { image: await subject.image({ readyAfterMs: 'never' }) },
    });
    const services = Object.keys(document['services'] as object);
    const never = new AbortController().signal;
    await subject.compose.create({ document, services, signal: never, timeoutMs: 60_000 });
    for (const { id, service } of await subject.engine.containers(subject.project)) this.ids.set(service, id);
  }

  async close(): Promise<void> {
    await this.opened?.cleanup();
  }
}
