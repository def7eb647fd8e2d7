import { ProcedureError } from '../model/errors.js';
import { allSucceeded } from '../model/job.js';
import type { StrategyName } from '../model/plan.js';
import { ROUTER_ABILITIES } from '../model/router.js';
import { blueGreen } from './blue-green.js';
import { canary } from './canary.js';
import { hold } from './hold.js';
import { obstacles, type Obstacle, type ServiceFacts } from './obstacles.js';
import { recreate } from './recreate.js';
import { rolling } from './rolling.js';
import type { Strategy } from './strategy.js';

/** Every strategy there is; a new one is one file and one line here. */
export const STRATEGIES: Readonly<Record<StrategyName, Strategy>> = {
  recreate,
  hold,
  rolling,
  'blue-green': blueGreen,
  canary,
};

/** A whole second set is dear for more containers than this: `auto` rolls them. */
const BLUE_GREEN_UP_TO = 2;

const JOB = 'Job: it runs once, and it is replaced in place, since it serves no requests.';
const NOT_RUN_AGAIN = 'Job: its earlier release becomes live again, and is not run again.';
const NONE_WANTED = 'Zero replicas are wanted: its containers are stopped and removed.';

export interface Choice {
  readonly strategy: Strategy;
  /** Why it is this one, and what would make a better one possible; one sentence each. */
  readonly notes: readonly string[];
}

/**
 * `auto` takes the best way that is possible with what is there, and never holds requests or installs anything.
 * A job, and what gets no container, serves no requests: whatever is asked for, it is replaced in place.
 * @param asked by the input or the compose file; its word does away with obstacles that are only a matter of knowing
 * @throws ProcedureError E_GATE when what was asked for is not possible, E_WOULD_LOSE when it would lose something
 */
export function chooseStrategy(asked: 'auto' | StrategyName, facts: ServiceFacts, replicas: number): Choice {
  const { lifetime, observed, definition } = facts;
  if (replicas === 0) return { strategy: recreate, notes: [definition.replicas === 0 ? NONE_WANTED : NOT_RUN_AGAIN] };
  if (lifetime === 'ends') return { strategy: recreate, notes: [JOB] };
  const found = obstacles(facts);
  if (asked === 'recreate') return { strategy: recreate, notes: [] };
  if (observed.length === 0 || allSucceeded(lifetime, observed)) return { strategy: recreate, notes: [] };
  if (asked === 'auto') return chooseBest(found, facts, replicas);
  const standing = asked === 'hold' ? forHold(found) : found.filter(({ hard, declarable }) => hard || declarable);
  const lacking = lackingAbility(asked, facts);
  if (standing.length > 0 || lacking !== undefined) {
    throw notPossible(asked, facts.definition.name, standing, lacking);
  }
  const told = found
    .filter((obstacle) => !standing.includes(obstacle))
    .map(({ why }) => `Asked for all the same: ${why}.`);
  return { strategy: STRATEGIES[asked], notes: asked === 'hold' ? [] : told };
}

function chooseBest(found: readonly Obstacle[], facts: ServiceFacts, replicas: number): Choice {
  if (found.length > 0) {
    return {
      strategy: recreate,
      notes: found.map(({ why, change }) => `No change without an outage, because ${why}. To change that: ${change}.`),
    };
  }
  const { update } = facts.definition;
  const said = update.parallelism !== undefined || update.order !== undefined || update.delayMs !== undefined;
  const whole = replicas <= BLUE_GREEN_UP_TO && !said && ROUTER_ABILITIES[facts.router.kind].controlled;
  return { strategy: whole ? blueGreen : rolling, notes: [] };
}

/** Holding is for what may run only once; but what makes copying impossible makes holding impossible too. */
function forHold(found: readonly Obstacle[]): readonly Obstacle[] {
  return found.filter(({ hard }) => hard);
}

function lackingAbility(asked: StrategyName, { router }: ServiceFacts): string | undefined {
  const abilities = ROUTER_ABILITIES[router.kind];
  if (asked === 'hold' && !abilities.holds) return `router ${router.kind} cannot hold requests; router: edge can`;
  if (asked === 'canary' && !abilities.weights) return `router ${router.kind} cannot give a share of the requests`;
  if (asked === 'blue-green' && !abilities.controlled) {
    return `router ${router.kind} does not switch when it is told to; use rolling`;
  }
  return undefined;
}

function notPossible(
  asked: StrategyName,
  service: string,
  standing: readonly Obstacle[],
  lacking: string | undefined,
): ProcedureError {
  const reasons = [...(lacking === undefined ? [] : [lacking]), ...standing.map(({ why }) => why)];
  const changes = standing.map(({ change }) => change);
  const code = standing.some(({ loses }) => loses) ? 'E_WOULD_LOSE' : 'E_GATE';
  return new ProcedureError(code, `strategy ${asked} is not possible for ${service}: ${reasons.join('; ')}`, {
    next: `${changes.length === 0 ? '' : `To change that: ${changes.join('; ')}. `}Or use strategy: auto. Nothing was changed.`,
  });
}
