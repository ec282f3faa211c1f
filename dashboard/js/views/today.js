// Owns the top of the first page: the day so far, what is left of the limits, what is open, and what should be noticed.

import { get, rows, rowsOfAccount } from '../api.js';
import { card, h, put, table } from '../dom.js';
import * as f from '../format.js';
import { gauge, progress } from '../marks.js';
import { currency, shownAccounts, state, zone } from '../state.js';

const dash = (text) => text ?? '–';

/** The names of the accounts looked at: those that were opened, and those that merely traded. */
function names(days) {
  const known = shownAccounts().map((row) => row.account_id);
  const traded = days.map((row) => row.account_id);
  return [...new Set([...known, ...traded])];
}

function account(name) {
  return state.accounts.find((row) => row.account_id === name);
}

/** Whether a trading date is the one that is going on now. */
function isNow(date, opened) {
  return state.asOf === null && date === f.tradingDate(new Date(), opened?.time_zone ?? 'UTC', opened?.day_rolls_at);
}

function figure(label, value, tone, about) {
  return h('div', { class: 'figure', title: about }, h('dt', {}, label), h('dd', { class: tone }, value));
}

function dayOf(name, days) {
  const [day] = days.filter((row) => row.account_id === name);
  const opened = account(name);
  if (!day) return h('article', { class: 'today' }, h('h3', {}, name), h('p', { class: 'empty' }, 'No day with a trade yet.'));
  const when = isNow(day.date, opened) ? 'today' : `last day, ${f.day(day.date)}`;
  return h('article', { class: 'today' },
    h('h3', {}, name, ' ', h('a', { class: 'when', href: `#/review/${day.date}`, 'data-key': `day:${name}` }, when)),
    h('p', { class: `headline ${f.tone(day.pl_net)}` }, f.signedMoney(day.pl_net), h('small', {}, ` ${opened?.currency ?? ''}`), ' ', h('span', { class: 'beside' }, f.inR(day.pnl_r))),
    h('dl', { class: 'figures' },
      figure('trades', f.count(day.trades_count)),
      figure('won / lost', `${f.count(day.wins)} / ${f.count(day.losses)}`),
      figure('fees', f.money(day.fees)),
      figure('rules broken', f.count(day.rule_breaks), day.rule_breaks > 0 ? 'alarm' : ''),
      figure('equity', f.money(opened?.equity ?? day.equity_close))));
}

/** The day so far, an account a column. */
export function today() {
  const { section, body, heading } = card('The day', { id: 'today' });
  return {
    section,
    from: ['daily_pnl', 'accounts'],
    async load(signal) {
      const days = await rowsOfAccount('daily_pnl', { sort: '-date', limit: 60 }, { signal });
      const shown = names(days);
      heading.textContent = shown.some((name) => isNow(days.find((row) => row.account_id === name)?.date, account(name))) ? 'Today' : 'The last day';
      put(body, h('div', { class: 'columns' }, shown.map((name) => dayOf(name, days))));
    },
  };
}

const isKnown = (value) => value !== null && value !== undefined;

/** What is left of a limit: the column says it, or what `risk_state` says. */
function limits(opened, settings) {
  const said = (left, of) => `${f.money(left)} of ${f.money(of)}`;
  const parts = [];
  const add = (name, left, of, about) => {
    if (isKnown(left) && isKnown(of)) parts.push(gauge({ name, left, of, said: said(left, of), about }));
    else if (isKnown(of)) parts.push(h('p', { class: 'plain' }, `${name}: limit ${f.money(of)}`));
  };
  const daily = opened.daily_loss_limit_remaining ?? numeric(settings.get('daily_loss_limit_remaining'));
  add('Daily loss left', daily, opened.daily_loss_limit, 'The daily loss limit and what was made or lost that date. Reached at 0.');
  add('Weekly loss left', opened.weekly_loss_limit_remaining, opened.weekly_loss_limit, 'From Monday.');
  const floor = isKnown(opened.drawdown_floor) ? `Equity must stay above ${f.money(opened.drawdown_floor)}.` : undefined;
  add('Trailing drawdown left', opened.drawdown_remaining, opened.trailing_drawdown, floor);
  if (isKnown(opened.profit_target_progress)) {
    parts.push(progress('Profit target', opened.profit_target_progress, `${f.percent(opened.profit_target_progress)} of ${f.money(opened.profit_target)}`));
  } else if (isKnown(opened.profit_target)) {
    parts.push(h('p', { class: 'plain' }, `Profit target: ${f.money(opened.profit_target)}`));
  }
  // It matters to a firm's rules alone.
  if (isKnown(opened.best_day_share) && (isKnown(opened.consistency_limit) || isKnown(opened.profit_target))) {
    const limit = isKnown(opened.consistency_limit) ? ` (at most ${f.percent(opened.consistency_limit, 0)})` : '';
    parts.push(h('p', { class: 'plain' }, `Best day: ${f.percent(opened.best_day_share)} of the profit${limit}`));
  }
  return parts;
}

