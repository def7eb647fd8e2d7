/**
 * What the runner gives an action's own process and no child of it has a use for: inputs (a token among them), saved
 * state, and the runner's own credentials. A `run:` step does not get these either.
 */
const ACTION_ONLY = /^(INPUT_|STATE_|ACTIONS_RUNTIME_|ACTIONS_RESULTS_URL$|ACTIONS_CACHE_URL$)/i;

export type Environment = Readonly<Record<string, string | undefined>>;

/** @returns the environment a child process gets: ours without what is the action's alone, and with `more` */
export function childEnvironment(own: Environment, more: Environment = {}): NodeJS.ProcessEnv {
  const kept = Object.entries(own).filter(([name]) => !ACTION_ONLY.test(name));
  return { ...Object.fromEntries(kept), ...more };
}
