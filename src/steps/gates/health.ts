import { isWell, restOf, restWords, type Lifetime } from '../../model/job.js';
import type { Current } from '../candidate.js';
import type { GateFinding } from './pass-gate.js';

/** An unhealthy service only warns: the update may be its fix. */
export function healthGate(service: string, current: Current, lifetime: Lifetime): GateFinding {
  const rest = restOf(lifetime, current);
  if (rest !== undefined) return { kind: 'pass', detail: `${service} ${restWords(rest)}` };
  if (current.containers.length === 0) return { kind: 'pass', detail: `${service}: nothing runs yet` };
  const bad = current.containers.filter((container) => !isWell(lifetime, container) || container.restartCount > 3);
  if (bad.length === 0) return { kind: 'pass', detail: `${service} runs and is healthy` };
  const words = bad.map((container) => `${container.name} is ${container.state}, health ${container.health}`);
  return { kind: 'warn', detail: `${words.join('; ')}; the change may be its fix` };
}
