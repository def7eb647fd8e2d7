/** A project with a secret of each kind, and a search for them in whatever a run has written or sent. */
import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Where a secret is planted: one of each kind. */
export const KINDS = [
  'environment',
  'env-file',
  'interpolated-argument',
  'secret-file',
  'secret-variable',
  'config-content',
  'build-argument',
  'image-variable',
  'label',
  'url-password',
  'pem',
  'json-value',
  'encoded',
  'argument',
  'health-check',
  'long-line',
  'health-output',
  'extension',
  'webhook-address',
  'webhook-key',
  'token',
  'remote-address',
  'user-command',
] as const;
export type Kind = (typeof KINDS)[number];
export type Planted = Readonly<Record<Kind, string>>;

/** Each is of random digits and letters, so that no half of it is anywhere by chance. */
export function plant(): Planted {
  const one = (): string => randomBytes(12).toString('hex');
  const all = Object.fromEntries(KINDS.map((kind) => [kind, one()])) as Record<Kind, string>;
  all['json-value'] = `${one()}"${one()}`;
  return all;
}

const PEM = (secret: string): string =>
  ['-----BEGIN PRIVATE KEY-----', secret, `${secret.slice(6)}AA==`, '-----END PRIVATE KEY-----'].join('\n');

/** @returns the files of the project's first commit; what is not committed is in `untracked` */
export function plantedFiles(planted: Planted): Record<string, string> {
  const json = JSON.stringify({ user: 'me', password: planted['json-value'] });
  return {
    'compose.yaml': `
x-common: {api_token: ${planted.extension}}
services:
  app:
    build:
      context: .
      args: {BASE_IMAGE: '\${BASE_IMAGE:-node:22-alpine}', NPM_AUTH: ${planted['build-argument']}}
    command: ['node', 'planted.mjs', '--api-token', '${planted.argument}', '--session-key=\${SESSION_VALUE}']
    ports: ['\${HOST_PORT:-0}:8080']
    environment:
      APP_PASSWORD: ${planted.environment}
      DB_PASSWORD: app
      STORE: postgres://me:${planted['url-password']}@db.test/app
      SETTINGS: '${json}'
      TO_ENCODE_SECRET: ${planted.encoded}
      LONG_LINE_SECRET: ${planted['long-line']}
      HEALTH_SECRET: ${planted['health-output']}
      TLS_KEY: |
${PEM(planted.pem)
  .split('\n')
  .map((line) => `        ${line}`)
  .join('\n')}
    env_file: service.env
    labels: {com.example.api-token: ${planted.label}}
    secrets: [filed, taken]
    configs: [written]
    healthcheck:
      test: ['CMD-SHELL', 'node health.mjs --header "X-Api-Key: ${planted['health-check']}"']
      interval: 1s
      timeout: 5s
      retries: 2
    stop_grace_period: 2s
secrets:
  filed: {file: ./filed.txt}
  taken: {environment: TAKEN_VALUE}
configs:
  written: {content: 'token = "${planted['config-content']}"'}
`,
    Dockerfile: `ARG BASE_IMAGE=node:22-alpine
FROM \${BASE_IMAGE}
ARG NPM_AUTH
ENV BAKED_CREDENTIAL=${planted['image-variable']}
RUN echo "installing with $NPM_AUTH"
WORKDIR /app
COPY app ./
EXPOSE 8080
`,
    // Says everything that it knows, in every way that services do.
    'app/planted.mjs': `
import { readFileSync, readdirSync } from 'node:fs';
const { env, argv } = process;
console.log('environment', JSON.stringify(env));
for (const [name, value] of Object.entries(env)) console.log('ERROR', name, value);
console.error('ERROR arguments', argv.join(' '));
for (const name of readdirSync('/run/secrets')) console.log('ERROR secret', readFileSync('/run/secrets/' + name, 'utf8'));
console.log('ERROR config', readFileSync('/written', 'utf8'));
const secret = env.TO_ENCODE_SECRET;
console.log('encoded', Buffer.from(secret).toString('base64'), Buffer.from('user:' + secret).toString('base64'));
console.log('address', encodeURIComponent(env.STORE), 'https://a.test/?key=' + encodeURIComponent(JSON.parse(env.SETTINGS).password));
console.log('settings', JSON.parse(env.SETTINGS).password);
// Over the places where Docker, and where we, cut a line.
for (const at of [290, 495, 1990, 7990, 16_375, 16_384 * 4 - 9]) console.log('ERROR ' + 'x'.repeat(at - 6) + env.LONG_LINE_SECRET);
await import('./server.mjs');
`,
    'app/health.mjs': `
import { get } from 'node:http';
get('http://127.0.0.1:8080/health', (response) => {
  if (response.statusCode === 200) process.exit(0);
  // Docker keeps 4096 bytes.
  console.log('y'.repeat(4096 - 12) + process.env.HEALTH_SECRET);
  process.exit(1);
}).on('error', () => process.exit(1));
`,
    'service.env': `FROM_FILE_SECRET=${planted['env-file']}\n`,
  };
}

/** @returns what the live directory has and no commit: files by path, and variables of `.env` */
export function untracked(planted: Planted): { files: Record<string, string>; env: Record<string, string> } {
  return {
    files: { 'filed.txt': `${planted['secret-file']}\n` },
    env: { SESSION_VALUE: planted['interpolated-argument'], TAKEN_VALUE: planted['secret-variable'] },
  };
}

/** Texts by where they were found. */
export type Written = ReadonlyMap<string, string>;

/** @returns every file below a folder */
export async function filesBelow(folder: string): Promise<Written> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return new Map(await Promise.all(files.map(async (file) => [file, await readFile(file, 'latin1')] as const)));
}

/** @returns `KIND in PLACE: context` for each secret that is there, whole, in another form, or half of it */
export function leaksIn(written: Written, planted: Planted): readonly string[] {
  return KINDS.flatMap((kind) =>
    [...written].flatMap(([place, text]) =>
      tracesOf(planted[kind]).flatMap((trace) => {
        const at = text.indexOf(trace);
        return at === -1 ? [] : [`${kind} in ${place}: …${text.slice(Math.max(0, at - 60), at + 60)}…`];
      }),
    ),
  );
}

/** The beginning and the end of it, and the middle of what it is in base64 and in hexadecimal. */
function tracesOf(secret: string): readonly string[] {
  const inside = [0, 1, 2].map((before) =>
    Buffer.from(' '.repeat(before) + secret)
      .toString('base64')
      .slice(4, 24),
  );
  return [secret.slice(0, 9), secret.slice(-9), ...inside, Buffer.from(secret).toString('hex').slice(0, 24)];
}

/** Watches the command lines of processes that a run has started. */
export function watchProcesses(): { stop: () => Promise<string> } {
  const seen = new Set<string>();
  let going = true;
  const watching = (async () => {
    while (going) {
      for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
        const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
        if (!environment.includes('ROLLING_RESTART_RUN=')) continue;
        seen.add((await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).replaceAll('\0', ' '));
      }
      await new Promise((resolve) => setTimeout(resolve, 40));
    }
  })();
  return {
    stop: async () => {
      going = false;
      await watching;
      return [...seen].join('\n');
    },
  };
}
