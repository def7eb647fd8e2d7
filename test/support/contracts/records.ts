import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RecordsApi } from '../../../src/model/ports/records.js';

export interface RecordsSubject {
  readonly api: RecordsApi;
  /** What the names of all volumes and containers begin with; nobody else has it. */
  readonly name: string;
  cleanup(): Promise<void>;
}

const LABEL = 'rr.test.records';

/** What records are kept in, on the real engine and in memory. */
export function recordsContract(name: string, create: () => Promise<RecordsSubject>): void {
  let subject: RecordsSubject;
  let volume: string;
  let container: string;
  const ensure = (of: string): Promise<string> =>
    subject.api.ensureRecordsContainer({ name: of, volume: of, labels: { [LABEL]: subject.name } });

  beforeAll(async () => {
    subject = await create();
    volume = `${subject.name}-records`;
    await subject.api.createVolume(volume, { [LABEL]: subject.name });
    container = await ensure(volume);
  });
  afterAll(async () => {
    await subject.cleanup();
  });

  describe(`volumes of ${name}`, () => {
    it('have one maker, whose labels everybody sees', async () => {
      const contested = `${subject.name}-contested`;
      const seen = await Promise.all(['a', 'b', 'c'].map((owner) => subject.api.createVolume(contested, { owner })));
      expect(new Set(seen.map(({ owner }) => owner)).size).toBe(1);
      await subject.api.removeVolume(contested);
    });

    it('are listed by label, and removed once or twice', async () => {
      const { api } = subject;
      const names = [`${subject.name}-a`, `${subject.name}-b`];
      for (const one of names) await api.createVolume(one, { 'rr.test.list': subject.name, one });
      expect((await api.listVolumes(`rr.test.list=${subject.name}`)).map((one) => one.name).sort()).toEqual(names);
      expect((await api.listVolumes('rr.test.list')).map((one) => one.name)).toEqual(expect.arrayContaining(names));
      expect(await api.listVolumes('rr.test.list=other')).toEqual([]);
      for (const one of [...names, ...names]) await api.removeVolume(one);
      expect(await api.listVolumes(`rr.test.list=${subject.name}`)).toEqual([]);
    });

    it('stay while a container has them', async () => {
      await expect(subject.api.removeVolume(volume)).rejects.toMatchObject({ code: 'E_ENGINE', status: 409 });
    });
  });

  describe(`files of ${name}`, () => {
    it('are read one by one and as a tree', async () => {
      const { api } = subject;
      const bytes = Buffer.from([0, 255, 10, 13]);
      const written = new Map([
        ['tree/a', bytes],
        ['tree/b/c', Buffer.from('c')],
        ['treehouse', Buffer.from('')],
      ]);
      await api.writeFiles(container, written);
      expect(await api.readFile(container, 'tree/a')).toEqual(bytes);
      expect([...(await api.readTree(container, 'tree')).keys()].sort()).toEqual(['tree/a', 'tree/b/c']);
      expect([...(await api.readTree(container, '')).keys()].sort()).toEqual([...written.keys()]);
      expect(await api.readFile(container, 'tree/none')).toBeUndefined();
      expect(await api.readTree(container, 'none')).toEqual(new Map());
    });

    it('outlive the container that opens them, and are not taken for missing without it', async () => {
      const { api } = subject;
      expect(await ensure(volume)).toBe(container);
      await api.removeContainer(container);
      await api.removeContainer(container);
      const gone = { code: 'E_ENGINE', status: 404 };
      await expect(api.readFile(container, 'tree/b/c')).rejects.toMatchObject(gone);
      await expect(api.readTree(container, 'tree')).rejects.toMatchObject(gone);
      await expect(api.writeFiles(container, new Map([['x', Buffer.from('')]]))).rejects.toMatchObject(gone);
      const second = await ensure(volume);
      expect(second).not.toBe(container);
      expect(String(await api.readFile(second, 'tree/b/c'))).toBe('c');
      container = second;
    });

    it('are not opened through a container that is something else', async () => {
      await expect(
        subject.api.ensureRecordsContainer({ name: volume, volume: `${volume}-other`, labels: {} }),
      ).rejects.toMatchObject({
        code: 'E_ENGINE',
        status: 409,
        message: expect.stringContaining('in the way') as string,
      });
    });
  });
}
