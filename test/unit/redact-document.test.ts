import { describe, expect, it } from 'vitest';
import { composeNames } from '../../src/model/compose-names.js';
import { createRedactor } from '../../src/report/redact.js';

/** A rendered project, as `docker compose config --format json` prints it. */
const DOCUMENT = {
  name: 'shop',
  services: {
    app: {
      image: 'registry.test/acme/token-service:20260101-abcdef1',
      container_name: 'shop-front',
      hostname: 'frontdoor',
      profiles: ['debugging'],
      build: {
        context: '/srv/shop/application',
        args: { NPM_TOKEN: 'npm-arg-secret', BASE_IMAGE: 'acme/base:24' },
        labels: { 'build.label': 'x' },
      },
      command: ['serve', '--api-token', 'arg-after-flag', '--password=arg-with-equals', '--port=80'],
      healthcheck: {
        test: ['CMD-SHELL', 'curl -H "X-Api-Key: header-key-123" http://a && PGPASSWORD=pg-in-shell psql'],
      },
      environment: {
        DB_PASSWORD: 'app',
        DB_HOST: 'database-host',
        PIN: 'redis',
        PLAIN: 'plain-secret-value',
        D: 'a$$b$$cdefg',
      },
      labels: { 'com.example.api-token': 'label-secret', 'com.example.team': 'payments-team' },
      networks: { 'inner-network': { aliases: ['www-alias'] } },
      volumes: [{ type: 'bind', source: '/srv/shop/uploads', target: '/data/uploads' }],
      extra_hosts: ['legacy-host=10.0.0.1'],
    },
    redis: { image: 'redis:7' },
    'database-host': { image: 'postgres:16' },
  },
  networks: { 'inner-network': { name: 'shop_inner-network' } },
  volumes: { 'shop-data': {} },
  configs: { motd: { content: 'word-of-one-config' }, many: { content: 'level: info\nkey = 8f3a2b9c7d6e5f40aa\n' } },
  secrets: { db: { file: '/srv/shop/db.txt' }, env: { environment: 'SECRET_VARIABLE' } },
  'x-common': { api_token: 'extension-secret' },
};

function knowing(): ReturnType<typeof createRedactor> {
  const redactor = createRedactor();
  redactor.learnDocument(DOCUMENT, ['/srv/shop']);
  return redactor;
}

describe('names of the compose files', () => {
  const names = composeNames(DOCUMENT);

  it.each([
    ['shop', 'the name of the project'],
    ['app', 'the name of service app'],
    ['inner-network', 'the name of network inner-network'],
    ['shop_inner-network', 'the name of network inner-network'],
    ['shop-data', 'the name of volume shop-data'],
    ['db', 'the name of secret db'],
    ['/srv/shop/db.txt', 'a path of secret db'],
    ['SECRET_VARIABLE', 'the name of a variable'],
    ['DB_PASSWORD', 'the name of a variable'],
    ['registry.test/acme/token-service:20260101-abcdef1', 'the image of service app'],
    ['registry.test/acme/token-service', 'the image of service app'],
    ['token-service', 'the image of service app'],
    ['shop-front', 'the container of service app'],
    ['frontdoor', 'a host of service app'],
    ['legacy-host', 'a host of service app'],
    ['www-alias', 'a host of service app'],
    ['debugging', 'the name of a profile'],
    ['/srv/shop/application', 'a path of service app'],
    ['/data/uploads', 'a path of service app'],
    ['com.example.team', 'the name of a label'],
  ])('%s is %s', (name, what) => {
    expect(names.find((one) => one.name === name)?.what).toBe(what);
  });

  it('holds no value of a variable, and no address with credentials', () => {
    const found = composeNames({
      services: { a: { build: { context: 'https://me:tok@git.test/a.git' }, environment: { X: 'value-of-x' } } },
    }).map(({ name }) => name);
    expect(found).toEqual(['a', 'X']);
  });

  it.each([
    'app-1 of app is healthy, redis is up, database-host accepts connections',
    'network shop_inner-network, volume shop-data, /srv/shop/application/src',
    'pulled registry.test/acme/token-service:20260101-abcdef1',
    'FROM acme/base:24',
  ])('stay readable: %s', (line) => {
    expect(knowing().text(line)).toBe(line);
  });

  it('a part of a name stays as well, and nothing else of that value', () => {
    const redactor = knowing();
    redactor.learn([{ name: 'DB_PASSWORD', value: 'front' }]);
    expect(redactor.text('shop-front is up; login with front')).toBe('shop-front is up; login with ***');
  });

  it('are the same whether secrets or names are learned first', () => {
    const redactor = createRedactor();
    redactor.learn([{ name: 'DB_PASSWORD', value: 'database-host' }]);
    expect(redactor.text('database-host')).toBe('***');
    redactor.learnDocument(DOCUMENT, []);
    expect(redactor.text('database-host')).toBe('database-host');
  });

  it('are hidden where their position shows that they are secrets', () => {
    expect(knowing().json({ Config: { Env: ['DB_PASSWORD=app', 'PIN=redis'] } })).toEqual({
      Config: { Env: ['DB_PASSWORD=***', 'PIN=***'] },
    });
    expect(knowing().text('postgres://me:app@database-host/x')).toBe('postgres://me:***@database-host/x');
  });

  it('are told when a secret has such a value, and only then', () => {
    expect(knowing().unhidden()).toEqual([
      { name: 'DB_PASSWORD', what: 'the name of service app' },
      { name: 'PIN', what: 'the name of service redis' },
    ]);
  });
});