const numeric = (text) => (isKnown(text) && text !== '' && Number.isFinite(Number(text)) ? Number(text) : null);

const DERIVED = ['daily_pnl_r', 'weekly_pnl_r', 'consecutive_red_days', 'daily_loss_limit_remaining'];

function riskOf(opened, settings) {
  const own = [...settings].filter(([key]) => !DERIVED.includes(key));
  const red = numeric(settings.get('consecutive_red_days'));
  const gauges = limits(opened, settings);
  return h('article', { class: 'risk' }, h('h3', {}, opened.account_id, ' ', h('span', { class: 'when' }, opened.kind)),
    gauges.length > 0 ? gauges : h('p', { class: 'plain' }, 'No limit was given for this account.'),
    h('dl', { class: 'figures' },
      figure('red days in a row', red === null ? '–' : f.count(red), red >= 2 ? 'alarm' : '', 'Up to the day before the current one.'),
      figure('this day', f.inR(numeric(settings.get('daily_pnl_r'))), f.tone(numeric(settings.get('daily_pnl_r')))),
      figure('this week', f.inR(numeric(settings.get('weekly_pnl_r'))), f.tone(numeric(settings.get('weekly_pnl_r'))))),
    own.length > 0 && h('details', {}, h('summary', { 'data-key': `risk:${opened.account_id}` }, `Settings (${own.length})`),
      h('dl', { class: 'pairs' }, own.map(([key, value]) => [h('dt', {}, f.words(key)), h('dd', {}, dash(value))]))));
}

/** What is left of the limits. */
export function risk() {
  const { section, body } = card('Risk now', { id: 'risk' });
  return {
    section,
    from: ['risk_state', 'accounts', 'daily_pnl'],
    async load(signal) {
      const found = await rowsOfAccount('risk_state', { limit: 1000 }, { signal });
      const settings = (name) => new Map(found.filter((row) => row.account_id === name).map((row) => [row.key, row.value]));
      // An account that was never opened may have settings all the same.
      const merely = found.map((row) => row.account_id).filter((name) => !account(name));
      const accounts = [...shownAccounts(), ...[...new Set(merely)].map((account_id) => ({ account_id }))];
      put(body, h('div', { class: 'columns' }, accounts.map((opened) => riskOf(opened, settings(opened.account_id)))));
    },
  };
}

const POSITION_COLUMNS = () => [
  { title: 'Trade', cell: (row) => h('a', { href: `#/trade/${encodeURIComponent(row.trade_id)}`, 'data-key': `open:${row.trade_id}` }, row.trade_id) },
  { title: 'Since', cell: (row) => f.time(row.timestamp_entry, zone()) },
  { title: 'Symbol', cell: (row) => row.symbol },
  { title: 'Side', cell: (row) => row.trade_type },
  { title: 'Open', number: true, cell: (row) => f.quantity(row.quantity_open) },
  { title: 'Entry', number: true, cell: (row) => f.price(row.entry_price) },
  { title: 'Stop', number: true, cell: (row) => f.price(row.stop_loss_price) },
  { title: 'Target', number: true, cell: (row) => f.price(row.take_profit_price) },
  { title: 'Risk', number: true, about: 'Initial risk, in money', cell: (row) => f.money(row.risk_amount) },
  { title: 'MAE', number: true, about: 'Largest distance against the position, in points', cell: (row) => f.price(row.mae) },
  { title: 'MFE', number: true, about: 'Largest distance in favour of it, in points', cell: (row) => f.price(row.mfe) },
  { title: 'Realised', number: true, cell: (row) => h('span', { class: f.tone(row.pl_amount_net) }, f.signedMoney(row.pl_amount_net)) },
];

