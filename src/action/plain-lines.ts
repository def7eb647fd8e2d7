import { stripControls } from '../model/printable.js';

/**
 * Text of others (logs, commands, file names) made safe to print where the runner reads along.
 *
 * The runner takes a line that begins with `::` after white space, or that holds `##[` anywhere, for a command to itself
 * (actions/runner, ActionCommand.TryParseV2 and TryParse): a container's log could set outputs or mask words.
 */
export function plainLines(text: string): readonly string[] {
  return text.split(/\r\n|[\n\r\u2028\u2029]/).map((line) =>
    stripControls(line)
      .replace(/^(\s*):(?=:)/, '$1: ')
      .replaceAll('##[', '## ['),
  );
}