describe('secrets of the compose files', () => {
  it.each([
    ['plain-secret-value', 'environment'],
    ['a$b$cdefg', 'environment, without Compose’s second $'],
    ['a$$b$$cdefg', 'environment, as Compose writes it'],
    ['npm-arg-secret', 'build argument'],
    ['label-secret', 'label'],
    ['arg-after-flag', 'argument'],
    ['arg-with-equals', 'argument'],
    ['header-key-123', 'header in a health check'],
    ['pg-in-shell', 'variable in a health check'],
    ['word-of-one-config', 'config of one word'],
    ['8f3a2b9c7d6e5f40aa', 'key in a config'],
    ['extension-secret', 'extension field'],
  ])('%s (%s)', (secret) => {
    expect(knowing().text(`it is ${secret} here`)).toBe('it is *** here');
  });

  it('leaves ordinary lines of a config', () => {
    expect(knowing().text('level: info')).toBe('level: info');
  });

  it('hides labels by position', () => {
    expect(
      createRedactor().json({ Labels: { 'a.api-token': 'x', 'traefik.basicauth.users': 'y', 'a.team': 'z' } }),
    ).toEqual({
      Labels: { 'a.api-token': '***', 'traefik.basicauth.users': '***', 'a.team': 'z' },
    });
  });
});

describe('what BuildKit prints of a step', () => {
  it.each([
    ['#7 [2/3] RUN TOKEN=abc npm ci', '#7 [2/3] RUN TOKEN=*** npm ci'],
    ['#7 RUN --mount=type=secret,id=npm npm ci', '#7 RUN --mount=type=secret,id=npm npm ci'],
    ['docker build --build-arg NPM_TOKEN=abc .', 'docker build --build-arg NPM_TOKEN=*** .'],
    ['#8 ADD https://me:pw1@files.test/a.tgz /', '#8 ADD https://me:***@files.test/a.tgz /'],
    ['#9 RUN echo npm-arg-secret | login', '#9 RUN echo *** | login'],
  ])('%s', (line, wanted) => {
    expect(knowing().text(line)).toBe(wanted);
  });
});

