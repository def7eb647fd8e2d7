import type { Checklist, RunReport } from '../../src/model/report.js';

type Item = Checklist['items'][number];

/** @returns an item of the runbook's checklists in a report; it rejects a text that none has */
export function ticked({ checklists }: RunReport, text: string): Item {
  const found = checklists.flatMap(({ items }) => items).find((item) => item.text === text);
  if (found === undefined) throw new Error(`no checklist has "${text}"`);
  return found;
}
