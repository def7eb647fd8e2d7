import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deploy, excerptOf, expectBack, liveOf, update } from '../support/live.js';
import type { Carried } from '../support/procedure.js';
import { makeProject, type Project } from '../support/project.js';

/** What fixture `plain` has, a service without a health check and without a published port, and what is added to it. */
function composeFile(service = '', policy = ''): string {
  return `${policy}services:
  app:
    build:
      context: .
      args:
        BASE_IMAGE: \${BASE_IMAGE:-node:22-alpine}
${service}`;
}

/** A service without a health check is ready when what `readiness` names says so. */
describe('readiness of a service without a health check', () => {
  let project: Project;
  let count = 0;

  const commit = async (chaos: string, file = composeFile()): Promise<void> => {
    count += 1;
    await project.commitRelease({ version: `1.0.${count}`, chaos, files: { 'compose.yaml': file } });
  };
  const signsOf = ({ report }: Carried): readonly string[] => report.warnings.map(({ sign }) => sign);
  /** Milliseconds from the container's start to readiness. */
  const readyMs = ({ report }: Carried): number => report.services[0]?.readyMs ?? 0;

  beforeAll(async () => {
    project = await makeProject({ fixture: 'plain' });
  });

  afterAll(async () => {
    await project.cleanup();
  });

  it.each([
    ['tcp', 'tcp://:8080'],
    ['a command', 'wget -q -O /dev/null http://127.0.0.1:8080/health'],
  ])('%s: waits for a slow start, and no longer', async (_, readiness) => {
    await commit('slow-boot:3s');
    const carried = await deploy(project, 'app', { readiness });
    expect(readyMs(carried), carried.log).toBeGreaterThan(3_000);
    expect(readyMs(carried), carried.log).toBeLessThan(8_000);
    expect(signsOf(carried)).not.toContain('no-health-check');
    const url = await project.containerUrl(await project.containerId('app'));
    expect((await project.get(`${url}/health`)).status).toBe(200);
  });

  it('nothing: stays up for two seconds, ready or not, and a sign says that nobody knows better', async () => {
    await commit('slow-boot:6s');
    const carried = await deploy(project, 'app');
    expect(readyMs(carried), carried.log).toBeLessThan(6_000);
    expect(signsOf(carried)).toContain('no-health-check');
  });

  it('takes it from the compose file of the wanted commit; going back asks what the live one says', async () => {
    const policy = 'x-rolling-restart:\n  services:\n    app:\n      readiness: http://:8080/health\n';
    await commit('slow-boot:500ms', composeFile('', policy));
    const carried = await deploy(project, 'app');
    // Two seconds is what a service without either has to stay up.
    expect(readyMs(carried), carried.log).toBeGreaterThan(500);
    expect(signsOf(carried)).not.toContain('no-health-check');

    const before = await liveOf(project, 'app');
    await commit('', composeFile('', policy.replace('/health', '/only-a-newer-one-has-this')));
    const failed = await update(project, 'app', { 'readiness-timeout': '6s' });
    expect(failed.report.outcome, failed.log).toBe('rolled-back');
    await expectBack(project, 'app', before, failed.log);
    expect(excerptOf(failed)).toContain('HTTP 404: not found');
  });

  it('refuses a readiness that cannot be used, in the compose file too', async () => {
    await commit('', composeFile('', 'x-rolling-restart:\n  services:\n    app:\n      readiness: http://app:8080/\n'));
    const before = await project.containerId('app');
    const carried = await update(project, 'app');
    expect(carried.report, carried.log).toMatchObject({ changed: false });
    expect(carried.report.error?.message).toContain('names a host');
    expect(await project.containerId('app')).toBe(before);
  });
});

