import * as z from 'zod';
import {
  STRATEGY_NAMES,
  type Decision,
  type PlanOf,
  type PlanOfService,
  type ShownOperation,
  type ShownPlan,
} from '../model/plan.js';
import { changesService, compensationOf, describeOperation, operationSchema, type Operation } from './operation.js';
import { strings, text } from './parts.js';

export type ServicePlan = PlanOfService<Operation>;
export type Plan = PlanOf<Operation>;

const decision: z.ZodType<Decision> = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('unchanged'), release: text.optional().transform((value) => value) }),
  z.object({ kind: z.literal('first-deploy') }),
  z.object({ kind: z.literal('change'), reasons: strings, repairs: z.boolean().optional() }),
]);

/** Reads a plan from JSON. */
export const planSchema: z.ZodType<Plan> = z.object({
  procedure: text,
  preparation: z.array(operationSchema),
  services: z.array(
    z.object({
      service: text,
      strategy: z.enum(STRATEGY_NAMES),
      decision,
      diff: strings.optional(),
      notes: strings,
      operations: z.array(operationSchema),
      estimatedDowntimeMs: z
        .number()
        .optional()
        .transform((value) => value),
    }),
  ),
});

/**
 * @param clean takes secrets out of a text
 * @returns the plan as reports show it
 */
export function shownPlan(plan: Plan, clean: (text: string) => string): ShownPlan {
  const shown = (list: readonly Operation[]): readonly ShownOperation[] =>
    list.map((one) => shownOperation(one, clean));
  return {
    ...plan,
    preparation: shown(plan.preparation),
    services: plan.services.map((service) => ({
      ...service,
      decision: cleanDecision(service.decision, clean),
      diff: service.diff?.map(clean),
      notes: service.notes.map(clean),
      operations: shown(service.operations),
    })),
  };
}

/** Commands hold what people wrote. */
function shownOperation(operation: Operation, clean: (text: string) => string): ShownOperation {
  const undo = compensationOf(operation);
  return {
    ...operation,
    ...('command' in operation ? { command: clean(operation.command) } : {}),
    text: clean(describeOperation(operation)),
    changes: changesService(operation),
    undo:
      undo.kind === 'operation'
        ? { kind: 'operation', text: clean(describeOperation(undo.operation)) }
        : { kind: 'none', text: undo.reason },
  };
}

function cleanDecision(decision: Decision, clean: (text: string) => string): Decision {
  return decision.kind === 'change' ? { ...decision, reasons: decision.reasons.map(clean) } : decision;
}
