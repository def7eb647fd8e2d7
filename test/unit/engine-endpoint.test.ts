import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { resolveEndpoint } from '../../src/engine/endpoint.js';

let home: string;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'rr-home-'));
});

afterEach(async () => {
  await rm(home, { recursive: true, force: true });
});

const write = async (path: string, content: string): Promise<void> => {
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, content);
};

/** A context as `docker context create` stores it. */
async function addContext(
  name: string,
  docker: { Host: string; SkipTLSVerify?: boolean },
  tls: Record<string, string> = {},
  configFolder = join(home, '.docker'),
): Promise<string> {
  const id = createHash('sha256').update(name).digest('hex');
  const meta = { Name: name, Metadata: {}, Endpoints: { docker } };
  await write(join(configFolder, 'contexts', 'meta', id, 'meta.json'), JSON.stringify(meta));
  const tlsFolder = join(configFolder, 'contexts', 'tls', id, 'docker');
  for (const [file, content] of Object.entries(tls)) await write(join(tlsFolder, file), content);
  return tlsFolder;
}

describe('resolveEndpoint', () => {
  it('falls back on the default socket', async () => {
    const endpoint = await resolveEndpoint({}, home);
    expect(endpoint).toMatchObject({ host: 'unix:///var/run/docker.sock', origin: 'default' });
    expect(endpoint.dockerOptions).toMatchObject({ socketPath: '/var/run/docker.sock', host: undefined });
    expect(endpoint.cliEnvironment).toMatchObject({ DOCKER_HOST: 'unix:///var/run/docker.sock', DOCKER_CONTEXT: '' });
  });

  it.each([
    [
      'unix:///run/user/1000/docker.sock',
      'unix:///run/user/1000/docker.sock',
      { socketPath: '/run/user/1000/docker.sock' },
    ],
    ['unix://', 'unix:///var/run/docker.sock', { socketPath: '/var/run/docker.sock' }],
    ['tcp://10.0.0.7:2375', 'tcp://10.0.0.7:2375', { host: '10.0.0.7', port: 2375, protocol: 'http' }],
    ['tcp://build.example', 'tcp://build.example:2375', { host: 'build.example', port: 2375 }],
    ['10.0.0.7:4243', 'tcp://10.0.0.7:4243', { host: '10.0.0.7', port: 4243 }],
    ['tcp://[::1]:2375', 'tcp://[::1]:2375', { host: '::1', port: 2375 }],
  ])('takes DOCKER_HOST=%s', async (written, host, options) => {
    const endpoint = await resolveEndpoint({ DOCKER_HOST: written }, home);
    expect(endpoint).toMatchObject({ host, origin: 'DOCKER_HOST', dockerOptions: options });
    expect(endpoint.cliEnvironment['DOCKER_HOST']).toBe(host);
  });

  it('prefers DOCKER_HOST to a context, as the CLI does', async () => {
    await addContext('other', { Host: 'unix:///other.sock' });
    const endpoint = await resolveEndpoint({ DOCKER_HOST: 'unix:///mine.sock', DOCKER_CONTEXT: 'other' }, home);
    expect(endpoint.host).toBe('unix:///mine.sock');
  });

  it('reads the current context of config.json, and DOCKER_CONTEXT before it', async () => {
    await addContext('one', { Host: 'unix:///one.sock' });
    await addContext('two', { Host: 'tcp://two.example:2375' });
    await write(join(home, '.docker', 'config.json'), JSON.stringify({ auths: {}, currentContext: 'one' }));
    const current = await resolveEndpoint({}, home);
    expect(current).toMatchObject({ host: 'unix:///one.sock', origin: 'context one' });
    const named = await resolveEndpoint({ DOCKER_CONTEXT: 'two' }, home);
    expect(named).toMatchObject({ host: 'tcp://two.example:2375', dockerOptions: { protocol: 'http' } });
    const byDefault = await resolveEndpoint({ DOCKER_CONTEXT: 'default' }, home);
    expect(byDefault.host).toBe('unix:///var/run/docker.sock');
  });

  it('looks for contexts in DOCKER_CONFIG', async () => {
    const folder = join(home, 'elsewhere');
    await addContext('one', { Host: 'unix:///one.sock' }, {}, folder);
    const endpoint = await resolveEndpoint({ DOCKER_CONFIG: folder, DOCKER_CONTEXT: 'one' }, home);
    expect(endpoint.host).toBe('unix:///one.sock');
  });

  it("uses a context's TLS material, for the CLI as well", async () => {
    const tls = { 'ca.pem': 'CA', 'cert.pem': 'CERT', 'key.pem': 'KEY' };
    const folder = await addContext('far', { Host: 'tcp://far.example' }, tls);
    const { host, dockerOptions, cliEnvironment } = await resolveEndpoint({ DOCKER_CONTEXT: 'far' }, home);
    expect(host).toBe('tcp://far.example:2376');
    expect(dockerOptions).toMatchObject({ protocol: 'https', host: 'far.example', port: 2376 });
    expect([dockerOptions.ca, dockerOptions.cert, dockerOptions.key].map(String)).toEqual(['CA', 'CERT', 'KEY']);
    expect(dockerOptions).not.toHaveProperty('agent');
    expect(cliEnvironment).toEqual({
      DOCKER_HOST: 'tcp://far.example:2376',
      DOCKER_CONTEXT: '',
      DOCKER_TLS: '1',
      DOCKER_TLS_VERIFY: '1',
      DOCKER_CERT_PATH: folder,
    });
  });

  it('does not verify where the context says so', async () => {
    await addContext('far', { Host: 'tcp://far.example', SkipTLSVerify: true });
    const { dockerOptions, cliEnvironment } = await resolveEndpoint({ DOCKER_CONTEXT: 'far' }, home);
    expect(dockerOptions.protocol).toBe('https');
    expect(dockerOptions).toHaveProperty('agent.options.rejectUnauthorized', false);
    expect(cliEnvironment).toMatchObject({ DOCKER_TLS: '1', DOCKER_TLS_VERIFY: '' });
  });

  it('speaks TLS with DOCKER_TLS_VERIFY and DOCKER_CERT_PATH', async () => {
    await write(join(home, 'certs', 'ca.pem'), 'CA');
    const certs = { DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: join(home, 'certs') };
    const endpoint = await resolveEndpoint({ DOCKER_HOST: 'tcp://far.example', ...certs }, home);
    expect(endpoint).toMatchObject({ host: 'tcp://far.example:2376', dockerOptions: { protocol: 'https' } });
    expect(String(endpoint.dockerOptions.ca)).toBe('CA');
  });

  it.each([
    [{ DOCKER_HOST: 'ssh://me@host' }, /over ssh/, /ssh -nNT/],
    [{ DOCKER_HOST: 'npipe:////./pipe/docker_engine' }, /Windows pipe/, /WSL/],
    [{ DOCKER_HOST: 'http://host:2375' }, /not supported/, /tcp:\/\//],
    [{ DOCKER_HOST: 'unix://docker.sock' }, /relative path/, /absolute/],
    [{ DOCKER_HOST: 'tcp://host:2375/prefix' }, /not an address/, /tcp:\/\/host:port/],
    [{ DOCKER_HOST: 'tcp://host', DOCKER_TLS_VERIFY: '1' }, /no ca\.pem/, /DOCKER_CERT_PATH/],
    [{ DOCKER_CONTEXT: 'nowhere' }, /no Docker context "nowhere"/, /docker context ls/],
  ])('refuses %j and says what to do', async (environment, message, next) => {
    await expect(resolveEndpoint(environment, home)).rejects.toMatchObject({
      code: 'E_ENGINE_UNREACHABLE',
      message: expect.stringMatching(message) as string,
      next: expect.stringMatching(next) as string,
    });
  });

  it('names a config.json that cannot be read', async () => {
    await write(join(home, '.docker', 'config.json'), '{');
    await expect(resolveEndpoint({}, home)).rejects.toMatchObject({
      code: 'E_ENGINE_UNREACHABLE',
      message: expect.stringContaining(join(home, '.docker', 'config.json')) as string,
    });
  });
});
