// Owns the review of a day, after the close: what it came to, its trades in order, rules broken, notes, and whether it has
// been restated since.

import { get, rowsOfAccount } from '../api.js';
import { card, h, put, table } from '../dom.js';
import * as f from '../format.js';
import { swing } from '../marks.js';
import { Page } from '../page.js';
import { state, zone } from '../state.js';
import { restated } from './restated.js';

const figure = (label, value, tone) => h('div', { class: 'figure' }, h('dt', {}, label), h('dd', { class: tone }, value));

function summary(date) {
  const { section, body, tools, heading, note } = card(f.day(date), { id: 'day', wide: true });
  heading.textContent = f.day(date);
  return {
    section,
    from: ['daily_pnl'],
    async load(signal) {
      const near = (params) => rowsOfAccount('daily_pnl', { limit: 1, columns: 'date', ...params }, { signal });
      const [days, [before], [after]] = await Promise.all([
        rowsOfAccount('daily_pnl', { date }, { signal }), near({ 'date.lt': date, sort: '-date' }), near({ 'date.gt': date, sort: 'date' })]);
      put(tools, before && h('a', { href: `#/review/${before.date}`, id: 'day-before', 'data-key': 'before' }, `← ${f.shortDay(before.date)}`),
        after && h('a', { href: `#/review/${after.date}`, id: 'day-after', 'data-key': 'after' }, `${f.shortDay(after.date)} →`));
      note.textContent = days.length > 0 ? 'a trading date: money by when it was realised' : '';
      const one = (day) => h('article', { class: 'today' }, h('h3', {}, day.account_id),
        h('p', { class: `headline ${f.tone(day.pl_net)}` }, f.signedMoney(day.pl_net), ' ', h('span', { class: 'beside' }, f.inR(day.pnl_r))),
        h('dl', { class: 'figures' }, figure('trades', f.count(day.trades_count)), figure('won / lost', `${day.wins} / ${day.losses}`), figure('fees', f.money(day.fees)),
          figure('rules broken', f.count(day.rule_breaks), day.rule_breaks > 0 ? 'alarm' : ''), figure('equity at the close', f.money(day.equity_close))));
      put(body, days.length > 0 ? h('div', { class: 'columns' }, days.map(one)) : h('p', { class: 'empty' }, 'Nothing was traded on this date.'));
    },
  };
}

const TRADES = (most) => [
  { title: 'Entered', cell: (row) => f.time(row.timestamp_entry, zone()) },
  { title: 'Closed', cell: (row) => f.time(row.timestamp_exit, zone()) },
  { title: 'Trade', cell: (row) => h('a', { href: `#/trade/${encodeURIComponent(row.trade_id)}`, 'data-key': `trade:${row.trade_id}`, class: 'row-link' }, row.trade_id) },
  { title: 'Symbol', cell: (row) => `${row.symbol} ${row.trade_type === 'Short' ? 'short' : 'long'}` },
  { title: 'Strategy', cell: (row) => f.words(row.strategy_used) },
  { title: 'Exit by', cell: (row) => f.words(row.exit_reason) },
  { title: 'Mood', number: true, cell: (row) => (row.mental_state_pre_trade === null ? '' : `${row.mental_state_pre_trade}/5`) },
  { title: 'Rules', number: true, cell: (row) => (row.rule_breaks > 0 ? h('b', { class: 'alarm' }, `▲ ${row.rule_breaks}`) : '') },
  { title: 'Net', number: true, cell: (row) => h('span', { class: f.tone(row.pl_amount_net) }, f.signedMoney(row.pl_amount_net)) },
  { title: 'R', number: true, cell: (row) => h('span', { class: f.tone(row.result_r) }, f.inR(row.result_r)) },
  { title: '', cell: (row) => swing(row.pl_amount_net, most) },
];

function trades(date) {
  const { section, body, note } = card('Its trades', { id: 'day-trades', wide: true });
  return {
    section,
    from: ['trades'],
    async load(signal) {
      const found = await rowsOfAccount('trades', { from: date, to: date, sort: 'timestamp_entry', limit: 1000 }, { signal });
      const counted = found.filter((row) => row.status !== 'voided');
      const most = Math.max(0, ...counted.map((row) => Math.abs(row.pl_amount_net ?? 0)));
      note.textContent = 'those entered on this date';
      put(body, table(TRADES(most), found, { caption: 'Trades of the day', empty: 'No trade was entered on this date.', row: (row) => ({ class: row.status === 'voided' ? 'voided' : null, title: row.status === 'voided' ? 'voided: counts nowhere' : null }) }));
    },
  };
}

function words(date) {
  const { section, body } = card('Rules and notes', { id: 'day-notes' });
  return {
    section,
    from: ['rule_breaks', 'notes'],
    async load(signal) {
      const within = { from: date, to: date, limit: 500 };
      const [broken, notes] = await Promise.all([rowsOfAccount('rule_breaks', within, { signal }), rowsOfAccount('notes', within, { signal })]);
      const link = (row) => row.trade_id && h('a', { href: `#/trade/${encodeURIComponent(row.trade_id)}` }, row.trade_id);
      const rule = (row) => h('li', {}, h('span', { class: 'when' }, `${f.clock(row.timestamp, zone())} `), h('b', { class: 'alarm' }, `▲ ${f.words(row.rule)} `), h('span', { class: 'quiet' }, `${row.severity ?? ''} `), link(row), row.detail && h('p', {}, row.detail));
      const note = (row) => h('li', {}, h('span', { class: 'when' }, `${f.clock(row.timestamp, zone())} `), link(row), h('p', {}, row.text));
      if (broken.length + notes.length === 0) return put(body, h('p', { class: 'empty' }, 'No rule was broken and nothing was noted.'));
      return put(body, h('ul', { class: 'plain-list' }, broken.map(rule)), h('ul', { class: 'plain-list' }, notes.map(note)));
    },
  };
}

function since(date) {
  const { section, body, note } = card('Said then, and now', { id: 'day-restated' });
  return {
    section,
    from: ['daily_pnl'],
    async load(signal) {
      if (state.asOf !== null) return put(body, h('p', { class: 'empty' }, 'You are looking at the past: go back to now to see what was restated since.'));
      const found = await get('restatements', { from: date, to: date, account: state.account, all: true }, { signal, timeless: true });
      const moved = found.days.filter((day) => day.restated && !day.recorded_later).length;
      note.textContent = moved > 0 ? `restated in ${moved} of ${found.days_looked_at} accounts` : '';
      return put(body, restated(found.days, zone()));
    },
  };
}

/** The review of a date. */
export function review(date) {
  return new Page([summary(date), trades(date), words(date), since(date)], { title: f.day(date) });
}
