import { stripControls } from '../model/printable.js';
import { shortened } from '../model/shortened.js';

/** Nobody reads more of one line of a log. */
const LONGEST_LINE = 8_000;

/**
 * Text of others (logs, commands, file names) made safe to print where the runner reads along.
 * It is redacted before, since long lines are cut here.
 *
 * The runner takes a line that begins with `::` after white space, or that holds `##[` anywhere, for a command to itself
 * (actions/runner, ActionCommand.TryParseV2 and TryParse): a container's log could set outputs or mask words.
 */
export function plainLines(text: string): readonly string[] {
  return text.split(/\r\n|[\n\r\u2028\u2029]/).map((line) =>
    shortened(stripControls(line), LONGEST_LINE)
      .replace(/^(\s*):(?=:)/, '$1: ')
      .replaceAll('##[', '## ['),
  );
}
