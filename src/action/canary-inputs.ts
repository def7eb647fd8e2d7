import { DEFAULT_CANARY, type CanaryPolicy } from '../model/policy.js';
import type { InputReader } from './input-reader.js';

const ON_INCONCLUSIVE = ['continue', 'rollback', 'fail'] as const;

/** The steps of a canary: percentages that rise to 100. */
export function readCanary(input: InputReader): CanaryPolicy {
  const steps = input.list('canary-steps').map((text) => {
    const match = /^(\d{1,3})\s*%?$/.exec(text);
    return match === null ? Number.NaN : Number(match[1]);
  });
  const rising = steps.every((step, index) => step > 0 && step <= 100 && step > (steps[index - 1] ?? 0));
  if (!rising || steps.length === 0) {
    input.problem('canary-steps', 'has to be percentages that rise, like 10%, 50%, 100%');
  }
  return {
    ...DEFAULT_CANARY,
    steps: steps.at(-1) === 100 ? steps : [...steps, 100],
    pauseMs: input.duration('canary-pause', 1_000) ?? DEFAULT_CANARY.pauseMs,
    onInconclusive: input.choice('on-inconclusive', ON_INCONCLUSIVE) ?? DEFAULT_CANARY.onInconclusive,
  };
}
