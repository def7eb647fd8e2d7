import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeCase, type Case } from '../support/cases.js';
import { docker } from '../support/engine-containers.js';

/** Somebody stopped the edge, and with that nothing reaches the service. Whatever starts the service makes that good. */
describe('a service whose edge does not run', () => {
  let project: Case;
  const inputs = { service: 'web' };
  const edge = (): string => `rolling-restart-edge-${project.name}-web-edge-1`;
  const publishes = async (id: string): Promise<boolean> =>
    (await docker('inspect', '--format', '{{json .NetworkSettings.Ports}}', id)).includes('HostPort');
  const answers = async (): Promise<string> => (await project.get('/health')).text;

  beforeAll(async () => {
    project = await makeCase('B-edge-recreate-rollback-wrong-truth');
    await project.sh('docker compose up -d --wait');
    await project.edit('compose.yml', 'case-app:2', 'case-app:1');
    const taken = await project.predict('code-update', { ...inputs, router: 'edge', 'edge-image': project.edgeImage });
    expect(taken.report.outcome, taken.log).toBe('deployed');
    expect(await publishes(edge())).toBe(true);
  });

  afterAll(async () => {
    await project.cleanup();
  });

  it.each([
    ['emergency', {}],
    ['health-restart', {}],
    ['start', {}],
    ['start', { made: 'anew' }],
    ['full-restart', {}],
    ['code-update', { force: 'true' }],
  ] as const)(
    '%s %j starts it behind the edge, which has its ports again',
    async (procedure, { made, ...more }: More) => {
      if (procedure === 'start') expect((await project.predict('stop', inputs)).report.outcome).toBe('completed');
      if (made === 'anew') await docker('rm', await project.containerId('web'));
      if (procedure === 'code-update') await project.edit('compose.yml', 'case-app:1', 'case-app:2');
      await docker('stop', edge());
      const run = await project.predict(procedure, procedure === 'full-restart' ? {} : { ...inputs, ...more });
      expect(run.report.outcome, run.log).toBe('deployed');
      expect(await answers(), run.log).toMatch(/^[12]$/);
      expect([await publishes(edge()), await publishes(await project.containerId('web'))], run.log).toEqual([
        true,
        false,
      ]);
    },
  );

  it.each(['before:end:repair-edge', 'before:end:restart-containers'])(
    'a health-restart that is killed %s is recovered',
    async (where) => {
      await docker('stop', edge());
      expect(await project.killAt(where, 'health-restart', inputs)).toBe(true);
      const recovered = await project.run('recover');
      expect(recovered.exitCode, recovered.log).toBe(0);
      expect(await answers(), recovered.log).toBe('2');
      expect(await publishes(edge())).toBe(true);
    },
  );

  it('emergency without the network of the edge gives the service its own ports, and no edge comes back', async () => {
    await docker('stop', edge());
    await docker('rm', '--force', await project.containerId('web'));
    await docker('network', 'rm', `${project.name}_default`);
    const run = await project.predict('emergency', inputs);
    expect(run.report.outcome, run.log).toBe('deployed');
    expect(await answers(), run.log).toBe('2');
    expect(await publishes(await project.containerId('web'))).toBe(true);
    expect(await docker('ps', '--all', '--quiet', '--filter', `name=${edge()}`)).toBe('');
  });
});

interface More {
  readonly made?: string;
  readonly force?: string;
}
