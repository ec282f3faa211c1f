// Owns the small pictures that no chart library is needed for: intervals, bars, a calendar of days, a band of states. Plain
// SVG and HTML; each says in words what it shows to who cannot see it.

import { h, s } from './dom.js';
import * as f from './format.js';

const Z = 1.959963984540054;

/** Wilson's interval at 95 %: the bound below is the journal's, the one above mirrors it in the interval's middle. */
export function wilson(figures) {
  const { total_trades: n, win_rate: rate, win_rate_wilson_lb: low } = figures;
  if (!n || rate === null || low === null) return null;
  const middle = (rate + Z * Z / (2 * n)) / (1 + Z * Z / n);
  return { low, rate, high: Math.min(2 * middle - low, 1) };
}

/** The win rate at which wins and losses of the usual size come to nothing. */
export function breakEven({ avg_win_r: win, avg_loss_r: loss }) {
  return win === null || loss === null || win - loss === 0 ? null : -loss / (win - loss);
}

/** An interval on a scale from 0 to 1, with a mark at which it would come to nothing. */
export function interval(figures, { tall = false } = {}) {
  const found = wilson(figures);
  if (!found) return h('span', { class: 'quiet' }, '–');
  const even = breakEven(figures);
  const [width, height] = [200, tall ? 28 : 14];
  const [x, middle] = [(share) => share * width, height / 2];
  const said = `win rate ${f.percent(found.rate)}, at 95 % between ${f.percent(found.low)} and ${f.percent(found.high)}`
    + (even === null ? '' : `; even at ${f.percent(even)}`);
  return s('svg', { class: 'interval', viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: 'none', role: 'img', 'aria-label': said },
    s('title', {}, said),
    s('line', { class: 'scale', x1: 0, x2: width, y1: middle, y2: middle }),
    s('rect', { class: 'span', x: x(found.low), width: x(found.high - found.low), y: middle - (tall ? 6 : 3), height: tall ? 12 : 6, rx: 2 }),
    s('line', { class: 'point', x1: x(found.rate), x2: x(found.rate), y1: tall ? 4 : 1, y2: height - (tall ? 4 : 1) }),
    even !== null && s('line', { class: 'even', x1: x(even), x2: x(even), y1: 0, y2: height }));
}

/** A bar that goes right from the middle where it is above 0, and left where it is below. */
export function swing(value, most) {
  const share = most > 0 && value !== null ? Math.min(Math.abs(value) / most, 1) * 50 : 0;
  return s('svg', { class: `swing ${f.tone(value)}`, viewBox: '0 0 100 10', preserveAspectRatio: 'none', 'aria-hidden': 'true' },
    s('line', { class: 'scale', x1: 50, x2: 50, y1: 0, y2: 10 }),
    s('rect', { x: value < 0 ? 50 - share : 50, width: share, y: 1, height: 8 }));
}

/** How much of a limit is left. Few left is told by words and a shape, too. */
export function gauge({ name, left, of, said, about }) {
  const share = of > 0 ? Math.max(0, Math.min(left / of, 1)) : 0;
  const level = left <= 0 ? 'gone' : share < 0.25 ? 'low' : share < 0.5 ? 'half' : 'fine';
  const word = { gone: 'reached', low: 'little left', half: '', fine: '' }[level];
  return h('div', { class: `gauge ${level}`, title: about },
    h('div', { class: 'gauge-head' }, h('span', {}, name), h('span', { class: 'gauge-left' }, word && h('b', { class: 'flag' }, `${level === 'gone' ? '■' : '▲'} ${word}`), ` ${said}`)),
    h('div', { class: 'track', role: 'meter', 'aria-label': name, 'aria-valuemin': 0, 'aria-valuemax': of, 'aria-valuenow': left, 'aria-valuetext': said },
      h('div', { class: 'fill', style: { width: `${share * 100}%` } })));
}

