// Owns the first page: the day and its risk, equity, the calendar, metrics and breakdowns, in this order.

import { get, rowsOfAccount } from '../api.js';
import { EquityChart } from '../charts.js';
import { card, choice, h, put, table } from '../dom.js';
import * as f from '../format.js';
import { band, interval, swing, wilson, breakEven } from '../marks.js';
import { Page } from '../page.js';
import { shownAccounts, state, zone } from '../state.js';
import { calendar } from './calendar.js';
import { moneyNote, notices, positions, restatedNotice, risk, today } from './today.js';

/** What was chosen stays chosen when one comes back to the page. */
const chosen = { unit: 'money', window: 0, dimension: 'strategy' };

function equity() {
  const { section, body, tools, note } = card('Equity and drawdown', { id: 'equity', wide: true });
  const holder = h('div', { class: 'chart', role: 'img' });
  const said = h('p', { class: 'empty' });
  body.append(said, holder);
  let chart;
  let points = [];
  let every = 1;
  const draw = () => {
    put(tools, choice('Unit', [['money', 'Money'], ['r', 'R']], chosen.unit, (unit) => { chosen.unit = unit; draw(); }));
    holder.hidden = points.length === 0;
    said.textContent = points.length === 0 ? 'No trade is closed yet.' : '';
    if (points.length === 0) return;
    chart ??= new EquityChart(holder);
    chart.set(points, chosen.unit);
    const inMoney = chosen.unit === 'money';
    const last = points.at(-1);
    const below = (point) => (inMoney ? f.money(point.drawdown) : f.inR(point.drawdown_r).replace('+', ''));
    const deepest = points.reduce((one, other) => (inMoney ? other.drawdown > one.drawdown : other.drawdown_r > one.drawdown_r) ? other : one);
    // A point that stands for several trades has the deepest drawdown among them, not that of now.
    const now = every === 1 ? `, ${below(last)} below the peak` : '';
    const cash = (point) => point.equity - point.cumulative_net;
    const moved = Math.round((cash(last) - cash(points[0])) * 100) / 100;
    const withCash = inMoney && moved !== 0 ? `; cash moved meanwhile: ${f.signedMoney(moved)}` : '';
    note.textContent = `now ${inMoney ? f.money(last.equity) : f.inR(last.cumulative_r)}${now}; deepest ${below(deepest)}${inMoney ? ` ${moneyNote()}` : ''}${withCash}`;
    holder.setAttribute('aria-label', `Equity over time: ${note.textContent}`);
  };
  return {
    section,
    from: ['daily_pnl'],
    async load(signal) {
      ({ points, every } = await get('equity', { account: state.account, points: 1500 }, { signal }));
      draw();
    },
    redress: () => chart?.redress(),
    remove: () => chart?.remove(),
  };
}

const tile = (label, value, about, tone) => h('div', { class: 'tile', title: about }, h('dt', {}, label), h('dd', { class: tone }, value));

