/** A time of the week in which nothing is to be restarted, by the clock on the wall of a time zone. */
export interface PeakWindow {
  /** 0 is Sunday. The days on which it begins. */
  readonly days: ReadonlySet<number>;
  /** Minutes since midnight. An end that is not after the beginning is on the next day. */
  readonly fromMinute: number;
  readonly toMinute: number;
  /** IANA name. */
  readonly zone: string;
  /** As it was written. */
  readonly text: string;
}

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'] as const;
const FORM = /^(?<days>[A-Za-z,-]+)\s+(?<from>\d{1,2}:\d{2})-(?<to>\d{1,2}:\d{2})(?:\s+(?<zone>\S+))?$/;

/** @param text such as `Mon-Fri 09:00-18:00 Europe/Berlin`; without a zone UTC */
export function parsePeakHours(text: string): PeakWindow | { readonly problem: string } {
  const groups = FORM.exec(text.trim())?.groups;
  if (groups === undefined) return { problem: `"${text}" is not of the form Mon-Fri 09:00-18:00 Europe/Berlin` };
  const { days: dayText = '', from = '', to = '', zone = 'UTC' } = groups;
  const days = parseDays(dayText);
  if (days === undefined) return { problem: `"${dayText}" names no days; write Mon-Fri, Sat,Sun or daily` };
  const [fromMinute, toMinute] = [minuteOf(from), minuteOf(to)];
  if (fromMinute === undefined || toMinute === undefined) return { problem: `"${from}-${to}" are no times of a day` };
  if (fromMinute === toMinute) return { problem: `${from}-${to} begins and ends at the same time` };
  if (!isZone(zone)) return { problem: `"${zone}" is no time zone; write one such as Europe/Berlin` };
  return { days, fromMinute, toMinute, zone, text: text.trim() };
}

/** @returns the first window that the moment is in */
export function peakAt(windows: readonly PeakWindow[], moment: Date): PeakWindow | undefined {
  return windows.find((window) => isIn(window, moment));
}

function isIn({ days, fromMinute, toMinute, zone }: PeakWindow, moment: Date): boolean {
  const { day, minute } = wallClock(moment, zone);
  const today = days.has(day);
  if (fromMinute < toMinute) return today && minute >= fromMinute && minute < toMinute;
  const yesterday = days.has((day + 6) % 7);
  return (today && minute >= fromMinute) || (yesterday && minute < toMinute);
}

/** What a clock on the wall there shows: summer time is in it, since nobody works by UTC. */
function wallClock(moment: Date, zone: string): { readonly day: number; readonly minute: number } {
  const parts = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  }).formatToParts(moment);
  const part = (type: string): string => parts.find((one) => one.type === type)?.value ?? '';
  return {
    day: DAYS.findIndex((name) => name === part('weekday')),
    minute: Number(part('hour')) * 60 + Number(part('minute')),
  };
}

function parseDays(text: string): ReadonlySet<number> | undefined {
  if (/^daily$/i.test(text)) return new Set([0, 1, 2, 3, 4, 5, 6]);
  const found = new Set<number>();
  for (const part of text.split(',')) {
    const [first = '', last = first, more] = part.split('-');
    const [from, to] = [dayOf(first), dayOf(last)];
    if (from === undefined || to === undefined || more !== undefined) return undefined;
    for (let day = from; ; day = (day + 1) % 7) {
      found.add(day);
      if (day === to) break;
    }
  }
  return found;
}

function dayOf(text: string): number | undefined {
  const index = DAYS.findIndex((day) => day.toLowerCase() === text.toLowerCase());
  return index === -1 ? undefined : index;
}

/** 24:00 is the end of a day. */
function minuteOf(text: string): number | undefined {
  const [hour = Number.NaN, minute = Number.NaN] = text.split(':').map(Number);
  const valid = minute < 60 && (hour < 24 || (hour === 24 && minute === 0));
  return valid ? hour * 60 + minute : undefined;
}

function isZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}