/** How far a target is. */
export function progress(name, share, said) {
  const drawn = Math.max(0, Math.min(share, 1));
  return h('div', { class: 'gauge target' },
    h('div', { class: 'gauge-head' }, h('span', {}, name), h('span', { class: 'gauge-left' }, said)),
    h('div', { class: 'track', role: 'meter', 'aria-label': name, 'aria-valuemin': 0, 'aria-valuemax': 1, 'aria-valuenow': drawn, 'aria-valuetext': said },
      h('div', { class: 'fill', style: { width: `${drawn * 100}%` } })));
}

const strength = (value, most) => (value === 0 || !most ? 0 : Math.min(4, Math.ceil(Math.abs(value) / most * 4)));

/** A year of days, a column a week: {date: net}. */
export function year(days, last) {
  const weekday = (new Date(`${last}T12:00:00Z`).getUTCDay() + 6) % 7;
  const first = f.addDays(last, -weekday - 52 * 7);
  const most = Math.max(0, ...[...days.values()].map((day) => Math.abs(day.pl_net)));
  const cells = [];
  const months = [];
  for (let at = 0; at < 53 * 7; at += 1) {
    const date = f.addDays(first, at);
    if (date > last) break;
    const [week, row] = [Math.floor(at / 7), at % 7];
    if (row === 0 && date.slice(8) <= '07') months.push(s('text', { x: week * 12, y: 8 }, f.month(date).slice(0, 3)));
    const day = days.get(date);
    const tone = day ? `${f.tone(day.pl_net)} s${strength(day.pl_net, most)}` : 'none';
    const cell = s('rect', { class: `day ${tone}`, x: week * 12, y: 12 + row * 12, width: 10, height: 10, rx: 2 });
    if (day) cell.append(s('title', {}, `${f.day(date)}: ${f.signedMoney(day.pl_net)}, ${f.count(day.trades_count)} trades`));
    cells.push(day ? s('a', { href: `#/review/${date}`, tabindex: '-1' }, cell) : cell);
  }
  return s('svg', { class: 'year', viewBox: '0 0 636 98', role: 'img', 'aria-label': `Days of the year to ${f.day(last)}` }, months, cells);
}

const STATE_ROWS = 22;

/** States over time, a row an account. Rows of system_state, oldest first; shown as evenly as they came. */
export function band(rows, zone) {
  const accounts = [...new Set(rows.map((row) => row.account_id))];
  const names = [...new Set(rows.map((row) => row.system_state))];
  const width = 1000;
  const step = width / Math.max(rows.length, 1);
  const pieces = accounts.flatMap((account, line) => {
    const own = rows.map((row, at) => ({ row, at })).filter(({ row }) => row.account_id === account);
    return own.map(({ row, at }, nth) => {
      const until = own[nth + 1]?.at ?? rows.length;
      const said = `${account}: ${f.words(row.system_state)}, ${f.words(row.current_regime)}, ${f.words(row.active_strategy)} from ${f.time(row.timestamp, zone)}`;
      const kind = `state k${names.indexOf(row.system_state) % 6}`;
      return s('g', { class: kind }, s('title', {}, said),
        s('rect', { x: at * step, width: Math.max((until - at) * step - 1, 1), y: line * STATE_ROWS, height: STATE_ROWS - 4, rx: 2 }));
    });
  });
  const legend = h('ul', { class: 'legend' }, names.map((name, at) => h('li', {}, h('i', { class: `key k${at % 6}` }), f.words(name))));
  const picture = s('svg', { class: 'band', viewBox: `0 0 ${width} ${accounts.length * STATE_ROWS}`, preserveAspectRatio: 'none', role: 'img', 'aria-label': 'States, in the order in which they came' }, pieces);
  picture.style.setProperty('height', `${accounts.length * STATE_ROWS}px`);
  return [h('div', { class: 'band-rows' }, h('ul', { class: 'band-names' }, accounts.map((account) => h('li', {}, account))), picture), legend];
}
