import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { composeArgs, reasonIn } from '../../src/engine/compose-cli.js';
import { dependenciesOf, imageNameOf, replicasOf } from '../../src/engine/compose-document.js';
import { goDuration, parseProject } from '../../src/engine/compose-model.js';
import { isWithin } from '../../src/engine/compose-registry.js';
import { relocateDocument } from '../../src/engine/compose-relocate.js';
import { forgetsDependencies } from '../../src/engine/compose-up.js';
import { definitionOf } from '../../src/model/release.js';

/** Printed by `docker compose --profile '*' config --format json` of Compose 2.26.1; only names and paths are other ones. */
const printed = JSON.parse(readFileSync(new URL('compose-rendered-2.26.json', import.meta.url), 'utf8')) as Record<
  string,
  unknown
>;
const project = parseProject(printed);

function parseOne(service: Record<string, unknown>) {
  const parsed = parseProject({ name: 'app', services: { web: { image: 'web:1', ...service } } }).services['web'];
  if (parsed === undefined) throw new Error('no service');
  return parsed;
}

describe('parseProject', () => {
  it('reads what Compose 2.26 prints', () => {
    expect(project.name).toBe('app');
    expect(project.policy.services['built']?.strategy).toBe('rolling');
    expect(project.document).toBe(printed);
    expect(project.services['full']).toMatchObject({
      image: 'base:1',
      containerName: 'app-full',
      build: undefined,
      dependsOn: [{ service: 'plain', condition: 'service_started' }],
      healthCheck: undefined,
      configs: ['c1'],
      secrets: ['s1'],
      replicas: 1,
      restart: 'unless-stopped',
      stopGraceMs: 1_000,
      mounts: [
        { type: 'volume', source: 'data', target: '/data', readOnly: false },
        { type: 'bind', source: '/srv/app/cfg', target: '/cfg', readOnly: true },
        { type: 'volume', source: 'anon', target: '/an', readOnly: true },
        { type: 'volume', source: undefined, target: '/anonvol', readOnly: false },
        { type: 'tmpfs', source: undefined, target: '/t', readOnly: false },
      ],
      ports: [
        { target: 8080, published: undefined, protocol: 'tcp', hostIp: '127.0.0.1' },
        { target: 9000, published: '23871', protocol: 'tcp', hostIp: '127.0.0.1' },
        { target: 9001, published: '23872', protocol: 'tcp', hostIp: '127.0.0.1' },
        { target: 7000, published: '23873', protocol: 'udp', hostIp: undefined },
      ],
    });
    expect(project.services['prof']?.profiles).toEqual(['tools']);
    expect(project.services['scaled']?.replicas).toBe(2);
    expect(project.services['linked']?.networkMode).toBe('service:plain');
  });

  it('gives values with the `$` that the container gets', () => {
    expect(project.services['dollar']?.environment).toEqual({
      A: '1',
      B: 'has $DOLLAR ${BRACE}',
      C: 'dq "quote" and \\n',
      D: 'va$lue',
      LIT: 'cost $5 and ${BR}',
      MULTI: 'a\nb',
      NULLV: null,
      QUO: `a "b" 'c'`,
      SUB: 'va$lue',
    });
    const policy = parseProject({
      name: 'app',
      services: { web: {} },
      'x-rolling-restart': { services: { web: { router: { discovery: { 'drain-command': 'echo "$$HOME"' } } } } },
    }).policy;
    expect(policy.services['web']?.router).toMatchObject({ drainCommand: 'echo "$HOME"' });
  });

  it("reads a health check, with Docker's defaults, and takes a disabled one as none", () => {
    expect(project.services['dollar']?.healthCheck).toEqual({
      test: ['CMD-SHELL', 'test -n "$HOME" && echo <ok>'],
      intervalMs: 90_000,
      timeoutMs: 3_000,
      startPeriodMs: 5_000,
      startIntervalMs: 500,
      retries: 2,
    });
    expect(parseOne({ healthcheck: { test: ['CMD', 'true'] } }).healthCheck).toEqual({
      test: ['CMD', 'true'],
      intervalMs: 30_000,
      timeoutMs: 30_000,
      startPeriodMs: 0,
      startIntervalMs: 5_000,
      retries: 3,
    });
    for (const healthcheck of [{ disable: true }, { test: ['NONE'] }, { interval: '5s' }, null]) {
      expect(parseOne({ healthcheck }).healthCheck).toBeUndefined();
    }
  });

  it('names the image of a built service as Compose does', () => {
    expect(project.services['built']).toMatchObject({ image: 'app-built', build: { context: '/srv/app' } });
  });

  it.each([
    [{}, 'no'],
    [{ restart: 'always' }, 'always'],
    [{ restart: 'always', deploy: { restart_policy: { condition: 'on-failure' } } }, 'on-failure'],
    [{ deploy: { restart_policy: {} } }, 'always'],
    [{ deploy: { restart_policy: { condition: 'none' } } }, 'no'],
  ])('reads the restart policy of %j', (service, restart) => {
    expect(parseOne(service).restart).toBe(restart);
  });

  it('prefers deploy.replicas to scale', () => {
    expect(parseOne({ deploy: { replicas: 3 }, scale: 2 }).replicas).toBe(3);
    expect(parseOne({}).replicas).toBe(1);
  });

  it('refuses what is no project', () => {
    expect(() => parseProject({ services: [] })).toThrow(expect.objectContaining({ code: 'E_COMPOSE_FILE' }) as Error);
  });
});

