import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hostContext } from '../../src/action/host-context.js';
import { INPUTS } from '../../src/action/input-table.js';
import { inputsFromEnvironment, readRequest, type InputContext } from '../../src/action/inputs.js';
import { ProcedureError } from '../../src/model/errors.js';
import type { Request } from '../../src/model/request.js';

const context: InputContext = {
  environment: {},
  currentDirectory: '/srv/roma',
  homeDirectory: '/home/deploy',
  realDirectory: (path) => (path.startsWith('/srv') || path.startsWith('/work') ? path : undefined),
};

function read(inputs: Readonly<Record<string, string>>, environment: InputContext['environment'] = {}): Request {
  const given = Object.fromEntries(
    Object.entries(inputs).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]),
  );
  const all = { ...environment, ...given };
  return readRequest(inputsFromEnvironment(all), { ...context, environment: all });
}

function refusal(inputs: Readonly<Record<string, string>>, environment: InputContext['environment'] = {}): string {
  try {
    read({ procedure: 'check', ...inputs }, environment);
  } catch (error) {
    expect(error).toBeInstanceOf(ProcedureError);
    expect(error).toMatchObject({ code: 'E_INPUT' });
    return (error as ProcedureError).message;
  }
  throw new Error('was not refused');
}

describe('readRequest', () => {
  it('takes remedies by name, each once, and names the nearest one for a word that is none', () => {
    expect(read({ procedure: 'emergency', remedies: 'free-port, restart-docker, free-port' }).remedies).toEqual([
      'free-port',
      'restart-docker',
    ]);
    expect(refusal({ remedies: 'free-prt' })).toContain(
      '"free-prt" is none of free-port, restart-docker; did you mean free-port?',
    );
  });

  it('refuses a state directory that is relative to nothing', () => {
    const homeless = { ...context, homeDirectory: '' };
    const read = (inputs: Readonly<Record<string, string>>): Request =>
      readRequest((name) => ({ procedure: 'check', ...inputs })[name] ?? '', homeless);
    expect(() => read({})).toThrow('this user has no home folder (HOME); name a folder to write to');
    expect(read({ 'state-dir': 'state' }).stateDir).toBe('/srv/roma/state');
  });

  it('needs nothing but a procedure, and fills the defaults in', () => {
    expect(read({ procedure: 'code-update' })).toEqual({
      procedure: 'code-update',
      services: [],
      workingDirectory: '/srv/roma',
      composeFiles: [],
      projectName: undefined,
      envFiles: [],
      profiles: [],
      strategy: 'auto',
      canary: { steps: [10, 50, 100], pauseMs: 60_000, onInconclusive: 'rollback', minRequests: 20 },
      edgeImage: 'haproxy:3.0-alpine@sha256:56b887da77428b7a6621e59e480cdbd330cc805c22d3cedb66ceea76ffdea2c6',
      router: 'auto',
      drainTimeoutMs: 30_000,
      ref: undefined,
      allowDowngrade: false,
      image: undefined,
      pullBase: false,
      buildCommand: undefined,
      testCommand: undefined,
      smokeTest: undefined,
      versionCommand: undefined,
      expectedVersion: undefined,
      watchMs: 300_000,
      verifyEnv: [],
      readinessTimeoutMs: undefined,
      commandTimeoutMs: 900_000,
      autoRollback: true,
      rollbackTo: { kind: 'previous' },
      onWarning: { high: 'rollback', medium: 'warn', low: 'warn' },
      maxMemoryBytes: 1.5e9,
      errorPatterns: ['\\b(error|exception|fatal|panic|unhandled)\\b'],
      errorIgnore: [],
      maxErrorLines: undefined,
      maxResponseMs: 100,
      keepReleases: 5,
      minFreeDiskBytes: 1e9,
      backupBefore: false,
      backupDir: '/home/deploy/.local/state/rolling-restart/backups',
      backupPaths: [],
      keepBackups: 7,
      withData: false,
      dryRun: false,
      stateDir: '/home/deploy/.local/state/rolling-restart',
      evidenceDir: '/home/deploy/.local/state/rolling-restart/evidence',
      periodMs: 30 * 86_400_000,
      metricsFile: undefined,
      lockTimeoutMs: 600_000,
      force: false,
      memoryAfterMs: 300_000,
      maxStartupMs: 60_000,
      gates: {},
      remedies: [],
      restartDockerCommand: undefined,
      requireBackupMs: undefined,
      peakHours: [],
      activeJobsCommand: undefined,
      activeJobsTimeoutMs: 600_000,
      requireEnvironment: undefined,
      reason: undefined,
      notifications: {
        on: ['start', 'success', 'failure', 'rollback'],
        slackUrl: undefined,
        webhook: undefined,
        email: undefined,
        statusPage: undefined,
      },
      maintenance: {
        phases: ['perform', 'verify'],
        startsAt: undefined,
        durationMs: 900_000,
        impact: 'minimal',
        loadTest: undefined,
      },
      githubToken: undefined,
      fetchToken: undefined,
      revertToken: undefined,
      deployment: { environment: undefined, url: undefined },
    });
  });

  it('reads every input of the table', () => {
    const request = read({
      procedure: 'rollback',
      service: 'db, roma\nworker',
      'working-directory': '/srv/other',
      'compose-files': 'compose.yml,compose.prod.yml',
      'project-name': 'shop',
      'env-file': '.env\n.env.production',
      strategy: 'recreate',
      router: 'haproxy',
      'drain-timeout': '2m',
      ref: 'release/v2',
      'pull-base': 'TRUE',
      'build-command': 'pnpm install, then build',
      'test-command': 'pnpm test',
      'smoke-test': 'pnpm smoke',
      'version-command': 'roma --version',
      'expected-version': '2.0.0',
      watch: '1m30s',
      'verify-env': 'GREETING\nroma:LOG_LEVEL=debug,trace\n',
      'readiness-timeout': '45s',
      'command-timeout': '1h',
      'auto-rollback': 'false',
      'rollback-to': 'git:v1.2.3',
      'on-warning': 'fail',
      'max-memory': '512MiB',
      'error-patterns': 'ERR{1,3}\nboom',
      'keep-releases': '3',
      'min-free-disk': '2GB',
      'dry-run': 'true',
      'state-dir': '~/state',
      'evidence-dir': '/srv/evidence',
      'lock-timeout': '0s',
      force: 'true',
      'github-token': ' ghs_x ',
    });
    expect(request).toMatchObject({
      services: ['db', 'roma', 'worker'],
      workingDirectory: '/srv/other',
      composeFiles: ['compose.yml', 'compose.prod.yml'],
      envFiles: ['.env', '.env.production'],
      buildCommand: 'pnpm install, then build',
      router: 'haproxy',
      drainTimeoutMs: 120_000,
      watchMs: 90_000,
      verifyEnv: [
        { service: undefined, name: 'GREETING', value: undefined },
        { service: 'roma', name: 'LOG_LEVEL', value: 'debug,trace' },
      ],
      readinessTimeoutMs: 45_000,
      rollbackTo: { kind: 'git', ref: 'v1.2.3' },
      onWarning: { high: 'fail', medium: 'fail', low: 'fail' },
      maxMemoryBytes: 512 * 1024 ** 2,
      errorPatterns: ['ERR{1,3}', 'boom'],
      stateDir: '/home/deploy/state',
      evidenceDir: '/srv/evidence',
      lockTimeoutMs: 0,
      githubToken: 'ghs_x',
    });
  });

  it('names all problems in one error', () => {
    const message = refusal({
      procedure: 'code-updat',
      strategy: 'roling',
      watch: 'five minutes',
      'max-memory': 'lots',
      'dry-run': 'yes',
      'keep-releases': '0',
      'error-patterns': '(',
      service: 'roma,roma,-x',
      'project-name': 'Roma',
      'working-directory': '/nowhere',
      'expected-version': '2',
      waatch: '1m',
    });
    expect(message).toMatch(/^13 inputs cannot be used:/);
    expect(message).toContain('did you mean code-update?');
    expect(message).toContain('waatch: there is no such input; did you mean watch?');
    for (const input of [
      'strategy',
      'watch',
      'max-memory',
      'dry-run',
      'keep-releases',
      'error-patterns',
      'project-name',
    ]) {
      expect(message).toContain(`\n- ${input}: `);
    }
    expect(message).toContain('"roma" is named twice');
    expect(message).toContain('"-x" is not a service name');
    expect(message).toContain('there is no directory /nowhere');
  });

  it.each([
    ['ref', '--upload-pack=x', 'begins with "-"'],
    ['ref', 'a b', 'is not a git ref'],
    ['image', 'Team/App', 'is not an image reference'],
    ['image', '--privileged', 'is not an image reference'],
    ['rollback-to', 'git:-x', 'begins with "-"'],
    ['rollback-to', 'release:last', 'is not a release id'],
    ['rollback-to', 'release:20261124T031502Z-3f9a1c0', 'is not a release id'],
    ['rollback-to', 'release:2026', 'is not a release id'],
    ['rollback-to', 'image:', 'is not an image reference'],
    ['watch', '25h', 'longer than 24h'],
    ['readiness-timeout', '0s', 'shorter than 1s'],
    ['on-warning', 'ignore', 'none of warn, fail, rollback'],
    ['on-warning', 'higg: fail', 'did you mean high?'],
    ['on-warning', 'high: fail, high: warn', 'named twice'],
    ['on-warning', 'warn, low: fail', 'says no severity'],
  ])('refuses %s: %s', (name, value, reason) => {
    expect(refusal({ [name]: value })).toContain(reason);
  });

  it.each([
    ['v1.2.3', ['git:v1.2.3', 'image:NAME:v1.2.3']],
    ['20261124T031502Z-3f9a1c', ['release:20261124T031502Z-3f9a1c']],
    ['c0ffee1', ['git:c0ffee1']],
    ['registry.example.com/app:v1', ['image:registry.example.com/app:v1']],
    ['prev', ['previous']],
  ])('refuses the bare %s of rollback-to with its readings', (value, readings) => {
    const message = refusal({ 'rollback-to': value });
    for (const reading of readings) expect(message).toContain(reading);
  });

  it.each([
    ['localhost:5000/roma:v1', 'image:localhost:5000/roma:v1'],
    [`roma@sha256:${'a'.repeat(64)}`, `image:roma@sha256:${'a'.repeat(64)}`],
  ])('takes the image %s', (reference, value) => {
    expect(read({ procedure: 'rollback', 'rollback-to': value }).rollbackTo).toEqual({ kind: 'image', reference });
  });

  it('keeps a high warning sign a reason to go back unless it is named', () => {
    const on = (value: string, more = {}): Request['onWarning'] =>
      read({ procedure: 'check', 'on-warning': value, ...more }).onWarning;
    expect(on('rollback')).toEqual({ high: 'rollback', medium: 'rollback', low: 'rollback' });
    expect(on('fail')).toEqual({ high: 'rollback', medium: 'fail', low: 'fail' });
    expect(on('high: warn, low: fail')).toEqual({ high: 'warn', medium: 'warn', low: 'fail' });
    expect(on('warn', { 'auto-rollback': 'false' })).toEqual({ high: 'fail', medium: 'warn', low: 'warn' });
    expect(refusal({ 'on-warning': 'rollback', 'auto-rollback': 'false' })).toContain('contradicts');
  });

  it('refuses an image for several services', () => {
    expect(refusal({ image: 'roma:v1', service: 'a,b' })).toContain('`service` names several');
    expect(read({ procedure: 'check', image: 'roma:v1', service: 'a' }).image).toBe('roma:v1');
  });

  it('never fails in another way than with E_INPUT, and never lets an option through', () => {
    const names = INPUTS.map(({ name }) => name);
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...names), fc.string({ maxLength: 40 })), (inputs) => {
        let request: Request;
        try {
          request = read({ procedure: 'check', ...inputs });
        } catch (error) {
          expect(error).toMatchObject({ code: 'E_INPUT', next: expect.stringContaining('with:') as string });
          return;
        }
        for (const value of [request.ref, request.image, request.projectName, ...request.services]) {
          expect(value?.startsWith('-') ?? false).toBe(false);
        }
        expect(request.watchMs).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 500 },
    );
  });
});

