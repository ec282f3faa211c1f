// Owns the calendar of days: a month with its figures, and the year around it at a glance. Days are trading dates.

import { rowsOfAccount } from '../api.js';
import { card, h, put } from '../dom.js';
import * as f from '../format.js';
import { year } from '../marks.js';
import { moneyNote } from './today.js';

const WEEKDAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];

/** Days of all accounts together, by date. */
function together(rows) {
  const days = new Map();
  for (const row of rows) {
    const day = days.get(row.date) ?? { date: row.date, pl_net: 0, pnl_r: 0, trades_count: 0, rule_breaks: 0 };
    for (const figure of ['pl_net', 'pnl_r', 'trades_count', 'rule_breaks']) day[figure] += row[figure] ?? 0;
    days.set(row.date, day);
  }
  return days;
}

const monthOf = (date) => `${date.slice(0, 7)}-01`;

function moved(month, by) {
  const at = new Date(`${month}T12:00:00Z`);
  at.setUTCMonth(at.getUTCMonth() + by);
  return at.toISOString().slice(0, 10);
}

const weekdayOf = (date) => (new Date(`${date}T12:00:00Z`).getUTCDay() + 6) % 7;

function sum(days) {
  const add = (figure) => days.reduce((total, day) => total + day[figure], 0);
  return { pl_net: add('pl_net'), pnl_r: add('pnl_r'), trades_count: add('trades_count') };
}

function dayCell(date, day, isOutside) {
  const number = h('span', { class: 'date' }, String(Number(date.slice(8))));
  if (!day) return h('td', { class: isOutside ? 'outside' : '' }, number);
  const broken = day.rule_breaks > 0 && h('span', { class: 'alarm', title: `${day.rule_breaks} rules broken` }, `▲${day.rule_breaks}`);
  return h('td', { class: `${isOutside ? 'outside ' : ''}day ${f.tone(day.pl_net)}` },
    h('a', { href: `#/review/${date}`, 'data-key': `day:${date}`, 'aria-label': `${f.day(date)}: ${f.signedMoney(day.pl_net)}, ${f.inR(day.pnl_r)}, ${day.trades_count} trades` },
      number, broken, h('b', {}, f.shortMoney(day.pl_net)), h('small', {}, `${f.inR(day.pnl_r)} · ${day.trades_count}`)));
}

function weekCell(days) {
  if (days.length === 0) return h('td', { class: 'week' });
  const week = sum(days);
  return h('td', { class: 'week' }, h('b', { class: f.tone(week.pl_net) }, f.shortMoney(week.pl_net)), h('small', {}, f.inR(week.pnl_r)));
}

function monthTable(month, days, last) {
  const first = f.addDays(month, -weekdayOf(month));
  const weekend = [...days.keys()].some((date) => weekdayOf(date) > 4);
  const shown = weekend ? 7 : 5;
  const weeks = [];
  for (let monday = first; monday < moved(month, 1) && monday <= last; monday = f.addDays(monday, 7)) {
    const dates = Array.from({ length: 7 }, (_, at) => f.addDays(monday, at));
    const found = dates.map((date) => days.get(date)).filter(Boolean);
    weeks.push(h('tr', {}, dates.slice(0, shown).map((date) => dayCell(date, days.get(date), monthOf(date) !== month)), weekCell(found)));
  }
  return h('table', { class: 'month' }, h('caption', { class: 'hidden' }, `Days of ${f.month(month)}`),
    h('thead', {}, h('tr', {}, WEEKDAYS.slice(0, shown).map((name) => h('th', { scope: 'col' }, name)), h('th', { scope: 'col' }, 'Week'))), h('tbody', {}, weeks));
}

/** The calendar. */
export function calendar() {
  const { section, body, tools, note } = card('Calendar', { id: 'calendar', wide: true });
  let days = new Map();
  let latest = null;
  let month = null;
  const part = { section, from: ['daily_pnl'], load };
  function step(by) {
    month = moved(month ?? monthOf(latest), by);
    part.again();
  }
  function draw() {
    const at = month ?? monthOf(latest);
    const own = [...days.values()].filter((day) => monthOf(day.date) === at);
    const total = sum(own);
    note.textContent = own.length > 0 ? `${f.month(at)}: ${f.signedMoney(total.pl_net)} ${moneyNote()}, ${f.inR(total.pnl_r)}, ${f.count(total.trades_count)} trades on ${own.length} days` : `${f.month(at)}: no trades`;
    put(tools, h('div', { class: 'choice', role: 'group', 'aria-label': 'Month' },
      h('button', { type: 'button', 'data-key': 'month:before', 'aria-label': 'Month before', on: { click: () => step(-1) } }, '‹'),
      h('button', { type: 'button', 'data-key': 'month:last', disabled: month === null, on: { click: () => { month = null; part.again(); } } }, 'Latest'),
      h('button', { type: 'button', 'data-key': 'month:after', 'aria-label': 'Month after', disabled: at >= monthOf(latest), on: { click: () => step(1) } }, '›')));
    const end = month === null ? latest : f.addDays(moved(at, 1), -1);
    const around = h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'The year' }, year(days, end));
    put(body, monthTable(at, days, latest), around);
    // On a narrow screen the end of the year is what is seen first.
    around.scrollLeft = around.scrollWidth;
  }
  async function load(signal) {
    [{ date: latest } = { date: null }] = await rowsOfAccount('daily_pnl', { sort: '-date', limit: 1 }, { signal });
    if (latest === null) {
      note.textContent = '';
      put(body, h('p', { class: 'empty' }, 'No day with a trade yet.'));
      return;
    }
    const last = month === null ? latest : f.addDays(moved(month, 1), 6);
    // A year and what its first week lacks.
    const found = await rowsOfAccount('daily_pnl', { from: f.addDays(last, -380), to: last, limit: 10_000, columns: 'date,account_id,pl_net,pnl_r,trades_count,rule_breaks' }, { signal });
    days = together(found);
    draw();
  }
  return part;
}
