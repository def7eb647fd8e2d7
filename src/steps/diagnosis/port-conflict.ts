import { holderOf } from '../gates/ports.js';
import type { Finding } from './finding.js';

/** Words of the engine when a port of the host cannot be had. */
const TAKEN = /port is already allocated|address already in use|Ports are not available/i;

/** Runbook, Container Won't Start: `netstat -tuln | grep 3000`, with the name of who has it. Nobody is ended for it. */
export const portConflict: Finding = {
  name: 'port',
  async look({ session, failure, definition }) {
    const said = [failure.message, ...failure.excerpt.flatMap(({ lines }) => lines)].join('\n');
    if (!TAKEN.test(said)) return undefined;
    const ports = definition.ports.flatMap(({ published }) =>
      /^\d+$/.test(published ?? '') ? [Number(published)] : [],
    );
    for (const port of ports) {
      const holder = await holderOf(session, port);
      if (holder !== undefined)
        return `Port ${port} of the host is taken by ${holder}: end that, or publish another port.`;
    }
    return `A port that it publishes (${ports.join(', ')}) was taken when it started, and is free now.`;
  },
};
