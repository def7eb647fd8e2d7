// eslint-disable-next-line no-control-regex -- control characters are what it looks for
const CONTROLS = /\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])|[\0-\x08\x0b-\x1f\x7f]/g;

/** Escape sequences and control characters out, tabs kept: they move the cursor and hide text. */
export function stripControls(line: string): string {
  return line.replaceAll(CONTROLS, '');
}
