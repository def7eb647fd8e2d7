import { describe, expect, it } from 'vitest';
import type { EngineFixture } from './engine-fixture.js';
import { documentOf } from './subject.js';

export function imagesContract(name: string, fixture: EngineFixture): void {
  const { engine } = fixture;

  describe(`images of ${name}`, () => {
    it('are found by name and id, and are the same for the same content', async () => {
      const { subject, images } = fixture;
      const calm = await engine().image(images.calm);
      expect(calm).toMatchObject({ tags: [images.calm], volumes: ['/data'] });
      expect((await engine().image(calm?.id ?? ''))?.tags).toEqual([images.calm]);
      expect(calm?.fingerprint).toMatch(/^sha256:[0-9a-f]{64}$/);
      const other = await engine().image(await subject.image({ build: 'another' }));
      expect(other?.fingerprint).not.toBe(calm?.fingerprint);
      expect(await engine().image(`${subject.project}-none:1`)).toBeUndefined();
    });

    it('get and lose names', async () => {
      const { project } = fixture.subject;
      const repository = `rolling-restart/${project}-calm`;
      await engine().tagImage(fixture.images.calm, `${repository}:b`);
      await engine().tagImage(fixture.images.calm, `${repository}:a`);
      expect(await engine().tagsOf(repository)).toEqual([`${repository}:a`, `${repository}:b`]);
      expect((await engine().image(`${repository}:a`))?.id).toBe((await engine().image(fixture.images.calm))?.id);
      for (const tag of ['a', 'b', 'b']) await engine().untagImage(`${repository}:${tag}`);
      expect(await engine().tagsOf(repository)).toEqual([]);
      await expect(engine().tagImage(`${project}-none:1`, `${repository}:c`)).rejects.toMatchObject({ status: 404 });
    });

    it('keep their last name while a container is there, and go with it otherwise', async () => {
      await engine().untagImage(fixture.images.calm);
      expect((await engine().image(fixture.images.calm))?.tags).toEqual([fixture.images.calm]);
      const unused = await fixture.subject.image({ build: 'unused' });
      const { id = '' } = (await engine().image(unused)) ?? {};
      await engine().untagImage(unused);
      expect(await engine().image(id)).toBeUndefined();
    });
  });
}

export function networksContract(name: string, fixture: EngineFixture): void {
  const { engine, idOf, look } = fixture;

  describe(`networks of ${name}`, () => {
    it('are described as they were made', async () => {
      const network = `${fixture.subject.project}_default`;
      expect(await engine().resource({ kind: 'network', name: network })).toMatchObject({
        attributes: { driver: 'bridge', internal: 'false', attachable: 'false' },
      });
      expect(await engine().resource({ kind: 'network', name: `${network}-none` })).toBeUndefined();
    });

    it('stay while something that runs is on them, and are not the same when they are made again', async () => {
      const { project } = fixture.subject;
      await engine().startContainer(idOf('calm'));
      expect(await engine().removeNetworks(project)).toEqual([`${project}_default`]);
      for (const { id } of await engine().containers(project)) await engine().stopContainer(id);
      expect(await engine().removeNetworks(project)).toEqual([]);
      expect(await engine().resource({ kind: 'network', name: `${project}_default` })).toBeUndefined();
      const notFound = {
        code: 'E_ENGINE',
        status: 404,
        message: expect.stringMatching(/network .* not found/) as string,
      };
      await expect(engine().startContainer(idOf('calm'))).rejects.toMatchObject(notFound);
      const document = documentOf(fixture.subject, { late: { image: fixture.images.calm } });
      const signal = new AbortController().signal;
      await fixture.subject.compose.create({ document, services: ['late'], signal, timeoutMs: 60_000 });
      expect(await engine().resource({ kind: 'network', name: `${project}_default` })).toBeDefined();
      await expect(engine().startContainer(idOf('calm'))).rejects.toMatchObject(notFound);
      expect(await look('calm')).toMatchObject({ state: 'exited', exitCode: 128 });
    });
  });
}
