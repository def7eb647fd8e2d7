import { execFile } from 'node:child_process';
import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeProject, type Project } from '../support/project.js';
import { makeJob, type Job } from '../support/runner.js';

const command = promisify(execFile);

/** Containers and volumes that carry the project's name: what a refused run may not have made. */
async function traces(project: Project): Promise<readonly string[]> {
  const [containers, volumes] = await Promise.all([
    command('docker', ['ps', '--all', '--quiet', '--filter', `label=com.docker.compose.project=${project.name}`]),
    command('docker', ['volume', 'ls', '--quiet', '--filter', `name=${project.name}`]),
  ]);
  return `${containers.stdout}${volumes.stdout}`.split('\n').filter((line) => line !== '');
}

describe('the bundle refuses', () => {
  let project: Project;
  let job: Job;
  let inputs: Record<string, string>;

  beforeAll(async () => {
    [project, job] = await Promise.all([makeProject({ fixture: 'plain' }), makeJob()]);
    inputs = {
      procedure: 'code-update',
      service: 'app',
      'working-directory': project.dir,
      'state-dir': join(project.root, 'state'),
      'min-free-disk': '10MB',
      watch: '0s',
    };
  });

  afterAll(async () => {
    await Promise.all([project.cleanup(), job.remove()]);
  });

  it('wrong inputs, all in one message', async () => {
    const result = await job.run({
      inputs: { ...inputs, procedure: 'code-updat', watch: 'five', 'max-memory': '-1', strategy: 'hope', timeout: '3' },
    });
    expect(result.exitCode).toBe(1);
    expect(result.outputs['outcome']).toBe('refused');
    const errors = result.annotations.filter((annotation) => annotation.level === 'error');
    expect(errors).toHaveLength(1);
    for (const word of ['procedure: ', 'watch: ', 'max-memory: ', 'strategy: ', 'timeout: ', 'code-update', 'Next: ']) {
      expect(errors[0]?.text).toContain(word);
    }
    expect(result.summary).toContain('# ⛔ Refused');
    expect(await traces(project)).toEqual([]);
  });

  it('a working directory that a checkout step would clean', async () => {
    const inside = join(job.workspace, 'live');
    await mkdir(inside);
    await cp(project.dir, inside, { recursive: true });
    const result = await job.run({ inputs: { ...inputs, 'working-directory': inside } });
    expect(result.exitCode).toBe(1);
    expect(result.outputs['outcome']).toBe('refused');
    expect(result.annotations[0]?.text).toMatch(/inside the runner's workspace/);
    expect(await traces(project)).toEqual([]);
  });

  it('an engine that is not there', async () => {
    const result = await job.run({ inputs, environment: { DOCKER_HOST: 'unix:///nonexistent/docker.sock' } });
    expect(result.exitCode).toBe(1);
    expect(result.outputs['outcome']).toBe('refused');
    expect(result.annotations[0]?.text).toMatch(/engine/i);
    expect(await traces(project)).toEqual([]);
  });

  it('a service that the project does not have, and names those it has', async () => {
    const result = await job.run({ inputs: { ...inputs, service: 'ap' } });
    expect(result.exitCode).toBe(1);
    expect(result.outputs['outcome']).toBe('refused');
    expect(result.annotations.at(-1)?.text).toMatch(/no service "ap"[^]*app/);
    expect(await project.containerIds('app')).toEqual([]);
  });

  it('nothing that is right: the same inputs deploy from a directory outside of the workspace', async () => {
    const result = await job.run({ inputs, environment: { GITHUB_SHA: project.firstCommit } });
    expect(result.exitCode, result.log).toBe(0);
    expect(result.outputs['outcome']).toBe('deployed');
    expect((await project.inspect('app')).State.Running).toBe(true);
  });
});