describe('a service that never becomes ready', () => {
  let project: Project;
  let count = 0;

  const fail = async (
    chaos: string,
    readiness: string,
    service = '',
    inputs: Readonly<Record<string, string>> = {},
  ): Promise<Carried> => {
    count += 1;
    await project.commitRelease({ version: `1.0.${count}`, chaos, files: { 'compose.yaml': composeFile(service) } });
    const all = { readiness, 'readiness-timeout': '5s', 'auto-rollback': 'false', ...inputs };
    const carried = await update(project, 'app', all);
    expect(carried.report.error?.code, carried.log).toBe('E_NOT_READY');
    return carried;
  };

  beforeAll(async () => {
    project = await makeProject({ fixture: 'plain' });
    await deploy(project, 'app', { readiness: 'http://:8080/health' });
  });

  afterAll(async () => {
    await project.cleanup();
  });

  it('shows several of its answers with their times, its state and its log; what ran before is back', async () => {
    const before = await liveOf(project, 'app');
    const carried = await fail('slow-boot:2s,never-healthy', 'http://:8080/health', '', {
      'readiness-timeout': '6s',
      'auto-rollback': 'true',
    });
    expect(carried.report.outcome, carried.log).toBe('rolled-back');
    await expectBack(project, 'app', before, carried.log);
    expect(carried.report.error?.message).toContain('was not ready within 6 s');
    const excerpt = excerptOf(carried);
    expect(excerpt).toMatch(/what it answered last, of \d\d+ questions/);
    expect(excerpt).toMatch(/after .*, \d+ times: http:\/\/:8080\/health: [\d.]+:8080: connection refused/);
    expect(excerpt).toMatch(/after .*, \d+ times: http:\/\/:8080\/health: [\d.]+:8080: HTTP 503: unhealthy/);
    expect(excerpt).toContain('state running');
    expect(excerpt).toContain('chaos: slow-boot:2s,never-healthy');
  });

  it('ends at once when it exits, with its exit code', async () => {
    const carried = await fail('exit-at-once', 'tcp://:8080');
    expect(carried.report.error?.message).toContain('exited with code 1');
    expect(excerptOf(carried)).toContain('exit code 1');
    expect(excerptOf(carried)).toContain('chaos: ending with code 1');
  });

  it('says that it ran out of memory', async () => {
    const limit = '    mem_limit: 64m\n    memswap_limit: 64m\n';
    const carried = await fail('never-healthy,leak:100MB/s', 'http://:8080/health', limit, {
      'readiness-timeout': '20s',
    });
    expect(carried.report.error?.message).toContain('exited with code 137 and ran out of memory');
    expect(carried.report.error?.next).toContain('more memory');
    expect(excerptOf(carried)).toContain('killed because it was out of memory');
    expect(excerptOf(carried)).toContain('chaos: never-healthy,leak');
  });

  it('says so too when Docker starts it again and forgets it', async () => {
    const again = '    mem_limit: 64m\n    memswap_limit: 64m\n    restart: unless-stopped\n';
    const carried = await fail('never-healthy,leak:100MB/s', 'http://:8080/health', again, {
      'readiness-timeout': '40s',
    });
    expect(carried.report.error?.message).toContain('keeps restarting (exit code 137) and ran out of memory');
  });

  it('that cannot be reached is not blamed: a command is what to give', async () => {
    const carried = await fail('', 'http://:8080/health', '    network_mode: none\n', { 'readiness-timeout': '2s' });
    expect(carried.report.error?.next).toContain('give a command as readiness');
    expect(excerptOf(carried)).toContain('the container has no network address');
  });

  it('has to pass both, a health check and readiness; what a command printed is shown', async () => {
    const check = `    healthcheck:
      test: ['CMD', 'wget', '-q', '-O', '/dev/null', 'http://127.0.0.1:8080/health']
      interval: 1s
`;
    const carried = await fail('', 'echo "waiting for the database" >&2; exit 3', check);
    expect(excerptOf(carried)).toContain('exit 3: waiting for the database');
    expect(excerptOf(carried)).toContain('health healthy');
  });

  it('passed its health check when we ran it, and fails it when Docker does: a sign in the watch', async () => {
    // It passes once: that is ours, which comes before Docker's first one.
    const check = `    healthcheck:
      test: ['CMD-SHELL', 'test ! -e /tmp/asked && touch /tmp/asked']
      interval: 2s
      start_period: 60s
`;
    await project.commitRelease({ version: '2.0.0', chaos: '', files: { 'compose.yaml': composeFile(check) } });
    const carried = await deploy(project, 'app', { watch: '6s' });
    expect(carried.log).toContain('health check passed, not yet confirmed by Docker');
    const sign = carried.report.warnings.find((one) => one.sign === 'unhealthy');
    expect(sign, carried.log).toMatchObject({ severity: 'medium', action: 'warn' });
    expect(sign?.message).toMatch(/Docker has not confirmed its health: \d of its last \d checks failed/);
  });
});
