import { randomInt } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createCompose } from '../../../src/engine/compose.js';
import { resolveEndpoint } from '../../../src/engine/endpoint.js';
import { createDockerEngine } from '../../../src/engine/engine.js';
import { createClock } from '../../../src/host/clock.js';
import { environment } from '../compose-files.js';
import { BASE_IMAGE, docker, makeSandbox, testEngine } from '../engine-containers.js';
import { halfDeadEngine, type HalfDeadEngine } from '../half-dead-engine.js';
import { HEALTH_CHECK, type Behavior } from '../memory/behavior.js';
import { removeFromEngine } from '../project.js';
import type { EngineSubject } from './subject.js';

/** What a container does, by the variables of its image. It prints when it has set up what it does at a signal. */
const ACT = `#!/bin/sh
rm -f /act/ready
if [ -n "$READY_AFTER" ]; then (sleep "$READY_AFTER"; : > /act/ready) & fi
if [ -n "$IGNORES_SIGTERM" ]; then trap '' TERM; else trap 'exit 0' TERM; fi
if [ -f /act/prints ]; then cat /act/prints; fi
if [ -n "$ENDS_AFTER" ]; then sleep "$ENDS_AFTER" & wait $!; exit "$ENDS_WITH"; fi
while :; do sleep 3600 & wait $!; done
`;

/** A project on the engine that the Docker CLI talks to. */
export async function dockerSubject(): Promise<EngineSubject> {
  const { name: project } = makeSandbox();
  const directory = await mkdtemp(join(tmpdir(), `${project}-`));
  const proxies: HalfDeadEngine[] = [];
  let images = 0;
  const engineAt = async (host: string) =>
    createDockerEngine(await resolveEndpoint({ ...process.env, DOCKER_HOST: host }, homedir()), () => undefined);

  return {
    engine: await testEngine(),
    compose: createCompose({ environment, debug: () => undefined }),
    clock: createClock(),
    project,
    directory,
    port: randomInt(20_000, 30_000),
    async image(behavior, name) {
      images += 1;
      const tag = name ?? `${project}-image-${images}:latest`;
      const folder = await mkdtemp(join(tmpdir(), `${project}-image-`));
      try {
        await writeContext(folder, behavior);
        await docker('build', '--quiet', '--tag', tag, '--label', `rolling-restart.project=${project}`, folder);
      } finally {
        await rm(folder, { recursive: true });
      }
      return tag;
    },
    outside: {
      pause: async (id) => {
        await docker('pause', id);
      },
      unpause: async (id) => {
        await docker('unpause', id);
      },
      removeVolume: async (name) => {
        await docker('volume', 'rm', name);
      },
      oneOff(service, image) {
        const labels = { project, service, 'container-number': '1', oneoff: 'True' };
        const flags = Object.entries(labels).flatMap(([key, value]) => [
          '--label',
          `com.docker.compose.${key}=${value}`,
        ]);
        return docker('create', '--name', `${project}-${service}-run-1`, ...flags, image);
      },
    },
    async unanswered(from) {
      if (from === 'nobody listens') return engineAt(`unix://${directory}/nobody.sock`);
      let requests = 0;
      // The first call asks for the version before.
      const proxy = await halfDeadEngine(() => from === 'start' || (requests += 1) > 2);
      proxies.push(proxy);
      return engineAt(proxy.host);
    },
    async cleanup() {
      for (const proxy of proxies) await proxy.close();
      await removeFromEngine(project);
      await rm(directory, { recursive: true });
    },
  };
}

async function writeContext(folder: string, behavior: Behavior): Promise<void> {
  const { readyAfterMs, ends, ignoresSigterm, prints, programs = {}, volumes = [], files = {}, build } = behavior;
  const put = async (path: string, text: string, mode = 0o644): Promise<void> => {
    await mkdir(dirname(join(folder, 'root', path)), { recursive: true });
    await writeFile(join(folder, 'root', path), text, { mode });
  };
  await put('/act/act', ACT, 0o755);
  if (prints !== undefined) await put('/act/prints', prints.map((line) => `${line}\n`).join(''));
  for (const [path, text] of Object.entries(files)) await put(path, text);
  for (const [name, { code, output, takesMs }] of Object.entries(programs)) {
    const lines = [
      '#!/bin/sh',
      ...(takesMs === undefined ? [] : [`sleep ${takesMs / 1_000}`]),
      ...(output === undefined ? [] : [`echo '${output}'`]),
      `exit ${code}`,
    ];
    await put(`/usr/local/bin/${name}`, `${lines.join('\n')}\n`, 0o755);
  }
  const variables = {
    READY_AFTER: typeof readyAfterMs === 'number' ? readyAfterMs / 1_000 : undefined,
    ENDS_AFTER: ends && ends.afterMs / 1_000,
    ENDS_WITH: ends?.code,
    IGNORES_SIGTERM: ignoresSigterm && 1,
  };
  const { intervalMs, timeoutMs, retries } = HEALTH_CHECK;
  const check = `--interval=${intervalMs}ms --timeout=${timeoutMs}ms --retries=${retries} CMD test -e /act/ready`;
  const lines = [
    `FROM ${BASE_IMAGE}`,
    'COPY root /',
    ...Object.entries(variables).flatMap(([key, value]) => (value === undefined ? [] : [`ENV ${key}=${value}`])),
    ...(build === undefined ? [] : [`ENV BUILD=${build}`]),
    ...(readyAfterMs === undefined ? [] : [`HEALTHCHECK ${check}`]),
    ...volumes.map((path) => `VOLUME ${path}`),
    'CMD ["/act/act"]',
  ];
  await writeFile(join(folder, 'Dockerfile'), `${lines.join('\n')}\n`);
}
