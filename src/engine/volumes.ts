import type { RecordsApi } from '../model/ports/records.js';
import type { EngineClient } from './client.js';
import { EngineError, unlessStatus } from './failures.js';

type Labels = Readonly<Record<string, string>>;

/** How often a volume may be taken away between its creation and the look at it. */
const ATTEMPTS = 5;

/** Labelled volumes: what a lock is made of. */
export function createVolumes(client: EngineClient): Pick<RecordsApi, 'createVolume' | 'listVolumes' | 'removeVolume'> {
  const labelsOf = async (name: string): Promise<Labels | undefined> => {
    const inspecting = client.getJson(`inspect volume ${name}`, `/volumes/${name}`);
    const answer = (await unlessStatus([404], undefined, inspecting)) as { readonly Labels: Labels | null } | undefined;
    return answer && (answer.Labels ?? {});
  };

  return {
    async createVolume(name, labels) {
      for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
        await client.call(`create volume ${name}`, (docker, abortSignal) =>
          docker.createVolume({ Name: name, Labels: { ...labels }, abortSignal }),
        );
        // Creating one that exists succeeds; only a look tells whose labels it has.
        const actual = await labelsOf(name);
        if (actual !== undefined) return actual;
      }
      throw new EngineError(404, `The volume ${name} disappears as soon as it is made`, {
        next: 'Something else on this host removes volumes: look at docker events.',
      });
    },

    async listVolumes(label) {
      const { Volumes } = await client.call(`list volumes with ${label}`, (docker, abortSignal) =>
        docker.listVolumes({ filters: JSON.stringify({ label: [label] }), abortSignal }),
      );
      const volumes = (Volumes as typeof Volumes | null) ?? [];
      return volumes.map((volume) => ({ name: volume.Name, labels: (volume.Labels as Labels | null) ?? {} }));
    },

    async removeVolume(name) {
      const removing = client.call(`remove volume ${name}`, async (docker, abortSignal) => {
        await docker.getVolume(name).remove({ abortSignal });
      });
      await unlessStatus([404], undefined, removing);
    },
  };
}
