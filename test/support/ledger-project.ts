import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createClock } from '../../src/host/clock.js';
import type { LockTiming } from '../../src/ledger/timing.js';
import { createLocks, type LocksOptions } from '../../src/ledger/locks.js';
import { recordsName } from '../../src/ledger/names.js';
import { createRecords } from '../../src/ledger/records.js';
import { PROJECT_LABEL } from '../../src/model/own-names.js';
import type { Locks } from '../../src/model/ports/ledger.js';
import type { RecordsApi } from '../../src/model/ports/records.js';
import { engineRecords } from './engine-records.js';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));
const CHILD = fileURLToPath(new URL('./lock-child.ts', import.meta.url));

/** A lease that is over in a second and a half instead of twenty. */
export const FAST_LEASE: LockTiming = { pollMs: [20, 50], watchMs: 100, leaseRenewMs: 250, leaseSilenceMs: 1_500 };

/** A process that holds a project's lock. */
export interface LockChild {
  readonly process: ChildProcess;
  /** The next line it says. */
  heard(): Promise<object>;
  /** Has it do something, and gives its answer. */
  tell(what: 'check' | 'release'): Promise<object>;
}

/** A project name that nobody else has, with everything that the ledger keeps for it on the engine. */
export interface LedgerProject {
  readonly name: string;
  readonly api: RecordsApi;
  locks(options?: Partial<LocksOptions>): Locks;
  /** A process on this machine; `command` runs it some other way, with the same arguments for node after its own. */
  child(run: string, options?: { timing?: LockTiming; command?: readonly string[] }): LockChild;
  volumes(): Promise<string[]>;
  remove(): Promise<void>;
}

export function ledgerProject(): LedgerProject {
  const name = `rr-${randomBytes(4).toString('hex')}`;
  const api = engineRecords();
  const children: ChildProcess[] = [];
  const volumes = async (): Promise<string[]> =>
    (await api.listVolumes(`${PROJECT_LABEL}=${name}`)).map((volume) => volume.name).sort();

  return {
    name,
    api,
    volumes,
    locks: (options = {}) =>
      createLocks({ api, project: name, records: createRecords(api, name), clock: createClock(), ...options }),

    child(run, { timing, command = [process.execPath] } = {}) {
      const [program = '', ...before] = command;
      const more = timing === undefined ? [] : [JSON.stringify(timing)];
      const args = [...before, '--import', 'tsx', CHILD, name, run, ...more];
      const child = spawn(program, args, { cwd: REPOSITORY, stdio: ['pipe', 'pipe', 'inherit'] });
      children.push(child);
      const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
      const heard = async (): Promise<object> => {
        const line = await lines.next();
        if (line.done === true) throw new Error(`the process for run ${run} ended without a word`);
        return JSON.parse(line.value) as object;
      };
      return {
        process: child,
        heard,
        async tell(what) {
          child.stdin.write(`${what}\n`);
          return heard();
        },
      };
    },

    async remove() {
      for (const child of children) {
        if (child.exitCode !== null || child.signalCode !== null) continue;
        const ended = once(child, 'exit');
        child.kill('SIGKILL');
        await ended;
      }
      // The last request of a killed process may still be carried out by the engine, and make the container again.
      for (let attempt = 1; ; attempt += 1) {
        try {
          await api.removeContainer(recordsName(name));
          for (const volume of await volumes()) await api.removeVolume(volume);
          return;
        } catch (error) {
          if (attempt === 20) throw error;
          await sleep(100);
        }
      }
    },
  };
}
