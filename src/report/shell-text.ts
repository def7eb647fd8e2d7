import { stripControls } from '../model/printable.js';
import type { Finding } from '../model/finding.js';
import { columns } from './text.js';

/** What a shell command found, for a person to read. */
export function renderShellResult(result: {
  readonly headline: string;
  readonly tables: readonly Finding[];
  readonly nextSteps: readonly string[];
}): string {
  const lines = [result.headline];
  for (const { title, columns: titles, rows } of result.tables) lines.push('', title, ...columns([titles, ...rows]));
  if (result.nextSteps.length > 0) {
    lines.push('', 'What to do next', ...result.nextSteps.map((step, index) => `  ${index + 1}. ${step}`));
  }
  return lines.map(stripControls).join('\n');
}
