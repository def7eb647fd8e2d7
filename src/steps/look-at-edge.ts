import type { EdgeState } from '../model/edge.js';
import { asProcedureError } from '../model/errors.js';
import type { ObservedContainer } from '../model/service.js';
import { edgeUpgradeNote } from '../strategies/edge-upgrade.js';
import type { Viewing } from './session.js';
import { edgeUpgrade } from './traffic-facts.js';

/** What `check` says of a service's managed edge. @returns what a person should look at; nothing where there is no edge */
export async function lookAtEdge(
  viewing: Viewing,
  service: string,
  containers: readonly ObservedContainer[],
): Promise<readonly string[]> {
  const { edges, project } = viewing;
  const edge = await edges.find(project, service);
  if (edge === undefined) return [];
  const { serving, problem } = await servingOf(viewing, service, edge);
  viewing.recorder.findings.push({
    title: `Edge of ${service}`,
    columns: ['Image', 'HAProxy', 'Ports', 'Open', 'Sends requests to'],
    rows: [
      [
        edge.spec.image,
        (await edges.version(project, service)) ?? '–',
        edge.spec.ports.map(({ published, target, mode }) => `${published} → ${target} (${mode})`).join(', '),
        edge.open ? 'yes' : 'no',
        serving.map((id) => containers.find((one) => one.id === id)?.name ?? id.slice(0, 12)).join(', ') || 'nobody',
      ],
    ],
  });
  const upgrade = await edgeUpgrade(viewing, edge);
  return [
    ...(problem === undefined ? [] : [problem]),
    ...problemsOf(service, edge, serving, containers),
    ...(upgrade === undefined ? [] : [edgeUpgradeNote(upgrade)]),
  ];
}

async function servingOf(
  { routers, project }: Viewing,
  service: string,
  { open, takeover }: EdgeState,
): Promise<{ readonly serving: readonly string[]; readonly problem?: string }> {
  if (!open && !takeover) return { serving: [] };
  try {
    const router = await routers.open({ kind: 'edge' }, { project, service });
    return { serving: (await router.serving()) ?? [] };
  } catch (error) {
    return { serving: [], problem: `the edge of ${service} does not answer: ${asProcedureError(error).message}` };
  }
}

function problemsOf(
  service: string,
  edge: EdgeState,
  serving: readonly string[],
  containers: readonly ObservedContainer[],
): readonly string[] {
  const problems: string[] = [];
  const ports = edge.spec.ports.map(({ published }) => published).join(', ');
  if (!edge.open)
    problems.push(
      `the edge of ${service} does not have port ${ports}: nothing listens, or a take-over was cut short; the next run of a procedure repairs it`,
    );
  if (edge.takeover && edge.open)
    problems.push(`what stood in for the edge of ${service} is still there; the next run of a procedure takes it away`);
  // A person's `docker compose up --force-recreate`, or `up` with a changed file, makes containers that want the port.
  const wanting = containers.filter(({ state, hostPorts }) => state === 'created' || hostPorts.length > 0);
  if (wanting.length > 0 && edge.open) {
    problems.push(
      `${wanting.map(({ name }) => name).join(', ')} was made by plain docker compose and wants port ${ports}, which the edge of ${service} has: procedure config-change puts it behind the edge; eject gives the port back`,
    );
  }
  const running = containers.filter(({ state }) => state === 'running');
  const idle = running.filter(({ id }) => !serving.includes(id));
  if (edge.open && idle.length > 0) {
    problems.push(`the edge of ${service} sends no request to ${idle.map(({ name }) => name).join(', ')}`);
  }
  return problems;
}