describe('goDuration', () => {
  it.each([
    ['0s', 0],
    ['500ms', 500],
    ['1m30s', 90_000],
    ['1h0m0s', 3_600_000],
    ['1.5s', 1_500],
    ['2m0.25s', 120_250],
    ['250us', 0],
  ])('%s is %d ms', (text, ms) => {
    expect(goDuration(text)).toBe(ms);
  });
});

describe('definitionOf', () => {
  const definition = (name: string) => {
    const service = project.services[name];
    if (service === undefined) throw new Error(`no ${name}`);
    return definitionOf(project, service) as Record<string, Record<string, Record<string, unknown>>>;
  };

  it('keeps what Compose hashes, and of others only what the service uses', () => {
    const { services, networks, volumes } = definition('full');
    expect(Object.keys(services ?? {})).toEqual(['plain', 'full']);
    expect(services?.['plain']).toEqual({ image: 'base:1' });
    expect(services?.['full']).toMatchObject({ depends_on: { plain: {} }, image: 'base:1' });
    expect(services?.['full']).not.toHaveProperty('pull_policy');
    expect(Object.keys(networks ?? {})).toEqual(['n1', 'n2']);
    expect(Object.keys(volumes ?? {}).sort()).toEqual(['anon', 'data']);
    expect(definition('prof')['services']?.['prof']).toHaveProperty('profiles');
  });

  it('gives no image to a service that has none, and no build instructions', () => {
    expect(definition('built')['services']?.['built']).not.toHaveProperty('image');
    expect(definition('built')['services']?.['built']).toMatchObject({ build: { context: '.' } });
  });
});

describe('relocateDocument', () => {
  it('moves paths everywhere but in the build sections of services', () => {
    const document = {
      services: {
        build: {
          build: { context: '/tree/app', additional_contexts: { lib: '/tree/lib' } },
          environment: { build: '/tree/x', OTHER: '/treehouse', SELF: '/tree' },
          volumes: [{ type: 'bind', source: '/tree/data', target: '/tree-in-container' }],
        },
      },
      configs: { c: { file: '/tree/c.conf' } },
      'x-rolling-restart': { watch: '1m' },
    };
    expect(relocateDocument(document, [{ from: '/tree', to: '/live' }])).toEqual({
      services: {
        build: {
          build: { context: '/tree/app', additional_contexts: { lib: '/tree/lib' } },
          environment: { build: '/live/x', OTHER: '/treehouse', SELF: '/live' },
          volumes: [{ type: 'bind', source: '/live/data', target: '/tree-in-container' }],
        },
      },
      configs: { c: { file: '/live/c.conf' } },
      'x-rolling-restart': { watch: '1m' },
    });
  });
});

describe('a document', () => {
  it('knows images, replicas and dependencies, also those of dependencies', () => {
    const document = {
      name: 'app',
      services: { a: { depends_on: { b: {} } }, b: { depends_on: { c: {} }, image: 'b:1' }, c: { scale: 2 } },
    };
    expect(dependenciesOf(document, 'a')).toEqual(['b', 'c']);
    expect(dependenciesOf(document, 'c')).toEqual([]);
    expect([imageNameOf(document, 'a'), imageNameOf(document, 'b')]).toEqual(['app-a', 'b:1']);
    expect(['a', 'c'].map((name) => replicasOf(document, name))).toEqual([1, 2]);
  });
});

describe('the command line', () => {
  it('names what the target names, each as an argument of its own', () => {
    const files = ['/a b/x.yml', '/y.yml'];
    const target = { files, directory: '/a b', projectDirectory: '/c d', projectName: 'app', envFiles: ['/e'] };
    expect(composeArgs(target).join('|')).toBe(
      'compose|--ansi|never|--progress|plain|--project-name|app|--project-directory|/c d|--file|/a b/x.yml|--file|/y.yml|--env-file|/e',
    );
  });

  it('leaves to Compose what the target leaves open', () => {
    const target = { files: [], directory: '/a', projectName: undefined, envFiles: [] };
    expect(composeArgs(target).join(' ')).toBe('compose --ansi never --progress plain');
  });
});

describe('Compose', () => {
  it.each([
    ['2.24.0', true],
    ['2.26.1', true],
    ['2.29.2', true],
    ['2.29.3', false],
    ['2.40.3', false],
    ['5.6.0', false],
  ])('%s forgets dependencies with --no-deps: %s', (version, forgets) => {
    expect(forgetsDependencies(version)).toBe(forgets);
  });

  it.each([
    ['time="x" level=warning msg="The \\"A\\" variable is not set"\nservice "web": bad\n', 'service "web": bad'],
    [' Container x  Creating\nError response from daemon: No such image: a:1', 'No such image: a:1'],
    ['', 'it gave no reason'],
  ])('says why: %j', (stderr, reason) => {
    expect(reasonIn(stderr)).toBe(reason);
  });
});

describe('isWithin', () => {
  it.each([
    ['127.0.0.1', '127.0.0.0/8', true],
    ['10.1.2.3', '10.0.0.0/8', true],
    ['11.1.2.3', '10.0.0.0/8', false],
    ['registry.example.com', '0.0.0.0/0', false],
    ['127.0.0.1', '::1/128', false],
  ])('%s in %s: %s', (address, range, within) => {
    expect(isWithin(address, range)).toBe(within);
  });
});
