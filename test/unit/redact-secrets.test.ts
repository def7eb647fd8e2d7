import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRedactor } from '../../src/report/redact.js';
import { isOrdinary, looksSecret } from '../../src/report/secret-names.js';

const KEY = [
  '-----BEGIN RSA PRIVATE KEY-----',
  'MIIEpAIBAAKCAQEA7bq',
  'x9Qm2Zr8LkV0pT',
  '-----END RSA PRIVATE KEY-----',
].join('\n');

function knowing(values: Readonly<Record<string, string>>): ReturnType<typeof createRedactor> {
  const redactor = createRedactor();
  redactor.learn(Object.entries(values).map(([name, value]) => ({ name, value })));
  return redactor;
}

function hiding(values: Readonly<Record<string, string>>): (text: string) => string {
  const redactor = knowing(values);
  return (text) => redactor.text(text);
}

describe('looksSecret', () => {
  it.each(
    `DB_PASSWORD dbPassword POSTGRES_PASSWORD MYSQL_PWD API_KEY apiKey STRIPEKEY SECRET_KEY_BASE GITHUB_TOKEN
    AWS_ACCESS_KEY_ID SENTRY_DSN BASIC_AUTH PRIVATE_PEM SMTP_PASS JWT_SECRET CREDENTIALS SLACK_WEBHOOK`.split(/\s+/),
  )('%s', (name) => {
    expect(looksSecret(name)).toBe(true);
  });
  it.each(
    `PATH HOME AUTHOR KEYBOARD COMPASS PORT NODE_ENV DB_PASSWORD_FILE SSH_AUTH_SOCK DATABASE_HOST PWD KEYCLOAK_URL
    SECRET_NAME`.split(/\s+/),
  )('not %s', (name) => {
    expect(looksSecret(name)).toBe(false);
  });
});

describe('text', () => {
  it('hides learned values: long ones, and short ones whose name says secret', () => {
    const text = hiding({ GREETING: 'hello-world-42', DB_PASSWORD: 'hunt', PIN: '123' });
    expect(text('says hello-world-42 with hunt and 123')).toBe('says *** with *** and ***');
  });
  it('hides a short secret only where it is a word: the rest of the text would give it away', () => {
    expect(knowing({ PASSWORD: 'log' }).text('login log catalog log.')).toBe('login *** catalog ***.');
  });
  it('leaves what is ordinary', () => {
    const text = hiding({
      NODE_ENV: 'production',
      PORT: '3000',
      PATH: '/usr/local/sbin:/usr/bin',
      HOME: '/home/deploy',
      DEBUG: 'true',
      DATA: '/app/.roma/state',
      NODE_VERSION: '24.21.0-alpine',
      REQUIRE_AUTH: 'true',
      POSTGRES_PASSWORD: 'postgres',
    });
    const line = 'production on 3000 in /home/deploy, true, /app/.roma/state, node 24.21.0-alpine, postgres is up';
    expect(text(line)).toBe(line);
  });
  it('hides what a secret becomes in base64, in a URL and in JSON', () => {
    const secret = 'p@ss "wörd"/1+2';
    const text = hiding({ DB_PASSWORD: secret });
    for (const form of [
      secret,
      Buffer.from(secret).toString('base64'),
      Buffer.from(secret).toString('base64url'),
      encodeURIComponent(secret),
      JSON.stringify(secret),
    ]) {
      expect(text(`before ${form} after`)).not.toContain(form.replaceAll('=', ''));
      expect(text(`before ${form} after`)).toMatch(/^before "?\*\*\*={0,2}"? after$/);
    }
  });
  it('hides the whole of a secret that is very long', () => {
    for (const prefix of ['password=', 'Authorization: Bearer ', 'eyJhbGciOiJI.', 'Cookie: ']) {
      expect(createRedactor().text(`${prefix}${'k'.repeat(50_000)} end`)).not.toContain('kk');
    }
  });
  it('hides every line of a secret of several lines', () => {
    const text = hiding({ TLS: KEY });
    expect(text('x MIIEpAIBAAKCAQEA7bq y')).toBe('x *** y');
    expect(text('x9Qm2Zr8LkV0pT')).toBe('***');
  });
  it('hides the password of a URL that was learned, wherever it shows up alone', () => {
    const text = hiding({ DATABASE_URL: 'postgres://app:s3cr%2Ft@db:5432/app' });
    expect(text('auth failed for s3cr/t')).toBe('auth failed for ***');
    expect(text('auth failed for s3cr%2Ft')).toBe('auth failed for ***');
  });

  it.each([
    ['redis://:pa55@cache:6379/0', 'redis://:***@cache:6379/0'],
    ['clone https://x-access-token:abc@github.com/a/b.git', 'clone https://x-access-token:***@github.com/a/b.git'],
    ['https://ghs_0123456789abcdef0123@github.com/a', 'https://***@github.com/a'],
    ['Authorization: Bearer abc.def', 'Authorization: Bearer ***'],
    ['{"authorization":"Basic dXNlcjpwYXNz"}', '{"authorization":"Basic ***"}'],
    ['curl -H "Authorization: token abc"', 'curl -H "Authorization: token ***"'],
    ['Set-Cookie: sid=abc; Path=/', 'Set-Cookie: ***'],
    ['password=hunter2 user=me', 'password=*** user=me'],
    ['{"client_secret": "abc", "a": 1}', '{"client_secret": "***", "a": 1}'],
    ['{\\"apiKey\\":\\"abc\\"}', '{\\"apiKey\\":\\"***\\"}'],
    ['access_key: AbCdEfGh12345678', 'access_key: ***'],
    ['GET /x?token=abc&page=2', 'GET /x?token=***&page=2'],
    ['jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl.', 'jwt ***.'],
    ['push ghp_0123456789abcdefABCDEF0123456789abcd', 'push ***'],
    [`${KEY}\nnext`, '-----BEGIN RSA PRIVATE KEY-----***-----END RSA PRIVATE KEY-----\nnext'],
  ])('hides in an unknown text: %s', (given, wanted) => {
    expect(createRedactor().text(given)).toBe(wanted);
  });

  it.each([
    'GET http://api.internal:8080/v1/things?id=4@home 200',
    'ssh://git@github.com/acme/roma.git',
    'token: expired',
    'the secret of success',
    'max_tokens=4096',
    'DB_PASSWORD_FILE=/run/secrets/db',
    'password: <not set>',
    'tokens used: 12',
    '2026-11-24T03:15:02Z INFO user@example.com logged in',
  ])('leaves: %s', (line) => {
    expect(createRedactor().text(line)).toBe(line);
  });

  it('hides any secret in any text, and does not change its mind the second time', () => {
    const secret = fc
      .string({ unit: 'grapheme', minLength: 8, maxLength: 40 })
      .filter((text) => !isOrdinary('SECRET', text.trim()) && text.trim().length >= 8);
    fc.assert(
      fc.property(secret, fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (value, before, after) => {
        const text = hiding({ SECRET: value });
        const redacted = text(`${before} ${value.trim()} ${after}`);
        if (!before.includes(value.trim()) && !'***'.includes(value.trim()))
          expect(redacted).not.toContain(value.trim());
        expect(text(redacted)).toBe(redacted);
      }),
      { numRuns: 300 },
    );
  });
});

