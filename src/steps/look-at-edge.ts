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
  const serving = await servedBy(viewing, service, edge);
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
  return [...problemsOf(service, edge, containers), ...(upgrade === undefined ? [] : [edgeUpgradeNote(upgrade)])];
}

/** What it cannot say, `servingOf` in `serving.ts` complains of. */
async function servedBy(
  { routers, project, progress }: Viewing,
  service: string,
  { open, takeover }: EdgeState,
): Promise<readonly string[]> {
  if (!open && !takeover) return [];
  try {
    const router = await routers.open({ kind: 'edge' }, { project, service });
    return (await router.serving()) ?? [];
  } catch (error) {
    progress.debug(`edge of ${service}: ${asProcedureError(error).message}`);
    return [];
  }
}

function problemsOf(service: string, edge: EdgeState, containers: readonly ObservedContainer[]): readonly string[] {
  // A person's `docker compose up --force-recreate`, or `up` with a changed file, makes containers that want the port.
  const wanting = containers.filter(({ state, hostPorts }) => state === 'created' || hostPorts.length > 0);
  if (wanting.length === 0 || !edge.open) return [];
  const ports = edge.spec.ports.map(({ published }) => published).join(', ');
  return [
    `${wanting.map(({ name }) => name).join(', ')} was made by plain docker compose and wants port ${ports}, which the edge of ${service} has: procedure config-change puts it behind the edge; eject gives the port back`,
  ];
}
