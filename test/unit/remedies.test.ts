import { describe, expect, it } from 'vitest';
import { createDockerService } from '../../src/host/docker-service.js';
import type { Operation } from '../../src/operations/operation.js';
import { withRemedies } from '../../src/strategies/with-remedies.js';

describe('the command that restarts the engine', () => {
  const host =
    (...files: readonly string[]) =>
    (path: string) =>
      Promise.resolve(files.includes(path));
  const SOCKET = 'unix:///var/run/docker.sock';

  it('is that of the service manager which the host has', async () => {
    const systemd = createDockerService(SOCKET, undefined, host('/run/systemd/system', '/etc/init.d/docker'));
    expect(await systemd.restartCommand()).toBe('systemctl restart docker');
    const sysv = createDockerService('unix:///run/docker.sock', undefined, host('/etc/init.d/docker'));
    expect(await sysv.restartCommand()).toBe('service docker restart');
    expect(await createDockerService(SOCKET, undefined, host()).restartCommand()).toBeUndefined();
  });

  it('is not known for an engine that is not the one of this host, unless it is given', async () => {
    for (const endpoint of ['tcp://10.0.0.7:2375', 'unix:///run/user/1000/docker.sock']) {
      const other = createDockerService(endpoint, undefined, host('/run/systemd/system'));
      expect(await other.restartCommand()).toBeUndefined();
      expect(await createDockerService(endpoint, 'restart it', host()).restartCommand()).toBe('restart it');
    }
  });
});

describe('a plan with a remedy', () => {
  const free: Operation = {
    kind: 'free-port',
    service: 'app',
    port: 3000,
    holder: { kind: 'process', pid: 7, name: 'node', started: '1' },
  };
  const remedied = { operations: [free], notes: [] };
  const kinds = (operations: readonly Operation[]): readonly string[] =>
    withRemedies(operations, remedied).map(({ kind }) => kind);
  const evidence: Operation = { kind: 'capture-evidence', service: 'app', moment: 'before' };
  const freeze = { service: 'app', how: 'pause', containers: ['a'], quiesceCommand: undefined } as const;
  const backup: readonly Operation[] = [
    { kind: 'freeze-data', ...freeze, resumeCommand: undefined },
    { kind: 'thaw-data', ...freeze, resumeCommand: undefined },
    { kind: 'keep-backup', service: 'app', backup: 'b', folder: '/b' },
  ];
  const replace: Operation = {
    kind: 'replace-containers',
    service: 'app',
    to: 'B',
    from: 'A',
    replicas: 1,
    force: false,
  };

  it('has it after evidence and backups, and before anything of the service is touched', () => {
    expect(kinds([evidence, replace])).toEqual(['capture-evidence', 'free-port', 'replace-containers']);
    expect(kinds([evidence, ...backup, replace])).toEqual([
      'capture-evidence',
      'freeze-data',
      'thaw-data',
      'keep-backup',
      'free-port',
      'replace-containers',
    ]);
    const started: Operation = { kind: 'record-start', service: 'app', release: 'A' };
    expect(kinds([evidence, started, replace])[1]).toBe('free-port');
  });

  it('is what it was where there is none', () => {
    expect(withRemedies([evidence, replace], undefined)).toEqual([evidence, replace]);
    expect(withRemedies([evidence, replace], { operations: [], notes: [] })).toEqual([evidence, replace]);
  });
});
