import { describe, expect, it } from 'vitest';
import type { ComposeFixture } from './compose-fixture.js';
import { collect, eventsFromNow, documentOf, targetOf } from './subject.js';

const never = new AbortController().signal;
const silent = (): void => undefined;
/** Nobody listens there. */
const NO_REGISTRY = '127.0.0.1:9';

/** What Compose does besides `up`. */
export function composeCallsContract(name: string, fixture: ComposeFixture): void {
  describe(`create of ${name}`, () => {
    it('makes containers of services and of what they depend on, and starts none', async () => {
      const { subject, image } = fixture;
      const document = documentOf(subject, {
        base: { image },
        top: { image, depends_on: { base: { condition: 'service_started', required: true } } },
        other: { image },
      });
      await subject.compose.create({ document, services: ['top'], signal: never, timeoutMs: 60_000 });
      const made = await subject.engine.containers(subject.project);
      const states = made.filter(({ service }) => ['base', 'top', 'other'].includes(service));
      expect(states.map(({ service, state }) => `${service} ${state}`)).toEqual(['base created', 'top created']);
      for (const { id } of states) await subject.engine.removeContainer(id);
    });

    it('fails where an image is missing, after it has made the network', async () => {
      const { subject } = fixture;
      const extra = `${subject.project}_extra`;
      const lost = { image: `${subject.project}-missing:1`, networks: { extra: null } };
      const document = { ...documentOf(subject, { lost }), networks: { extra: { name: extra, ipam: {} } } };
      const creating = subject.compose.create({ document, services: ['lost'], signal: never, timeoutMs: 60_000 });
      await expect(creating).rejects.toMatchObject({ code: 'E_COMPOSE' });
      expect(await subject.engine.resource({ kind: 'network', name: extra })).toBeDefined();
      expect(await subject.engine.containers(subject.project, 'lost')).toEqual([]);
    });
  });

  describe(`a template of ${name}`, () => {
    it('is no container of the project, and others are made from it', async () => {
      const { subject, image } = fixture;
      const { engine, compose, project, directory } = subject;
      const ports = [{ mode: 'ingress', host_ip: '127.0.0.1', target: 80, published: '0', protocol: 'tcp' }];
      const document = documentOf(subject, { web: { image, container_name: `${project}-fixed`, ports } });
      const stop = new AbortController();
      const events = await eventsFromNow(fixture.subject, stop.signal);
      const template = await compose.makeTemplate({
        ...{ document, directory, service: 'web', image, published: false, signal: never },
        helper: { work: 'template', lifeMs: 60_000 },
      });
      expect((await engine.containers(project)).map(({ id }) => id)).not.toContain(template);
      expect(await engine.container(template)).toMatchObject({
        state: 'created',
        publishes: false,
        exposedPorts: [80],
      });
      const id = await engine.createBeside(template, {
        ...{ name: `${project}-web-9`, project, service: 'web', number: 9, composeHash: 'x', like: undefined },
        files: { directory, names: [] },
        names: { [`${project}_default`]: ['web'] },
      });
      const inspected = (await engine.inspectContainer(id)) as { Config: { Labels: Readonly<Record<string, string>> } };
      expect(inspected.Config.Labels).not.toHaveProperty(['rolling-restart.helper']);
      // The template belongs to another project.
      expect((await collect(events, stop, () => true)).map((event) => event.id)).toEqual([id]);
      await engine.removeContainer(template);
      await engine.startContainer(id);
      expect(await engine.container(id)).toMatchObject({
        service: 'web',
        number: 9,
        state: 'running',
        imageName: image,
      });
      expect((await engine.containers(project, 'web')).map((one) => one.id)).toEqual([id]);
      await engine.removeContainer(id);
    });
  });

  describe(`questions to ${name}`, () => {
    it('are what a document says', async () => {
      const { subject, image } = fixture;
      const { compose, project, directory } = subject;
      const check = { test: ['CMD', 'true'], interval: '2s', retries: 4 };
      const document = documentOf(subject, {
        web: { image, environment: { COLOR: 'blue' }, healthcheck: check, deploy: { replicas: 2 } },
      });
      const target = targetOf(subject, document);
      const rendered = await compose.render(target);
      expect(rendered.name).toBe(project);
      expect(rendered.services['web']).toMatchObject({
        image,
        replicas: 2,
        environment: { COLOR: 'blue' },
        healthCheck: { intervalMs: 2_000, retries: 4, timeoutMs: 30_000 },
      });
      expect(await compose.place(target)).toEqual({ directory, files: [], byDefault: true, profiles: [], named: true });
      expect(await compose.variables(target, ['RR_NOT_SET'])).toEqual({ RR_NOT_SET: '' });
      expect(await compose.version()).toMatch(/^\d+\.\d+(\.\d+)?$/);
      expect(await compose.keepsVolumes(false)).toBe(true);
    });

    it('are hashes, which replicas and builds do not change', async () => {
      const { subject, image } = fixture;
      const hashOf = async (service: Readonly<Record<string, unknown>>): Promise<string | undefined> => {
        const document = documentOf(subject, { web: { image, ...service } });
        const [one, other] = [
          await subject.compose.documentHashes(document, subject.directory),
          await subject.compose.hashes(targetOf(subject, document)),
        ];
        expect(one).toEqual(other);
        return one['web'];
      };
      const plain = await hashOf({});
      expect(plain).toMatch(/^[0-9a-f]{64}$/);
      expect(await hashOf({ environment: { A: '1' } })).not.toBe(plain);
      expect(await hashOf({ deploy: { replicas: 3 } })).toBe(await hashOf({ deploy: { replicas: 2 } }));
      expect(await hashOf({ scale: 2, build: { context: subject.directory } })).toBe(plain);
    });
  });

  describe(`images by ${name}`, () => {
    it('are not pulled and not pushed where nobody has them', async () => {
      const { compose, project } = fixture.subject;
      const reference = `${NO_REGISTRY}/${project}:1`;
      await expect(compose.pull(reference, silent, never, 60_000)).rejects.toMatchObject({ code: 'E_PULL' });
      await expect(compose.push(reference, silent, never, 60_000)).rejects.toMatchObject({ code: 'E_PUSH' });
      expect(await compose.registryProblem(reference, 20_000)).toContain(reference);
    });
  });
}
