/** A variable that has to be in a service's containers: the proof that a changed configuration is applied. */
export interface EnvironmentCheck {
  /** Undefined: every service that is changed. */
  readonly service: string | undefined;
  readonly name: string;
  /** Undefined: what the compose file gives it, or any value where the file says nothing. */
  readonly value: string | undefined;
}

/** @returns the checks that are for a service */
export function checksOf(checks: readonly EnvironmentCheck[], service: string): readonly EnvironmentCheck[] {
  return checks.filter((check) => check.service === undefined || check.service === service);
}

/**
 * Reads `NAME`, `NAME=value` or either with `SERVICE:` before it. The name of a variable has no `:`, a value may.
 * @returns undefined when it is none of these
 */
export function parseEnvironmentCheck(line: string): EnvironmentCheck | undefined {
  const match = /^(?:([a-zA-Z0-9._-]+):)?([A-Za-z_][\w.-]*)(?:=(.*))?$/s.exec(line.trim());
  if (match?.[2] === undefined) return undefined;
  return { service: match[1], name: match[2], value: match[3] };
}

/**
 * @param inside the variables in a container
 * @param wanted what the compose file gives them
 * @returns one sentence for each check that does not hold. No value is in it: any may be a secret.
 */
export function environmentProblems(
  checks: readonly EnvironmentCheck[],
  inside: Readonly<Record<string, string>>,
  wanted: Readonly<Record<string, string | null>>,
): readonly string[] {
  return checks.flatMap(({ name, value }) => {
    const found = inside[name];
    if (found === undefined) return [`${name} is not set`];
    const expected = value ?? wanted[name] ?? undefined;
    if (expected === undefined || expected === found) return [];
    return [value === undefined ? `${name} is not what the compose file says` : `${name} has another value`];
  });
}
