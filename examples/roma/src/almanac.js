/**
 * Entries in the order of the calendar.
 * @param {string} text lines of `MM-DD | year | what happened`
 * @throws when a line is not such a line, with its number
 */
export function parseAlmanac(text) {
  const entries = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const [date, year, what] = line.split('|').map((part) => part.trim());
    if (!isDate(date) || !year || !what) {
      throw new Error(`almanac, line ${index + 1}: expected "MM-DD | year | text": ${line}`);
    }
    entries.push({ date, year, text: what });
  }
  if (entries.length === 0) throw new Error('almanac: no entries');
  return entries.sort((a, b) => a.date.localeCompare(b.date));
}

/** The entries of that day or, where it has none, of the last day before it that has. */
export function onThisDay(entries, date) {
  const last = entries.findLast((entry) => entry.date <= date) ?? entries.at(-1);
  return entries.filter((entry) => entry.date === last.date);
}

/** Whether it is a day of some year, written MM-DD. */
export function isDate(text) {
  if (!/^\d\d-\d\d$/.test(text ?? '')) return false;
  const day = new Date(`2000-${text}T00:00:00Z`); // a leap year: 02-29 is a day
  return !Number.isNaN(day.getTime()) && day.toISOString().slice(5, 10) === text;
}
