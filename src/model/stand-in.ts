/**
 * Stand-ins for what git does not track: a commit that nobody has merged is rendered with the names of the host's variables
 * and without their values.
 */

/** A value that begins with `=` is the padding of something in base 64 or 32, which is no variable. */
const LINE = /^\s*(?:export\s+)?([A-Za-z_][\w.-]*)\s*=(?!=)(.*)$/;
/** Longer ones, and those with letters of both cases, may be what a file with a secret in it looks like. */
const LONGEST_NAME = 60;
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

/**
 * @returns a file of variables with stand-ins for their values; lines that are no variable are left out, since their words are
 * the host's; undefined for a file that has none
 */
export function standInFile(text: string): string | undefined {
  const variables: string[] = [];
  let lines = 0;
  const given = text.split('\n')[Symbol.iterator]();
  for (const line of given) {
    if (line.trim() === '' || line.trimStart().startsWith('#')) continue;
    lines += 1;
    const quote = openQuote(line);
    // The lines of a value in quotes (a key, a certificate) are part of it, whatever they look like, and whoever has it.
    if (quote !== undefined) for (const more of given) if (closes(more, quote)) break;
    const [, name, value] = LINE.exec(line) ?? [];
    if (name === undefined || value === undefined || !isName(name)) continue;
    variables.push(`${name}=${quote === undefined ? standIn(name, value) : wordFor(name)}`);
  }
  if (variables.length === 0) return lines === 0 ? '' : undefined;
  return `${variables.join('\n')}\n`;
}

function isName(name: string): boolean {
  return name.length <= LONGEST_NAME && (name === name.toUpperCase() || name === name.toLowerCase());
}

/** @returns the quote that the value of a line begins with and does not end in it */
function openQuote(line: string): string | undefined {
  const value = line.slice(line.indexOf('=') + 1).trim();
  const quote = value[0];
  return (quote === '"' || quote === "'") && !closes(value.slice(1), quote) ? quote : undefined;
}

/** Within double quotes one with a backslash before it is part of the value. */
function closes(text: string, quote: string): boolean {
  return (quote === '"' ? text.replaceAll(/\\./g, '') : text).includes(quote);
}
