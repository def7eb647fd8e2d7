import { findHolder } from '../port-holder.js';
import type { Finding } from './finding.js';

/** Words of the engine when a port of the host cannot be had. */
const TAKEN = /port is already allocated|address already in use|Ports are not available/i;

/** Runbook, Container Won't Start: `netstat -tuln | grep 3000`, with the name of who has it. Nobody is ended here. */
export const portConflict: Finding = {
  name: 'port',
  async look({ session, failure, definition, service }) {
    const said = [failure.message, ...failure.excerpt.flatMap(({ lines }) => lines)].join('\n');
    if (!TAKEN.test(said)) return undefined;
    const ports = definition.ports.flatMap(({ published }) =>
      /^\d+$/.test(published ?? '') ? [Number(published)] : [],
    );
    for (const port of ports) {
      const found = await findHolder(session, port, service);
      if (found === undefined) continue;
      const remedy = found.kind === 'stays' ? found.why : 'remedies: free-port ends it';
      return `Port ${port} of the host is taken by ${found.words}: end that, or publish another port (${remedy}).`;
    }
    return `A port that it publishes (${ports.join(', ')}) was taken when it started, and is free now.`;
  },
};
