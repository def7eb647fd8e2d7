import { createCodeHost as create, type CodeHostOptions } from '../../src/github/code-host.js';
import type { CodeHost } from '../../src/model/ports/code-host.js';
import { renderPlanComment } from '../../src/report/plan-comment.js';

/** GitHub as a run has it. */
export function createCodeHost(options: Omit<CodeHostOptions, 'renderPlan'>): CodeHost {
  return create({ renderPlan: renderPlanComment, ...options });
}
