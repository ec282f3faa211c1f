// Owns how figures, times and names are written. What is not known is a dash, never 0; a sign is always written where up and
// down matter, so that colour says nothing by itself.

const DASH = '–';
const MINUS = '\u2212';

const cache = new Map();

function formatter(kind, options) {
  const key = JSON.stringify([kind.name, options]);
  if (!cache.has(key)) cache.set(key, new kind('en-US', options));
  return cache.get(key);
}

const isKnown = (value) => typeof value === 'number' && Number.isFinite(value);

function written(value, digits, signed, least = digits) {
  if (!isKnown(value)) return DASH;
  const format = formatter(Intl.NumberFormat, { minimumFractionDigits: least, maximumFractionDigits: digits });
  const text = format.format(Math.abs(value));
  const isZero = !/[1-9]/.test(text);
  if (value < 0 && !isZero) return MINUS + text;
  return signed && !isZero ? `+${text}` : text;
}

export const money = (value) => written(value, 2, false);
export const signedMoney = (value) => written(value, 2, true);
export const shortMoney = (value) => (Math.abs(value ?? 0) >= 10_000
  ? `${written(value / 1000, 1, true)}k` : written(value, 0, true));
export const number = (value, digits = 2) => written(value, digits, false);
export const count = (value) => written(value, 0, false);
export const price = (value) => written(value, 6, false, 2);
export const quantity = (value) => written(value, 8, false, 0);
export const inR = (value) => (isKnown(value) ? `${written(value, 2, true)}\u202fR` : DASH);
export const percent = (share, digits = 1) => (isKnown(share) ? `${written(share * 100, digits, false)}\u202f%` : DASH);

/** The class of a figure's direction; what is written as 0 has none. */
export const tone = (value) => (!isKnown(value) || Math.abs(value) < 0.005 ? '' : value > 0 ? 'up' : 'down');

export const words = (name) => (name ?? '').replaceAll('_', ' ');

export function duration(minutes) {
  if (!isKnown(minutes)) return DASH;
  if (minutes < 1) return `${Math.round(minutes * 60)}\u202fs`;
  if (minutes < 90) return `${written(minutes, minutes < 10 ? 1 : 0, false, 0)}\u202fmin`;
  if (minutes < 48 * 60) return `${written(minutes / 60, 1, false, 0)}\u202fh`;
  return `${written(minutes / 1440, 1, false, 0)}\u202fd`;
}

const moment = (iso) => new Date(iso);

function parts(iso, zone, options) {
  if (!iso) return DASH;
  return formatter(Intl.DateTimeFormat, { timeZone: zone, hourCycle: 'h23', ...options }).format(moment(iso));
}

/** 14:31 */
export const clock = (iso, zone) => parts(iso, zone, { hour: '2-digit', minute: '2-digit' });
/** 14:31:07 */
export const seconds = (iso, zone) => parts(iso, zone, { hour: '2-digit', minute: '2-digit', second: '2-digit' });
/** Mar 2, 14:31 */
export const time = (iso, zone) => parts(iso, zone, { month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit' });
/** Mar 2, 2026, 14:31:07 */
export const wholeTime = (iso, zone) => parts(iso, zone,
  { year: 'numeric', month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', second: '2-digit' });

/** Fri, Mar 6, 2026: of a trading date, which has no zone. */
export const day = (date) => parts(`${date}T12:00:00Z`, 'UTC', { weekday: 'short', month: 'short', day: 'numeric', year: 'numeric' });
export const shortDay = (date) => parts(`${date}T12:00:00Z`, 'UTC', { weekday: 'short', month: 'short', day: 'numeric' });
export const month = (date) => parts(`${date}T12:00:00Z`, 'UTC', { month: 'long', year: 'numeric' });

/** The date a number of days later. */
export function addDays(date, days) {
  const at = moment(`${date}T12:00:00Z`);
  at.setUTCDate(at.getUTCDate() + days);
  return at.toISOString().slice(0, 10);
}

/** What clocks in a zone show at a moment: [year, month, day, hour, minute, second]. */
export function civil(at, zone) {
  const options = { timeZone: zone, year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric', hourCycle: 'h23' };
  const found = Object.fromEntries(formatter(Intl.DateTimeFormat, options).formatToParts(at).map((part) => [part.type, Number(part.value)]));
  return [found.year, found.month, found.day, found.hour, found.minute, found.second];
}

const two = (value) => String(value).padStart(2, '0');

/** The trading date of a moment: the local date, and from when the day rolls on the next. */
export function tradingDate(at, zone, rolls) {
  const [year, month, day, hour, minute] = civil(at, zone);
  const date = `${year}-${two(month)}-${two(day)}`;
  return rolls && rolls !== '00:00' && `${two(hour)}:${two(minute)}` >= rolls ? addDays(date, 1) : date;
}

const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;

/** A value of any column. */
export function plain(value, zone = 'UTC') {
  if (value === null || value === undefined) return DASH;
  if (typeof value === 'number') return written(value, 8, false, 0);
  return MOMENT.test(value) ? wholeTime(value, zone) : String(value);
}