/** What is open. */
export function positions() {
  const { section, body, note } = card('Open positions', { id: 'positions', wide: true });
  return {
    section,
    from: ['trades'],
    async load(signal) {
      const open = await rowsOfAccount('trades', { status: 'open', sort: '-timestamp_entry', limit: 200 }, { signal });
      note.textContent = open.length > 0 ? `${f.count(open.length)}${open.length === 200 ? ' at least' : ''}` : '';
      put(body, table(POSITION_COLUMNS(), open, { caption: 'Open positions', empty: 'Flat: no position is open.' }));
    },
  };
}

function notice(kind, text, link, more) {
  return h('li', { class: `notice ${kind}` }, h('b', {}, `${kind === 'bad' ? '■' : '▲'} `), text, ' ', link && h('a', { href: link }, more));
}

/** What should be noticed: nothing is shown where there is nothing. */
export function notices() {
  const list = h('ul', { class: 'notices' });
  const section = h('section', { class: 'wide', id: 'notices', 'aria-label': 'To be noticed', hidden: true }, list);
  return {
    section,
    from: ['anomalies', 'limit_breaches', 'trades'],
    async load(signal) {
      const [anomalies, breaches, corrected, status] = await Promise.all([
        rows('anomalies', { sort: '-seq', limit: 100 }, { signal }),
        rowsOfAccount('limit_breaches', { sort: '-first_seq', limit: 5 }, { signal }),
        rowsOfAccount('trades', { 'corrections.gt': 0, sort: '-last_seq', limit: 100, columns: 'trade_id,last_seq' }, { signal }),
        get('status', {}, { signal, timeless: true }),
      ]);
      const stopped = status.projections.filter((projection) => projection.stopped);
      const found = [
        ...stopped.map((one) => notice('bad', `The tables of ${one.name} are stopped at position ${one.stopped.at}: ${one.stopped.reason}`, '#/system', 'See')),
        ...breaches.map((row) => notice('bad', `${row.account_id}: ${f.words(row.rule)} reached on ${f.shortDay(row.date)} (${f.signedMoney(row.value)}, limit ${f.signedMoney(row.threshold)})`, `#/review/${row.date}`, 'Review the day')),
        anomalies.length > 0 && notice('odd', `${amount(anomalies, 'anomaly', 'anomalies')} in what was recorded`, '#/system', 'Look at them'),
        corrected.length > 0 && notice('odd', `${amount(corrected, 'trade was', 'trades were')} corrected after the fact`, '#/trades?corrections.gt=0', 'Show'),
      ].filter(Boolean);
      section.hidden = found.length === 0;
      put(list, found);
    },
  };
}

/** How far back restatements are looked for, and how often: the past is put together for each day. */
const DAYS_BACK = 10;
const LOOK_EVERY = 300_000;

/** Whether a day says something else now than when it closed: what somebody who looked at it then must be told. */
export function restatedNotice() {
  const list = h('ul', { class: 'notices' });
  const section = h('section', { class: 'wide', id: 'restated', 'aria-label': 'Restated days', hidden: true }, list);
  let looked = 0;
  return {
    section,
    from: ['daily_pnl'],
    async load(signal) {
      if (state.asOf !== null) {
        section.hidden = true;
        looked = 0;
        return;
      }
      if (Date.now() - looked < LOOK_EVERY) return;
      const [last] = await rowsOfAccount('daily_pnl', { sort: '-date', limit: 1, columns: 'date' }, { signal });
      if (!last) return;
      const asked = { from: f.addDays(last.date, -DAYS_BACK), to: last.date, account: state.account };
      const found = await get('restatements', asked, { signal, timeless: true });
      looked = Date.now();
      const days = found.days.filter((day) => !day.recorded_later);
      section.hidden = days.length === 0;
      put(list, days.map((day) => notice('odd', `${day.account_id}: ${f.shortDay(day.date)} says ${f.signedMoney(day.now?.pl_net ?? null)} now; when it closed it said ${f.signedMoney(day.then?.pl_net ?? null)}`, `#/review/${day.date}`, 'What changed it')));
    },
  };
}

const amount = (list, one, many) => `${list.length}${list.length === 100 ? ' or more' : ''} ${list.length === 1 ? one : many}`;

/** What to say of amounts of several currencies. */
export const moneyNote = () => currency() || (shownAccounts().length > 1 ? 'several currencies, added as they are' : '');