describe('json', () => {
  it('hides by position in inspect output', () => {
    expect(
      createRedactor().json({
        Config: {
          Env: ['PATH=/usr/bin', 'NODE_ENV=production', 'DB_PASSWORD=x', 'GREETING=hi', 'EMPTY='],
          Cmd: ['serve', '--password', 'abc', '--api-key=def', '--port=3000', 'TOKEN=ghi'],
          Labels: { 'com.example.secret-name': 'kept', 'com.docker.compose.project': 'roma' },
        },
        Args: ['-p', '80'],
        HostConfig: { LogConfig: { Config: { 'splunk-token': 'abc', 'max-size': '10m' } } },
        State: { Running: true, Pid: 12 },
      }),
    ).toEqual({
      Config: {
        Env: ['PATH=/usr/bin', 'NODE_ENV=production', 'DB_PASSWORD=***', 'GREETING=***', 'EMPTY='],
        Cmd: ['serve', '--password', '***', '--api-key=***', '--port=3000', 'TOKEN=***'],
        Labels: { 'com.example.secret-name': 'kept', 'com.docker.compose.project': 'roma' },
      },
      Args: ['-p', '80'],
      HostConfig: { LogConfig: { Config: { 'splunk-token': '***', 'max-size': '10m' } } },
      State: { Running: true, Pid: 12 },
    });
  });
  it('hides by position in config output', () => {
    expect(
      createRedactor().json({
        services: {
          roma: {
            environment: { PORT: '3000', GREETING: 'hi', DB_PASSWORD: 'x', NOTHING: null },
            build: { context: '.', args: { NPM_TOKEN: 'x', BASE: 'node:24' } },
            command: ['run', '--secret=abc'],
            secrets: [{ source: 'db' }],
          },
        },
        configs: { motd: { content: 'anything', name: 'motd' } },
        secrets: { db: { content: 'x', file: '/run/db' } },
      }),
    ).toEqual({
      services: {
        roma: {
          environment: { PORT: '3000', GREETING: '***', DB_PASSWORD: '***', NOTHING: null },
          build: { context: '.', args: { NPM_TOKEN: '***', BASE: '***' } },
          command: ['run', '--secret=***'],
          secrets: [{ source: 'db' }],
        },
      },
      configs: { motd: { content: '***', name: 'motd' } },
      secrets: { db: { content: '***', file: '/run/db' } },
    });
  });
  it('hides by value everywhere, names of fields included', () => {
    const redactor = knowing({ DB_PASSWORD: 'hunter22' });
    expect(redactor.json({ hunter22: ['a hunter22 b', { Labels: { x: 'hunter22' } }] })).toEqual({
      '***': ['a *** b', { Labels: { x: '***' } }],
    });
  });
});