describe('a process list', () => {
  it.each([
    ['root 7 redis-server --requirepass s3cret', 'root 7 redis-server --requirepass ***'],
    ['app  8  serve  --password "x" --port 80', 'app  8  serve  --password *** --port 80'],
    ['sh -c API_KEY=abc run', 'sh -c API_KEY=*** run'],
    ['node server.mjs --port=80', 'node server.mjs --port=80'],
  ])('%s', (line, wanted) => {
    expect(createRedactor().commandLine(line)).toBe(wanted);
  });
});

describe('forms of a value', () => {
  const redactor = createRedactor();
  redactor.learn([
    { name: 'APP_CONFIG', value: '{"user":"me","password":"p\\"q-in-json","deep":[{"api_key":"key-in-json"}]}' },
    { name: 'DSN_TEXT', value: 'Server=db;Password=in-connection;' },
    { name: 'SERVICE_KEY', value: '-----BEGIN KEY-----\\nMIIEabcdefgh12\\nijklmnop34==\\n-----END KEY-----' },
    { name: 'DB_PASSWORD', value: 'pa&ss<wörd>/1' },
  ]);
  const secret = 'pa&ss<wörd>/1';
  const inJson = JSON.stringify(secret).slice(1, -1);
  it.each([
    ['p"q-in-json'],
    ['p\\"q-in-json'],
    ['key-in-json'],
    ['in-connection'],
    ['MIIEabcdefgh12'],
    ['ijklmnop34=='],
    [inJson],
    [JSON.stringify(inJson).slice(1, -1)],
    [inJson.replace('&', '\\u0026').replace('<', '\\u003c').replace('>', '\\u003e')],
    [encodeURIComponent(secret)],
    [encodeURIComponent(secret).toLowerCase()],
  ])('%s', (form) => {
    expect(redactor.text(`x ${form} y`)).toMatch(/^x (?:\*\*\*)+ y$/);
  });

  it.each([0, 1, 2, 3, 4, 5])('in base64 behind %i other bytes', (before) => {
    const encoded = Buffer.from(`${'u'.repeat(before)}${secret}:more`).toString('base64');
    const shown = redactor.text(encoded);
    expect(shown).toContain('***');
    // What is left holds less than a whole secret: one character at each end at most shares bits with it.
    expect(Buffer.from(shown.replaceAll('***', ''), 'base64').toString()).not.toMatch(/ss|rd/);
  });
});

describe('what Docker has cut', () => {
  const redactor = createRedactor();
  redactor.learn([{ name: 'DB_PASSWORD', value: 'sw0rdfish-and-more' }]);
  const secret = 'sw0rdfish-and-more';

  it('hides the beginning of a secret at the end, however much of it is there', () => {
    for (let length = 3; length < secret.length; length += 1) {
      const output = `checking ${secret.slice(0, length)}...`;
      expect(redactor.cutText(output)).toBe('checking ***...');
      expect(redactor.json({ Health: { Log: [{ Output: output }] } })).toEqual({
        Health: { Log: [{ Output: 'checking ***...' }] },
      });
    }
  });
  it('leaves what was not cut', () => {
    expect(redactor.cutText('checking sw0')).toBe('checking sw0');
    expect(redactor.cutText('checking all of it...')).toBe('checking all of it...');
  });
});

describe('a stream that is cut at every position', () => {
  it('never shows a part of a secret, in whichever form', () => {
    const value = 'sw0rdfish/and"more';
    const redactor = createRedactor();
    redactor.learn([{ name: 'DB_PASSWORD', value }]);
    const forms = [value, encodeURIComponent(value), JSON.stringify(value), Buffer.from(value).toString('base64')];
    const log = Buffer.from(`first\n${forms.map((form) => `said ${form} ok\n`).join('')}last`);
    for (let at = 0; at <= log.length; at += 1) {
      const stream = redactor.stream();
      const parts = [...stream.push(log.subarray(0, at)), ...stream.push(log.subarray(at)), ...stream.end()];
      const text = Buffer.concat(parts).toString();
      expect(text.match(/said "?\*\*\*=*"? ok\n/g), `cut at ${at}: ${text}`).toHaveLength(forms.length);
    }
  });
});
