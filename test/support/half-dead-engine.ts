/** The real engine behind a socket that never answers some requests, as one whose container is stuck does. */
import { connect, createServer, type Socket } from 'node:net';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface HalfDeadEngine {
  /** For DOCKER_HOST. */
  readonly host: string;
  /** Requests that got no answer, `METHOD path`. */
  readonly stalled: readonly string[];
  close(): Promise<void>;
}

/**
 * Bytes go through as they come. A client sends a request only when the one before is answered, so each begins a chunk.
 * @param stalls says of a request, `METHOD path` without version and query, whether it gets no answer
 */
export async function halfDeadEngine(stalls: (request: string) => boolean): Promise<HalfDeadEngine> {
  const real = (process.env['DOCKER_HOST'] ?? 'unix:///var/run/docker.sock').replace('unix://', '');
  const folder = await mkdtemp(join(tmpdir(), 'rr-half-dead-'));
  const socketPath = join(folder, 'docker.sock');
  const stalled: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const upstream = connect({ path: real, allowHalfOpen: true });
    let dead = false;
    client.on('data', (chunk: Buffer) => {
      const name = requestIn(chunk);
      if (name !== undefined && stalls(name)) {
        stalled.push(name);
        dead = true;
      }
      if (!dead) upstream.write(chunk);
    });
    client.on('end', () => upstream.end());
    upstream.pipe(client);
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroySoon();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  return {
    host: `unix://${socketPath}`,
    stalled,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function requestIn(chunk: Buffer): string | undefined {
  const match = /^([A-Z]+) (?:\/v\d+\.\d+)?([^ ?]+)[^ ]* HTTP\/1\.1\r\n/.exec(
    chunk.subarray(0, 1_000).toString('latin1'),
  );
  return match === null ? undefined : `${match[1]} ${match[2]}`;
}
