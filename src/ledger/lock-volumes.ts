import { ProcedureError } from '../model/errors.js';
import type { RecordsApi } from '../model/ports/records.js';
import { generationLabels, nonceOf, viewOf, yieldLabels, type Generation, type LockView } from './generation.js';
import { generationName, LOCK_LABEL, yieldName } from './names.js';

/** The volumes of one project's lock: looking, claiming the next generation, clearing away what is superseded. */
export interface LockVolumes {
  look(): Promise<LockView>;
  /**
   * Tries to make the generation after the highest one.
   * @returns whether it is ours and the highest; then also what a look after its creation showed
   */
  claim(generation: Generation): Promise<{ readonly won: boolean; readonly view: LockView }>;
  /** Deletes the generations up to this number that the look showed, and the requests to their holders. */
  clear(view: LockView, upTo: number): Promise<void>;
  askToYield(generation: number, reason: string): Promise<void>;
}

export function createLockVolumes(api: RecordsApi, project: string): LockVolumes {
  const list = async (): Promise<LockView> => viewOf(project, await api.listVolumes(`${LOCK_LABEL}=${project}`));

  const look = async (): Promise<LockView> => {
    const view = await list();
    // A listing takes the names first and each volume's labels after; a generation that is superseded and deleted in
    // between falls out of it. An empty answer would start the numbers again, so it has to be given twice.
    return view.highest === undefined ? list() : view;
  };

  return {
    look,

    async claim({ number, ...generation }) {
      const name = generationName(project, number);
      const labels = await api.createVolume(name, generationLabels(project, generation));
      const nonce = nonceOf(labels);
      if (nonce === undefined) throw foreign(name);
      const view = await look();
      if (nonce !== generation.nonce) return { won: false, view };
      const highest = view.highest;
      if (highest?.number === number && highest.nonce === nonce) return { won: true, view };
      // Our look before was old: the number had been used and cleared away already. Higher ones never vanish, so this
      // one can never count, whoever made it.
      if (highest !== undefined && highest.number > number) await api.removeVolume(name);
      return { won: false, view };
    },

    async clear(view, upTo) {
      const generations = view.generations.filter(({ number }) => number <= upTo);
      const yields = view.yields.filter(({ generation }) => generation <= upTo);
      await Promise.all([
        ...generations.map(({ number }) => api.removeVolume(generationName(project, number))),
        ...yields.map(({ generation }) => api.removeVolume(yieldName(project, generation))),
      ]);
    },

    async askToYield(generation, reason) {
      await api.createVolume(yieldName(project, generation), yieldLabels(project, reason));
    },
  };
}

function foreign(name: string): ProcedureError {
  return new ProcedureError('E_LEDGER', `The volume ${name} is in the way: it is not a lock of Rolling Restart`, {
    next: `See what it is with \`docker volume inspect ${name}\`, and remove or rename it.`,
  });
}
