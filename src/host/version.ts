import { getExecOutput } from '@actions/exec';
import { childEnvironment, type Environment } from './environment.js';

/**
 * Asks a program on the PATH for its version. Short enough for @actions/exec, which can neither be aborted nor given a
 * deadline; whatever may last goes through `runChild`.
 * @returns what it prints, or why it cannot be asked
 */
export async function askVersion(
  command: string,
  args: readonly string[],
  environment: Environment,
): Promise<{ readonly version: string } | { readonly problem: string }> {
  const env = Object.fromEntries(
    Object.entries(childEnvironment(environment)).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value]],
    ),
  ) as Record<string, string>;
  try {
    const result = await getExecOutput(command, [...args], { silent: true, ignoreReturnCode: true, env });
    const [first = ''] = (result.exitCode === 0 ? result.stdout : result.stderr).trim().split('\n');
    return result.exitCode === 0 ? { version: first } : { problem: first };
  } catch (error) {
    return { problem: error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error) };
  }
}
