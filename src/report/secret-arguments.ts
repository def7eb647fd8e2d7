import { MASK } from './secret-index.js';
import { isOrdinary, looksSecret, type NamedSecret } from './secret-names.js';

/**
 * Secrets among the arguments of a command, told by the name in front: `--password=x`, `--password x`, `API_KEY=x`.
 * @returns of each argument where its secret begins, or undefined
 */
function secretsAmong(
  words: readonly string[],
): readonly ({ readonly name: string; readonly from: number } | undefined)[] {
  let flag: string | undefined;
  return words.map((word) => {
    const before = flag;
    flag = undefined;
    if (before !== undefined && !word.startsWith('-')) return { name: before, from: 0 };
    const [, name = '', value] = /^['"]?-{0,2}([A-Za-z][\w.-]*)(?:=(.*))?$/s.exec(word) ?? [];
    if (!looksSecret(name)) return undefined;
    if (value === undefined) {
      if (word.startsWith('-')) flag = name;
      return undefined;
    }
    return isOrdinary(name, value) ? undefined : { name, from: word.indexOf('=') + 1 };
  });
}

/** @returns the secrets of a command line, with the flag's or the variable's name */
export function argumentSecrets(words: readonly string[]): readonly NamedSecret[] {
  return secretsAmong(words).flatMap((found, index) => {
    const value = found === undefined ? '' : unquoted((words[index] ?? '').slice(found.from));
    return found === undefined || value === '' ? [] : [{ name: found.name, value }];
  });
}

/** @returns the arguments without their secrets; of the others, `text` hides what it knows */
export function redactArguments(words: readonly string[], text: (plain: string) => string): readonly string[] {
  const secrets = secretsAmong(words);
  return words.map((word, index) => {
    const found = secrets[index];
    if (found !== undefined) return `${word.slice(0, found.from)}${MASK}`;
    return /\s/.test(word) ? redactCommandLine(word, text) : text(word);
  });
}

/** @returns a line of a process list without secrets */
export function redactCommandLine(line: string, text: (plain: string) => string): string {
  const words = line.split(/\s+/);
  const gaps = line.match(/\s+/g) ?? [];
  return text(
    redactArguments(words, (word) => word)
      .map((word, index) => word + (gaps[index] ?? ''))
      .join(''),
  );
}

function unquoted(word: string): string {
  return word.replace(/^["']|["']$/g, '');
}
