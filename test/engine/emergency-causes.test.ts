import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { docker } from '../support/engine-containers.js';
import { deploy } from '../support/live.js';
import { carryOut, type Carried } from '../support/procedure.js';
import { makeProject, type Project } from '../support/project.js';
import { served } from '../support/served.js';

/** Writes what its one thread does when it gets signal 3, as a JVM does. */
const DUMPING = `process.on('SIGQUIT', () => console.log('thread dump: "main" waits in ' + new Error('here').stack.split('\\n')[1].trim()));
await import('./server.mjs');
`;

/** How this host answers dmesg is not for a test to choose: in the place of the program is one that answers as either. */
const READABLE = `#!/bin/sh
echo '[ 11.5] usb 1-1: new device'
echo '[ 12.5] Out of memory: Killed process 4711 (node) total-vm:99kB'
`;
const NOT_ALLOWED = `#!/bin/sh
echo 'dmesg: read kernel buffer failed: Operation not permitted' >&2
exit 1
`;

/** What the report's root cause of the service says, the title first. */
function cause({ report }: Carried): string {
  const finding = report.findings.find(({ title }) => title.startsWith('Root cause of app'));
  return [finding?.title ?? '', ...(finding?.rows ?? []).map((row) => row.join(': '))].join('\n');
}

const emergency = (project: Project, environment: NodeJS.ProcessEnv = process.env): Promise<Carried> =>
  carryOut(project, { procedure: 'emergency', service: 'app' }, { environment });

describe('what an emergency captures of a process that handles signal 3', () => {
  let project: Project;

  beforeAll(async () => {
    const dockerfile = await readFile(new URL('../fixtures/plain/Dockerfile', import.meta.url), 'utf8');
    project = await makeProject({
      fixture: 'plain',
      files: {
        'compose.yaml': served(),
        'app/dumping.mjs': DUMPING,
        Dockerfile: dockerfile.replace('server.mjs', 'dumping.mjs'),
      },
    });
    await deploy(project, 'app');
  });

  afterAll(async () => {
    await project.cleanup();
  });

  it('has the thread dump in the log after it', async () => {
    const before = await project.containerId('app');
    const carried = await emergency(project);
    expect(carried.report.outcome, carried.log).toBe('deployed');
    expect(await project.containerId('app')).not.toBe(before);
    const log = await readFile(
      join(carried.report.evidencePath ?? '', `app-before-${project.name}-app-1-thread-dump.txt`),
      'utf8',
    );
    expect(log).toMatch(/thread dump: "main" waits in at process\.<anonymous> \(file:.*dumping\.mjs/);
    // It was there because it was asked for: the new one, which nobody asked, has none.
    expect(await docker('logs', await project.containerId('app'))).not.toContain('thread dump');
  });

  it.each([
    [
      'with what it says of memory, disks and hung tasks',
      READABLE,
      'kernel log of the host: [ 12.5] Out of memory: Killed process 4711 (node) total-vm:99kB',
    ],
    ['as one that this user may not read', NOT_ALLOWED, 'kernel log of the host: not readable for this user'],
  ])('tells the kernel log %s', async (name, program, found) => {
    const folder = join(project.root, `bin-${name.replaceAll(' ', '-')}`);
    await mkdir(folder);
    await writeFile(join(folder, 'dmesg'), program);
    await chmod(join(folder, 'dmesg'), 0o755);
    const carried = await emergency(project, { ...process.env, PATH: `${folder}:${process.env['PATH'] ?? ''}` });
    expect(carried.report.outcome, carried.log).toBe('deployed');
    expect(cause(carried).split('\n')).toContain(found);
  });
});

it('captures all of a process that ends at signal 3 before it is sent', async () => {
  // An init process hands the signal on to one that does not handle it, and is not process 1.
  const project = await makeProject({
    fixture: 'plain',
    files: { 'compose.yaml': served({ more: '    init: true\n' }) },
  });
  try {
    await deploy(project, 'app');
    const before = await project.containerId('app');
    const carried = await emergency(project);
    expect(carried.report.outcome, carried.log).toBe('deployed');
    const evidence = (file: string): Promise<string> =>
      readFile(join(carried.report.evidencePath ?? '', `app-before-${project.name}-app-1-${file}`), 'utf8');
    const inspected = JSON.parse(await evidence('inspect.json')) as { Id: string; State: { Status: string } };
    expect(inspected).toMatchObject({ Id: before, State: { Status: 'running' } });
    expect(await evidence('top.txt')).toContain('node');
    expect(JSON.parse(await evidence('stats.json'))).toMatchObject({ memoryBytes: expect.any(Number) as number });
    expect(cause(carried)).toMatch(/app-1 used: [\d.]+ MB of /);
    expect(carried.log).not.toContain('no resource use');
  } finally {
    await project.cleanup();
  }
});

it('is in the incident log also when there is nothing to start', async () => {
  const project = await makeProject({ fixture: 'plain', files: { 'compose.yaml': served() } });
  try {
    const carried = await emergency(project);
    expect(carried.report.outcome, carried.log).toBe('refused');
    const incidents = await readFile(join(project.root, 'state', 'incidents.log'), 'utf8');
    expect(incidents).toContain('the emergency restart did not begin: app does not run');
  } finally {
    await project.cleanup();
  }
});

describe('the root cause', () => {
  let project: Project | undefined;

  afterEach(async () => {
    await project?.cleanup();
    project = undefined;
  });

  it('of a container that its memory limit killed is just that', async () => {
    const limited = served({ more: '    mem_limit: 120m\n    memswap_limit: 120m\n' }).replace(
      'restart: unless-stopped',
      "restart: 'no'",
    );
    const made = await makeProject({ fixture: 'plain', files: { 'compose.yaml': limited } });
    project = made;
    await made.commitRelease({ version: '1.1.0', chaos: 'leak:25MB/s' });
    await deploy(made, 'app');
    await docker('wait', await made.containerId('app'));
    expect((await made.inspect('app')).State).toMatchObject({ OOMKilled: true, ExitCode: 137 });
    const carried = await emergency(made);
    expect(cause(carried)).toMatch(/^Root cause of app: it ran out of memory: the kernel killed it/);
    expect(cause(carried)).toMatch(/app-1 before: state exited, .*exit code 137, killed because it was out of memory/);
  });

  it('of a container in a crash loop has how often Docker restarted it', async () => {
    const made = await makeProject({ fixture: 'plain', files: { 'compose.yaml': served() } });
    project = made;
    await made.commitRelease({ version: '1.1.0', chaos: 'crash-after:1500ms' });
    await deploy(made, 'app');
    const endsAt = Date.now() + 30_000;
    while ((await made.inspect('app')).RestartCount < 2 && Date.now() < endsAt) {
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    const carried = await emergency(made);
    expect(cause(carried)).toMatch(/app-1 before: state \w+, .*restarted by Docker \d+ times/);
  });
});
