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

// eslint-disable-next-line no-control-regex -- control characters are what it looks for
const CONTROLS = /\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])|[\0-\x08\x0b-\x1f\x7f]/g;

/** Escape sequences and control characters out, tabs kept: they move the cursor and hide text. */
export function stripControls(line: string): string {
  return line.replaceAll(CONTROLS, '');
}
