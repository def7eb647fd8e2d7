import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeCase, type Case } from '../support/cases.js';
import { refusesToLose } from '../support/refusals.js';

const HEALTH = `healthcheck: { test: ['CMD', 'wget', '-q', '-O-', 'http://127.0.0.1:80/health'], interval: 1s, timeout: 2s }`;

/** One service for each part that a container can have and a change can lose. */
function composeFile(project: Case): string {
  const service = (name: string, port: number, more: string): string =>
    [
      `  ${name}:`,
      `    image: ${project.image('app', 1)}`,
      `    ports: ['127.0.0.1:${project.portOf(port)}:80']`,
      `    ${HEALTH}`,
      more,
    ]
      .join('\n')
      .trimEnd();
  return [
    'services:',
    service('kv', 1, "    volumes: ['/data']\n    scale: 1"),
    service('inline', 2, '    configs: [motd]'),
    service('owner', 4, "    ipc: shareable\n    volumes: ['shared:/shared']"),
    service('pid', 5, "    pid: 'service:owner'\n    volumes: ['/data']\n    configs: [motd]\n    secrets: [token]"),
    service('ipc', 6, "    ipc: 'service:owner'"),
    service('volumes', 7, '    volumes_from: [owner]'),
    'configs: { motd: { content: hello } }',
    'secrets: { token: { environment: HOME } }',
    'volumes: { shared: {} }',
    '',
  ].join('\n');
}