function metricTiles(m) {
  const found = wilson(m);
  const even = breakEven(m);
  const rate = h('div', { class: 'tile rate' }, h('dt', {}, 'win rate'), h('dd', {},
    f.percent(m.win_rate), ' ', h('span', { class: 'beside' }, found ? `${f.percent(found.low)} to ${f.percent(found.high)}` : ''), interval(m, { tall: true }),
    h('p', { class: 'note' }, even === null ? 'The box is what it can be relied on to be, at 95 %.'
      : `The box: what it can be relied on to be, at 95 %. Dotted: even at ${f.percent(even)}, with wins and losses of this size.`)));
  return h('dl', { class: 'tiles' }, rate,
    tile('expectancy', f.inR(m.expected_r), 'Mean result of a trade', f.tone(m.expected_r)),
    tile('profit factor', f.number(m.profit_factor), 'Net won / net lost; 1 is even'),
    tile('average win', f.inR(m.avg_win_r), '', f.tone(m.avg_win_r)),
    tile('average loss', f.inR(m.avg_loss_r), '', f.tone(m.avg_loss_r)),
    tile('payoff', f.number(m.payoff_ratio), 'Average win / average loss, in R'),
    tile('deepest drawdown', f.inR(m.max_drawdown_r).replace('+', ''), 'In R, from a peak'),
    tile('drawdown now', f.inR(m.current_drawdown_r).replace('+', '')),
    tile('costs', m.costs_pct === null ? '–' : `${f.number(m.costs_pct, 1)}\u202f%`, 'Fees / gross moved'),
    tile('SQN', f.number(m.sqn), 'System Quality Number'),
    tile('losing streak', f.count(m.loss_streak), 'The longest run of losses'),
    tile('held', f.duration(m.avg_holding_minutes), 'Mean'),
    tile('slippage', m.slippage_ticks_p50 === undefined ? '–' : `${f.number(m.slippage_ticks_p50, 1)} / ${f.number(m.slippage_ticks_p90, 1)}`, 'Ticks of a trade, median and 90th percentile'));
}

function metrics() {
  const { section, body, tools, note } = card('Metrics', { id: 'metrics' });
  const part = { section, from: ['performance_metrics', 'trades'], load };
  function windows() {
    const given = shownAccounts().flatMap((row) => { try { return JSON.parse(row.metrics_windows ?? '[]'); } catch { return []; } });
    return [...new Set([...given.filter((size) => size > 0), chosen.window].filter((size) => size > 0))].sort((a, b) => a - b);
  }
  async function load(signal) {
    const options = [...windows().map((size) => [size, `last ${size}`]), [0, 'all']];
    put(tools, choice('Window', options, chosen.window, (size) => { chosen.window = size; part.again(); }));
    const found = await get('metrics', { window: chosen.window, account: state.account }, { signal });
    const figures = found.metrics.find((row) => row.account_id === (state.account ?? '*'));
    note.textContent = figures?.total_trades ? `of ${f.count(figures.total_trades)} closed trades` : '';
    put(body, figures?.total_trades ? metricTiles(figures) : h('p', { class: 'empty' }, 'No trade is closed yet.'));
  }
  return part;
}

const DIMENSIONS = [['strategy', 'Strategy'], ['regime', 'Regime'], ['hour', 'Hour'], ['weekday', 'Weekday'], ['mental_state', 'Mood'], ['rule_broken', 'Rule broken'], ['symbol', 'Symbol'], ['exit_reason', 'Exit']];

/** Whether the order of the values says more than what they come to. */
const IN_ORDER = ['hour', 'weekday', 'mental_state'];

function valueName(dimension, value) {
  if (value === 'none') return h('span', { class: 'quiet' }, { rule_broken: 'by the book', mental_state: 'not rated' }[dimension] ?? 'none');
  if (dimension === 'mental_state') return `${value} of 5`;
  if (dimension === 'hour') return `${value.padStart(2, '0')}:00`;
  return f.words(value);
}

function breakdownColumns(dimension, most) {
  return [
    { title: DIMENSIONS.find(([name]) => name === dimension)[1], cell: (row) => valueName(dimension, row.value) },
    { title: 'Trades', number: true, cell: (row) => f.count(row.total_trades) },
    { title: 'Win rate', number: true, cell: (row) => f.percent(row.win_rate, 0) },
    { title: 'at 95 %', about: "Wilson's interval; dotted: even", cell: (row) => interval(row) },
    { title: 'R a trade', number: true, cell: (row) => h('span', { class: f.tone(row.expected_r) }, f.inR(row.expected_r)) },
    { title: 'R in all', number: true, cell: (row) => h('span', { class: f.tone(row.sum_r) }, f.inR(row.sum_r)) },
    { title: 'Net', number: true, cell: (row) => h('span', { class: f.tone(row.net) }, f.signedMoney(row.net)) },
    { title: '', cell: (row) => swing(row.net, most) },
  ];
}

