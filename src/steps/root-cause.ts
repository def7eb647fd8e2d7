import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { CauseCounter, type CauseFact, type RootCause } from '../model/incident.js';
import type { ObservedContainer } from '../model/service.js';
import { formatSize } from '../model/units.js';
import { describeState } from './diagnose.js';
import type { Session } from './session.js';

const LINE_SHOWN = 160;
const HOST_COMMAND_MS = 5_000;
/** A disk with less than this stops most services. */
const FULL_BYTES = 100e6;
/** Above this share of its limit a container is about to be killed. */
const NEAR_LIMIT = 0.95;

/**
 * The runbook's questions about a frozen service, answered from what was captured before it was killed: what its log says,
 * how it ended, what had run out. @param containers as they were before
 */
export async function findRootCause(
  session: Session,
  service: string,
  containers: readonly ObservedContainer[],
): Promise<RootCause> {
  try {
    return await lookFor(session, service, containers);
  } catch (error) {
    // The service runs again by now: that counts.
    return { service, likely: [], facts: [{ what: 'root cause', found: `not looked for: ${String(error)}` }] };
  }
}

async function lookFor(
  session: Session,
  service: string,
  containers: readonly ObservedContainer[],
): Promise<RootCause> {
  const likely: string[] = [];
  const facts: CauseFact[] = [];
  for (const container of containers) {
    const fileOf = (name: string): string => session.evidence.fileOf(`${service}/before/${container.name}/${name}`);
    facts.push({ what: `${container.name} before`, found: describeState(container) });
    if (container.oomKilled) likely.push('it ran out of memory: the kernel killed it');
    if (container.state === 'paused') likely.push('it was paused: somebody ran docker pause');
    likely.push(...(container.state === 'paused' ? [] : await stoppedProcesses(fileOf('top.txt'))));
    const use = await resourceUse(fileOf('stats.json'));
    if (use !== undefined) {
      facts.push({ what: `${container.name} used`, found: use.words });
      if (use.nearLimit) likely.push('it is at the limit of its memory');
    }
    for (const { word, says, count, last } of (await scanLog(fileOf('log.txt'))).results()) {
      likely.push(says);
      facts.push({ what: `log lines with "${word}"`, found: `${count}, last: ${last.slice(0, LINE_SHOWN)}` });
    }
  }
  const free = await session.disks.freeBytes(session.opened.facts.rootDirectory);
  if (free !== undefined) {
    facts.push({ what: "engine's disk", found: `${formatSize(free)} free` });
    if (free < FULL_BYTES) likely.unshift('the disk of the engine is full');
    const kernel = await kernelLines(session);
    // Of all of the host since it was started: what is in it need not be of this container.
    facts.push({ what: 'kernel log of the host', found: kernel });
  }
  return { service, likely: [...new Set(likely)], facts };
}

/** Of a process that somebody or something has sent signal STOP, nothing else tells: to Docker it runs. */
async function stoppedProcesses(file: string): Promise<readonly string[]> {
  const lines = (await readFile(file, 'utf8').catch(() => '')).split('\n');
  return lines.flatMap((line) => {
    const [, pid] = /^\s*(\d+)\s+[Tt]\S*\s/.exec(line) ?? [];
    return pid === undefined ? [] : [`process ${pid} of it is stopped: it got signal STOP, or a debugger holds it`];
  });
}

async function scanLog(file: string): Promise<CauseCounter> {
  const counter = new CauseCounter();
  const stream = createReadStream(file);
  // What could not be captured has no lines.
  stream.on('error', () => stream.destroy());
  try {
    for await (const line of createInterface({ input: stream, crlfDelay: Infinity })) counter.add(line);
  } catch {
    return counter;
  }
  return counter;
}

async function resourceUse(file: string): Promise<{ readonly words: string; readonly nearLimit: boolean } | undefined> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const use = JSON.parse(text) as Readonly<Record<string, unknown>>;
  const [memory, limit] = [Number(use['memoryBytes']), Number(use['memoryLimitBytes'])];
  return {
    words: `${formatSize(memory)} of ${formatSize(limit)} memory, ${Number(use['cpuPercent']).toFixed(0)} % of a core, ${Number(use['processes'])} processes`,
    nearLimit: memory > limit * NEAR_LIMIT,
  };
}

/** Where this user may read it: on many hosts only root does. */
async function kernelLines(session: Session): Promise<string> {
  const words = 'out of memory|oom-kill|killed process|no space|i/o error|blocked for more than';
  try {
    const { output } = await session.commands.run({
      name: 'dmesg',
      command: `dmesg > /dev/null 2>&1 || { echo 'not readable for this user'; exit 0; }; dmesg | grep -iE '${words}' | tail -n 3 || true`,
      directory: '/',
      environment: {},
      timeoutMs: HOST_COMMAND_MS,
      signal: session.clock.deadline(HOST_COMMAND_MS),
      onLine: () => undefined,
    });
    const lines = output.trim();
    return lines === '' ? 'nothing of memory, disks or hung tasks' : lines.split('\n').join('; ');
  } catch (error) {
    return `not read: ${error instanceof Error ? error.message : String(error)}`;
  }
}
