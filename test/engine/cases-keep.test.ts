import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeCase, type Case } from '../support/cases.js';
import { docker } from '../support/engine-containers.js';
import { refusesToLose } from '../support/refusals.js';

describe('16: a volume without a name, of the image', () => {
  let project: Case;
  const row = async (): Promise<string> =>
    (await project.sh('docker compose exec -T kv cat /data/row', { mayFail: true })).stdout;
  const volume = async (): Promise<string> =>
    docker('inspect', '--format', '{{range .Mounts}}{{.Name}} {{end}}', await project.containerId('kv'));

  beforeAll(async () => {
    project = await makeCase('16-anonymous-volume-edge');
    await project.sh('docker compose up -d --wait && docker compose exec -T kv sh -c "echo key > /data/row"');
  });

  afterAll(async () => {
    await project.cleanup();
  });

  it('is not left behind by a take-over, and goes over when Compose recreates the container, and back', async () => {
    const before = await volume();
    await project.edit('compose.yml', 'case-vol:1', 'case-vol:2');
    await refusesToLose(
      project,
      'code-update',
      { service: 'kv', router: 'edge', 'edge-image': project.edgeImage },
      /^kv: its volume without a name at \/data stays behind/,
    );

    const update = await project.predict('code-update', { service: 'kv' });
    expect(update.report.outcome, update.log).toBe('deployed');
    expect(await volume()).toBe(before);
    expect(await row()).toBe('key\n');
    expect((await project.get('/health')).text).toBe('2');

    const back = await project.predict('rollback', { service: 'kv' });
    expect(back.report.outcome, back.log).toBe('deployed');
    expect(await volume()).toBe(before);
    expect(await row()).toBe('key\n');
    expect((await project.get('/health')).text).toBe('1');
  });

  it('comes back with the release of before when the new one fails', async () => {
    await project.edit('compose.yml', /case-vol:\d/, 'case-vol:3');
    const notThree = `test "$(curl -s http://127.0.0.1:${project.port}/health)" != 3`;
    const failed = await project.predict('code-update', { service: 'kv', 'smoke-test': notThree });
    expect(failed.report.outcome, failed.log).toBe('rolled-back');
    expect(await row()).toBe('key\n');
  });

  it.each(['before:end:replace-containers', 'after:begin:replace-containers'])(
    'is there after a run that was killed %s',
    async (where) => {
      expect(await project.killAt(where, 'code-update', { service: 'kv', force: 'true' })).toBe(true);
      const recovered = await project.run('recover');
      expect(recovered.exitCode, recovered.log).toBe(0);
      expect(await row()).toBe('key\n');
      expect((await project.get('/health')).text).toBe('1');
    },
  );
});

describe('17: ports that the edge cannot have', () => {
  let project: Case;
  const published = async (): Promise<string> =>
    docker('inspect', '--format', '{{json .NetworkSettings.Ports}}', await project.containerId('web'));

  beforeAll(async () => {
    project = await makeCase('17-edge-drops-udp-and-ephemeral');
    await project.sh('docker compose up -d --wait');
  });

  afterAll(async () => {
    await project.cleanup();
  });

  it('are named, and stay with the container', async () => {
    const before = await published();
    await project.edit('compose.yml', 'case-app:2', 'case-app:3');
    const run = await refusesToLose(
      project,
      'code-update',
      { service: 'web', router: 'edge', 'edge-image': project.edgeImage },
      /UDP port \d+, port 9000 at one of \d+-\d+, port 80 at a port that the engine chooses/,
    );
    expect(run.error?.next).toContain('strategy: recreate without an edge');
    expect(await published()).toBe(before);
  });

  it('go with a change without an edge', async () => {
    const numbers = async (): Promise<readonly string[]> =>
      [...(await published()).matchAll(/"(\d+\/\w+)":\[/g)].map(([, port]) => port ?? '').sort();
    const before = await numbers();
    const run = await project.predict('code-update', { service: 'web' });
    expect(run.report.outcome, run.log).toBe('deployed');
    expect(run.report.plan?.services[0]?.strategy).toBe('recreate');
    expect(await numbers()).toEqual(before);
    expect(before).toEqual(['443/tcp', '443/udp', '80/tcp', '9000/tcp']);
  });

  it('are no obstacle where they are of one number, on several addresses', async () => {
    await project.write(
      'compose.override.yml',
      'services: { web: { ports: !override ["127.0.0.1:${A}:80", "[::1]:${A}:80"] } }\n'.replaceAll(
        '${A}',
        `${project.port}`,
      ),
    );
    await project.sh('docker compose up -d --wait');
    await project.edit('compose.yml', 'case-app:3', 'case-app:1');
    const run = await project.predict('code-update', {
      service: 'web',
      router: 'edge',
      'edge-image': project.edgeImage,
    });
    expect(run.report.outcome, run.log).toBe('deployed');
    expect((await project.get('/health')).text).toBe('1');
    const v6 = await project.sh(`curl -s --max-time 5 'http://[::1]:${project.port}/health'`);
    expect(v6.stdout).toBe('1');

    // Behind the edge a new port would be published by nobody.
    await project.edit('compose.override.yml', '"127.0.0.1', `"${project.portOf(2)}:443/udp", "127.0.0.1`);
    await refusesToLose(project, 'config-change', { service: 'web' }, /UDP port \d+/);
    await refusesToLose(project, 'code-update', { service: 'web', strategy: 'recreate' }, /UDP port \d+/);
    await project.edit('compose.override.yml', ':443/udp', ':443');
    await refusesToLose(project, 'config-change', { service: 'web' }, /its edge does not have port \d+/);
  });
});

describe('23: a container that lives in the network namespace of another', () => {
  let project: Case;
  const answers = async (): Promise<string> => (await project.get('/health')).text;

  beforeAll(async () => {
    project = await makeCase('23-network-mode-service');
    await project.sh('docker compose up -d --wait');
  });

  afterAll(async () => {
    await project.cleanup();
  });

  it.each([
    ['code-update', {}],
    ['config-change', { service: 'vpn' }],
    ['health-restart', { service: 'vpn' }],
    ['emergency', { service: 'vpn' }],
    ['maintenance', {}],
  ] as const)('%s %j is refused while it would leave the other without', async (procedure, inputs) => {
    await project.edit('compose.yml', /V: '\d'/, procedure === 'health-restart' ? "V: '2'" : "V: '3'");
    const run = await refusesToLose(project, procedure, inputs, /^vpn: app lives in the network namespace of vpn/);
    expect(run.error?.next).toMatch(/docker compose (restart|up -d --force-recreate) vpn app/);
    expect(await answers()).toBe('1');
  });

  it('is changed itself, where it lives', async () => {
    await project.edit('compose.yml', /V: '\d'/, "V: '2'");
    await project.edit('compose.yml', 'case-app:1', 'case-app:2');
    const run = await project.predict('code-update', { service: 'app' });
    expect(run.report.outcome, run.log).toBe('deployed');
    expect(await answers()).toBe('2');
  });

  it('answers after a full restart, and after what the refusal says to type', async () => {
    const run = await project.predict('full-restart');
    expect(run.report.outcome, run.log).toBe('deployed');
    expect(await answers()).toBe('2');
    await project.edit('compose.yml', /V: '\d'/, "V: '4'");
    await project.sh('docker compose up -d --wait --force-recreate vpn app');
    expect(await answers()).toBe('2');
    await project.sh('docker compose restart vpn app && docker compose up -d --wait');
    expect(await answers()).toBe('2');
  });
});
