/** The managed edge of a test's project, driven directly. */
import { randomBytes } from 'node:crypto';
import { createCompose } from '../../src/engine/compose.js';
import type { DockerEngine } from '../../src/engine/engine.js';
import type { EdgePort, EdgeSpec } from '../../src/model/edge.js';
import type { Edges } from '../../src/model/ports/edge.js';
import type { Router, RouteTarget } from '../../src/model/ports/router.js';
import { createEdges } from '../../src/routers/edge/edges.js';
import { openEdge } from '../../src/routers/edge/router.js';
import type { EdgeTools } from '../../src/routers/edge/containers.js';
import { docker, testEngine } from './engine-containers.js';
import type { Project } from './project.js';

export const EDGE_IMAGE = process.env['ROLLING_RESTART_TEST_EDGE_IMAGE'] ?? 'rolling-restart-edge:haproxy';

export interface EdgeBench {
  readonly engine: DockerEngine;
  readonly edges: Edges;
  readonly tools: EdgeTools;
  router(service: string): Promise<Router>;
  spec(service: string, ports: readonly Partial<EdgePort>[], aliases?: readonly string[]): EdgeSpec;
  /**
   * A container beside those that Compose made of the service: the same image and network, no published port, no name of
   * the service. What a strategy starts.
   */
  beside(service: string, version: string, environment?: Readonly<Record<string, string>>): Promise<string>;
  target(container: string, weight?: number): Promise<RouteTarget>;
  /** Makes the edge and gives it the published ports, with its containers as targets: no redirect, no take-over left. */
  installed(spec: EdgeSpec, containers: readonly string[]): Promise<void>;
  cleanup(): Promise<void>;
}

export const never = new AbortController().signal;

export async function makeEdgeBench(project: Project): Promise<EdgeBench> {
  const engine = await testEngine();
  const compose = createCompose({ environment: process.env, debug: () => undefined });
  const tools: EdgeTools = { engine, own: engine.own, compose };
  const edges = createEdges(tools);
  const services = new Set<string>();
  const bench: EdgeBench = {
    engine,
    edges,
    tools,
    router: (service) => openEdge(tools, { project: project.name, service }),
    spec(service, ports, aliases = []) {
      services.add(service);
      return {
        project: project.name,
        service,
        image: EDGE_IMAGE,
        networks: [{ name: `${project.name}_default`, aliases }],
        ports: ports.map((port) => ({
          target: 8080,
          published: String(project.port),
          hostIp: undefined,
          mode: 'http',
          proxyProtocol: false,
          ...port,
        })),
      };
    },
    async beside(service, version, environment = {}) {
      const image = await docker(
        'inspect',
        '--format',
        '{{.Config.Image}}',
        (await project.containerIds(service))[0] ?? '',
      );
      const labels = [
        '--label',
        `com.docker.compose.project=${project.name}`,
        '--label',
        'com.docker.compose.oneoff=False',
      ];
      const env = Object.entries(environment).flatMap(([name, value]) => ['--env', `${name}=${value}`]);
      const name = `${project.name}-${service}-${randomBytes(3).toString('hex')}`;
      const release = JSON.stringify({ version, chaos: '' });
      const command = ['sh', '-c', 'echo "$0" > release.json; exec node server.mjs', release];
      const network = ['--network', `${project.name}_default`];
      return docker('run', '-d', '--name', name, ...network, ...labels, ...env, image, ...command);
    },
    async target(container, weight = 100) {
      const observed = await engine.container(container);
      if (observed === undefined) throw new Error(`no container ${container}`);
      return { container: observed, weight };
    },
    async installed(spec, containers) {
      const targets = await Promise.all(containers.map((one) => bench.target(one)));
      await edges.install(spec, targets, never);
      await edges.open(spec.project, spec.service, never);
      await edges.endTakeover(spec.project, spec.service, 1_000, never);
    },
    async cleanup() {
      for (const service of services) await edges.remove(project.name, service);
    },
  };
  return bench;
}
