/** The runner's protocol, as the small programs beside the workflows need it. */
import { appendFileSync } from 'node:fs';

export const input = (name) => (process.env[`INPUT_${name.toUpperCase()}`] ?? '').trim();

/** Values are JSON or one word, so none has more than one line. */
export const output = (name, value) => appendFileSync(process.env.GITHUB_OUTPUT, `${name}=${value}\n`);

export const summary = (markdown) => appendFileSync(process.env.GITHUB_STEP_SUMMARY, markdown);

/**
 * https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands: `%` and line ends are escaped.
 *
 * @param {'error' | 'warning'} level
 * @param {string} title
 * @param {string} message
 */
export function annotate(level, title, message) {
  const escaped = message.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
  console.log(`::${level} title=${title}::${escaped}`);
}