describe('what a change would lose', () => {
  let project: Case;
  const edge = (): Readonly<Record<string, string>> => ({ router: 'edge', 'edge-image': project.edgeImage });
  const reset = (): Promise<void> => project.write('compose.yml', composeFile(project));

  beforeAll(async () => {
    project = await makeCase('17-edge-drops-udp-and-ephemeral');
    await reset();
    await project.sh('docker compose up -d --wait');
    await project.sh('docker compose exec -T kv sh -c "echo key > /data/row"');
  });

  afterAll(async () => {
    await project.cleanup();
  });

  it.each([
    ['recreate', /^pid: its volume/],
    ['blue-green', /^strategy blue-green is not possible for pid: its volume/],
  ] as const)('code-update with strategy %s and a take-over by the edge names every part', async (strategy, words) => {
    await project.edit('compose.yml', /(?<= {2}pid:\n {4}image: \S*:)1/, '2');
    const inputs = { service: 'pid', strategy, ...edge() };
    const { error } = await refusesToLose(project, 'code-update', inputs, words);
    for (const part of [
      'its volume without a name at /data stays behind',
      'pid: service:owner ties it to another container',
      'a copy of its container would not have motd, token',
    ]) {
      expect(error?.message).toContain(part);
    }
    await reset();
  });

  it.each([
    ['emergency', /^kv: its volume without a name at \/data stays behind/, /^/, ''],
    ['full-restart', /^kv: its volume without a name at \/data stays behind/, /^/, ''],
    ['config-change', /^kv: 2 instead of 1 of its containers are to run/, /scale: 1/, 'scale: 2'],
    [
      'config-change',
      /^kv: its volume without a name at \/data stays behind: the new image/,
      "['/data']",
      "['/moved']",
    ],
    ['config-change', /^kv: what is to be mounted at \/data does not exist yet/, "['/data']", "['shared2:/data']"],
  ] as const)('%s of a service with a volume without a name: %s', async (procedure, words, from, to) => {
    await project.edit('compose.yml', from, to);
    await project.edit('compose.yml', 'shared: {}', 'shared: {}, shared2: {}');
    await refusesToLose(project, procedure, procedure === 'full-restart' ? {} : { service: 'kv' }, words);
    await reset();
  });

  it.each([
    ['health-restart', {}],
    ['emergency', {}],
    ['config-change', {}],
    ['backup', { 'backup-consistency': 'stop' }],
  ] as const)('%s of a service that others live in, %j', async (procedure, inputs) => {
    await project.edit('compose.yml', '  owner:\n', '  owner:\n    environment: { V: 1 }\n');
    const words =
      /^owner: (?=.*pid lives in the process namespace)(?=.*ipc lives in the IPC namespace).* of owner, and would be left/;
    await refusesToLose(project, procedure, { service: 'owner', ...inputs }, words);
    await reset();
  });

  it('is nothing for a restart in place where only volumes are used, and for a pause', async () => {
    const paused = await project.predict('backup', { service: 'owner', 'backup-consistency': 'pause' });
    expect(paused.report.outcome, paused.log).toBe('completed');
    await project.sh('docker compose stop pid ipc');
    const restarted = await project.predict('health-restart', { service: 'owner' });
    expect(restarted.report.outcome, restarted.log).toBe('deployed');
    await refusesToLose(project, 'emergency', { service: 'owner' }, /^owner: volumes has the volumes of owner/);
    await project.sh('docker compose up -d --wait');
  });

  it('is nothing for Compose in place, and check says what would be lost', async () => {
    await project.edit('compose.yml', 'scale: 1', 'scale: 1\n    environment: { V: 1 }');
    const changed = await project.predict('config-change', { service: 'kv' });
    expect(changed.report.outcome, changed.log).toBe('deployed');
    expect((await project.sh('docker compose exec -T kv cat /data/row')).stdout).toBe('key\n');
    // `auto` takes the way that loses nothing.
    expect(changed.report.plan?.services[0]?.strategy).toBe('recreate');

    await project.edit('compose.yml', 'scale: 1', 'scale: 2');
    const checked = await project.run('check', { service: 'kv' });
    expect(checked.report.nextSteps.join('\n')).toMatch(/code-update would not work now: kv: 2 instead of 1/);
    await reset();
  });

  it('is found behind an edge that is there, until a person has brought the data over', async () => {
    await project.edit('compose.yml', /configs: \[motd\]/, 'environment: { X: 1 }');
    await project.sh('docker compose up -d --wait inline');
    await project.edit('compose.yml', '{ X: 1 }', '{ X: 2 }');
    const taken = await project.predict('code-update', { service: 'inline', ...edge() });
    expect(taken.report.outcome, taken.log).toBe('deployed');

    await project.edit('compose.yml', 'environment: { X: 2 }', 'configs: [motd]');
    await refusesToLose(project, 'config-change', { service: 'inline' }, /would not have motd/);
    // What was never there is not lost; from then on it is.
    await project.edit('compose.yml', /configs: \[motd\]/, "volumes: ['/new']");
    const added = await project.predict('config-change', { service: 'inline' });
    expect(added.report.outcome, added.log).toBe('deployed');
    await project.sh('docker compose exec -T inline sh -c "echo new > /new/row"');
    const words = /^inline: its volume without a name at \/new stays behind/;
    await refusesToLose(project, 'eject', { service: 'inline' }, words);
    await refusesToLose(project, 'emergency', { service: 'inline' }, words);
    const restarted = await project.predict('health-restart', { service: 'inline' });
    expect(restarted.report.outcome, restarted.log).toBe('deployed');
    expect((await project.sh('docker compose exec -T inline cat /new/row')).stdout).toBe('new\n');

    await project.edit('compose.yml', /volumes: \['\/new'\]/, "volumes: ['shared2:/new']");
    await project.edit('compose.yml', 'shared: {}', 'shared: {}, shared2: {}');
    await refusesToLose(
      project,
      'config-change',
      { service: 'inline' },
      /what is to be mounted at \/new does not exist yet/,
    );
    const id = await project.containerId('inline');
    const volume = `${project.name}_shared2`;
    const labels = `--label com.docker.compose.project=${project.name} --label com.docker.compose.volume=shared2`;
    await project.sh(`docker volume create ${labels} ${volume}`);
    await project.sh(
      `docker run --rm --volumes-from ${id} -v ${volume}:/to ${project.image('app', 1)} cp -a /new/. /to/`,
    );
    const moved = await project.predict('config-change', { service: 'inline' });
    expect(moved.report.outcome, moved.log).toBe('deployed');
    expect((await project.sh('docker compose exec -T inline cat /new/row')).stdout).toBe('new\n');
    const ejected = await project.predict('eject', { service: 'inline' });
    expect(ejected.report.outcome, ejected.log).toBe('deployed');
  });
});