function breakdown() {
  const { section, body, tools, note } = card('What pays, and what it costs', { id: 'breakdown', wide: true });
  const part = { section, from: ['performance_breakdown'], load };
  async function load(signal) {
    const { dimension } = chosen;
    put(tools, choice('By', DIMENSIONS, dimension, (name) => { chosen.dimension = name; part.again(); }));
    const { metrics: found } = await get('metrics', { by: dimension, account: state.account }, { signal });
    const sorted = IN_ORDER.includes(dimension) ? found : [...found].sort((a, b) => b.net - a.net);
    if (dimension === 'hour') sorted.sort((a, b) => Number(a.value) - Number(b.value));
    const most = Math.max(0, ...found.map((row) => Math.abs(row.net)));
    note.textContent = dimension === 'rule_broken' ? 'a trade that broke two rules counts under each' : dimension === 'hour' ? 'of entry, by the account’s clock' : '';
    put(body, table(breakdownColumns(dimension, most), sorted, { caption: `Metrics by ${f.words(dimension)}`, empty: 'No trade is closed yet.' }));
  }
  return part;
}

const RECENT = () => [
  { title: 'Closed', cell: (row) => f.time(row.timestamp_exit, zone()) },
  { title: 'Trade', cell: (row) => h('a', { href: `#/trade/${encodeURIComponent(row.trade_id)}`, 'data-key': `recent:${row.trade_id}` }, row.trade_id) },
  { title: 'Symbol', cell: (row) => `${row.symbol} ${row.trade_type === 'Short' ? 'short' : 'long'}` },
  { title: 'Strategy', cell: (row) => f.words(row.strategy_used) },
  { title: 'Net', number: true, cell: (row) => h('span', { class: f.tone(row.pl_amount_net) }, f.signedMoney(row.pl_amount_net)) },
  { title: 'R', number: true, cell: (row) => h('span', { class: f.tone(row.result_r) }, f.inR(row.result_r)) },
  { title: 'Rules', number: true, cell: (row) => (row.rule_breaks > 0 ? h('b', { class: 'alarm' }, `▲ ${row.rule_breaks}`) : '') },
];

function recent() {
  const { section, body, tools } = card('Latest trades', { id: 'recent' });
  tools.append(h('a', { href: '#/trades' }, 'All trades'));
  return {
    section,
    from: ['trades'],
    async load(signal) {
      const found = await rowsOfAccount('trades', { status: 'closed', sort: '-timestamp_exit', limit: 8 }, { signal });
      put(body, table(RECENT(), found, { caption: 'Latest trades', empty: 'No trade is closed yet.' }));
    },
  };
}

function states() {
  const { section, body, tools } = card('System state', { id: 'states', wide: true });
  tools.append(h('a', { href: '#/system' }, 'Timeline'));
  return {
    section,
    from: ['system_state'],
    async load(signal) {
      const found = await rowsOfAccount('system_state', { sort: '-state_id', limit: 40 }, { signal });
      const latest = [...new Map([...found].reverse().map((row) => [row.account_id, row])).values()];
      const now = latest.map((row) => h('li', {}, h('b', {}, f.words(row.system_state)), ` ${row.account_id}: ${f.words(row.current_regime) || 'no regime'}, ${f.words(row.active_strategy) || 'no strategy'}`,
        h('span', { class: 'when' }, ` since ${f.time(row.timestamp, zone())}`)));
      put(body, found.length === 0 ? h('p', { class: 'empty' }, 'No state was recorded yet.') : [h('ul', { class: 'states' }, now), band(found.reverse(), zone())]);
    },
  };
}

/** The first page. */
export function overview() {
  const parts = [notices(), restatedNotice(), today(), risk(), positions(), equity(), calendar(), metrics(), recent(), breakdown(), states()];
  const page = new Page(parts, { title: 'Overview', className: 'overview' });
  // A part whose options were changed by hand is read anew, and the others are left alone.
  for (const part of parts) part.again = () => page.reload(part);
  return page;
}
