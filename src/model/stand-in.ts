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
  return PLAIN.test(bare) || name.startsWith('COMPOSE_') ? bare : wordFor(name);
}

function wordFor(name: string): string {
  return `value-of-${name.toLowerCase().replaceAll('_', '-')}`;
}

/** @returns a file of variables with stand-ins for their values; undefined for a file that is none */
export function standInFile(text: string): string | undefined {
  const lines: string[] = [];
  const given = text.split('\n')[Symbol.iterator]();
  for (const line of given) {
    if (line.trim() === '' || line.trimStart().startsWith('#')) continue;
    const [, name, value] = LINE.exec(line) ?? [];
    if (name === undefined || value === undefined) return undefined;
    const quote = openQuote(value.trim());
    // The lines of a value in quotes (a key, a certificate) are part of it, whatever they look like.
    if (quote !== undefined) for (const more of given) if (closes(more, quote)) break;
    lines.push(`${name}=${quote === undefined ? standIn(name, value) : wordFor(name)}`);
  }
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}

/** @returns the quote that a value begins with and does not end in the same line */
function openQuote(value: string): string | undefined {
  const quote = value[0];
  return (quote === '"' || quote === "'") && !closes(value.slice(1), quote) ? quote : undefined;
}

/** Within double quotes one with a backslash before it is part of the value. */
function closes(text: string, quote: string): boolean {
  return (quote === '"' ? text.replaceAll(/\\./g, '') : text).includes(quote);
}