describe('working-directory on a runner', () => {
  let root = '';
  beforeAll(() => {
    root = realpathSync(mkdtempSync(join(tmpdir(), 'rr-inputs-')));
    mkdirSync(join(root, 'work', 'roma', 'roma', 'deep'), { recursive: true });
    mkdirSync(join(root, 'work', 'roma-live'));
    mkdirSync(join(root, 'srv'));
    symlinkSync(join(root, 'work', 'roma', 'roma'), join(root, 'linked'));
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  const attempt = (directory: string, onRunner = true): Request => {
    const environment = {
      ...(onRunner ? { GITHUB_ACTIONS: 'true' } : {}),
      GITHUB_WORKSPACE: join(root, 'work', 'roma', 'roma'),
      RUNNER_WORKSPACE: join(root, 'work', 'roma'),
      INPUT_PROCEDURE: 'check',
      'INPUT_WORKING-DIRECTORY': join(root, directory),
    };
    return readRequest(inputsFromEnvironment(environment), hostContext(environment));
  };

  it.each(['work/roma/roma', 'work/roma/roma/deep', 'work/roma', 'linked'])(
    'is refused inside the workspace: %s',
    (path) => {
      expect(() => attempt(path)).toThrow(/inside the runner's workspace/);
    },
  );
  it.each(['srv', 'work/roma-live'])('is taken outside of it: %s', (path) => {
    expect(attempt(path).workingDirectory).toBe(join(root, path));
  });
  it('may be anywhere in a shell', () => {
    expect(attempt('linked', false).workingDirectory).toBe(join(root, 'linked'));
  });
});
