/**
 * Stand-ins for what git does not track: a commit that nobody has merged is rendered with the names of the host's variables
 * and without their values.
 */

const LINE = /^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=(.*)$/;
/** A port, a number of replicas, a switch: Compose wants to read something into them, and they are no secrets. */
const PLAIN = /^(?:\d{1,5}|true|false|)$/;

/** @returns what stands for a value: itself where it is a small number, a switch or one of Compose's own settings, else a word made of the name */
export function standIn(name: string, value: string): string {
  const bare = value.trim().replace(/^(["'])(.*)\1$/, '$2');
  return PLAIN.test(bare) || name.startsWith('COMPOSE_') ? bare : `value-of-${name.toLowerCase().replaceAll('_', '-')}`;
}

/** @returns a file of variables with stand-ins for their values; undefined for a file that is none */
export function standInFile(text: string): string | undefined {
  const lines: string[] = [];
  for (const line of text.split('\n')) {
    if (line.trim() === '' || line.trimStart().startsWith('#')) continue;
    const [, name, value] = LINE.exec(line) ?? [];
    if (name === undefined || value === undefined) return undefined;
    lines.push(`${name}=${standIn(name, value)}`);
  }
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}
