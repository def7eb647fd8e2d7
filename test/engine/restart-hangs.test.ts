import { existsSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { halfDeadEngine } from '../support/half-dead-engine.js';
import { deploy } from '../support/live.js';
import { carryOut, type Carried } from '../support/procedure.js';
import { makeProject, type Project } from '../support/project.js';
import { served } from '../support/served.js';

/** A child that outlives the command which started it, as a Compose that watches would. */
const LEAVE = `#!/bin/bash
setsid bash -c 'echo $$ > "$1"; exec -a "docker compose watch" sleep 300' _ "$LEFT" > /dev/null 2>&1 < /dev/null &
until [ -s "$LEFT" ]; do sleep 0.05; done
`;

/** One project; each test goes on from where the one before left it. */
describe('a restart that hangs', () => {
  let project: Project;
  let leftIn: string;

  beforeAll(async () => {
    const hooks = `x-rolling-restart:\n  hooks:\n    before-emergency: bash ./leave.sh\n`;
    project = await makeProject({
      fixture: 'plain',
      files: { 'compose.yaml': `${served()}${hooks}`, 'leave.sh': LEAVE },
    });
    leftIn = join(project.root, 'left');
    await deploy(project, 'app');
  });

  afterAll(async () => {
    await project.cleanup();
  });

  const emergency = async (stalls: (request: string) => boolean): Promise<Carried> => {
    const engine = await halfDeadEngine(stalls);
    try {
      return await carryOut(
        project,
        { procedure: 'emergency', service: 'app', 'command-timeout': '6s' },
        { environment: { ...process.env, DOCKER_HOST: engine.host, LEFT: leftIn } },
      );
    } finally {
      await engine.close();
    }
  };
  const diagnosis = ({ report }: Carried): string =>
    (report.findings.find(({ title }) => title === 'Diagnosis of app')?.rows ?? [])
      .map((row) => row.join(': '))
      .join('\n');

  it('names the process of this run that hung, and what it left, by number and command, and ends them', async () => {
    const carried = await emergency((request) => request === 'POST /containers/create');
    expect(carried.report, carried.log).toMatchObject({ outcome: 'failed', error: { code: 'E_DEADLINE' } });
    const found = diagnosis(carried);
    const hung =
      /process: Process (\d+) of this run hung \((docker\S* [^)]*up --detach[^)]*)\): it was ended after 6 s/.exec(
        found,
      );
    expect(hung, found).not.toBeNull();
    expect(isAlive(Number(hung?.[1]))).toBe(false);
    const left = Number(await readFile(leftIn, 'utf8'));
    expect(found).toContain(`Process ${left} of this run was left (docker compose watch 300): it was ended.`);
    expect(isAlive(left)).toBe(false);
    // The engine itself is well, and it says so.
    expect(found).toContain('engine: The Docker engine answers, so it is this container or its disk that hangs');
  });

  it('says that the engine does not answer, in bounded time, and how it is restarted by name', async () => {
    const again = await emergency(() => false);
    expect(again.report.outcome, again.log).toBe('deployed');
    const id = await project.containerId('app');
    let killing = false;
    const began = performance.now();
    const carried = await emergency((request) => {
      killing ||= request === `POST /containers/${id}/kill`;
      return killing && (request === 'GET /info' || request === `POST /containers/${id}/kill`);
    });
    expect(carried.report, carried.log).toMatchObject({ outcome: 'failed', error: { code: 'E_DEADLINE' } });
    expect(performance.now() - began).toBeLessThan(75_000);
    expect(diagnosis(carried)).toContain('engine: The Docker engine does not answer: systemctl status docker');
    expect(diagnosis(carried)).toContain('remedies: restart-docker');
    expect(await project.containerId('app')).toBe(id);
    const well = await emergency(() => false);
    expect(well.report.outcome, well.log).toBe('deployed');
  });
});

/** One that has ended and that nobody has reaped is not. */
function isAlive(pid: number): boolean {
  if (!existsSync(`/proc/${pid}/stat`)) return false;
  return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
}
