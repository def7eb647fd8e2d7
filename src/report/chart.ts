import type { Chart } from '../model/report.js';

/**
 * A chart as Mermaid, which GitHub draws in a summary; where it does not, the text is still the numbers in order. They
 * stand in a table as well (https://mermaid.js.org/syntax/xyChart.html).
 */
export function renderChart({ title, unit, points }: Chart): string {
  const values = points.map(({ value }) => Math.round(value * 100) / 100);
  const top = Math.max(...values, 0);
  return [
    '```mermaid',
    'xychart-beta',
    `  title "${plain(title)}"`,
    // Several runs may be of one day: the axis needs names that differ.
    `  x-axis [${points.map(({ at }, index) => `"${index + 1}: ${plain(at.slice(5, 10))}"`).join(', ')}]`,
    `  y-axis "${plain(unit)}" 0 --> ${top === 0 ? 1 : Math.ceil(top * 1.1 * 100) / 100}`,
    `  line [${values.join(', ')}]`,
    '```',
  ].join('\n');
}

/** A quotation mark would end the text, and there is no way to write one inside. */
function plain(text: string): string {
  return text.replaceAll(/[^\w .,:()%-]/g, ' ');
}
