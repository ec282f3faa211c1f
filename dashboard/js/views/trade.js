// Owns the page of one trade: its figures, its path through the prices, its fills and everything that ever changed it.

import { get, rows } from '../api.js';
import { TradeChart } from '../charts.js';
import { card, choice, h, put, table } from '../dom.js';
import * as f from '../format.js';
import { Page } from '../page.js';
import { zone } from '../state.js';
import { timeline } from './timeline.js';

/** Bars shown at most, and the share of the trade's time that is shown around it. */
const BARS = 2_000;
const AROUND = 0.5;
const AROUND_LEAST = 45 * 60_000;

/** Groups of figures: a title, and for each its name, its column, how it is written. */
const FIGURES = [
  ['Result', [['net', 'pl_amount_net', f.signedMoney, true], ['R', 'result_r', f.inR, true], ['gross', 'pl_amount_gross', f.signedMoney], ['fees', 'fees_paid', f.money], ['of equity', 'pl_percentage', (value) => (value === null ? '–' : `${f.number(value)}\u202f%`)], ['exit by', 'exit_reason', f.words]]],
  ['Plan', [['strategy', 'strategy_used', f.words], ['regime', 'regime_at_entry', f.words], ['signal', 'trade_trigger_signal', f.words], ['risk', 'risk_amount', f.money], ['first stop', 'initial_stop_price', f.price], ['reward : risk', 'risk_reward_ratio', (value) => f.number(value)], ['mood', 'mental_state_pre_trade', (value) => (value === null ? '–' : `${value} of 5`)]]],
  ['Execution', [['size', 'position_size', f.quantity], ['entry', 'entry_price', f.price], ['exit', 'exit_price', f.price], ['MAE', 'mae', f.price], ['MFE', 'mfe', f.price], ['held', 'holding_duration_minutes', f.duration], ['slippage in / out', 'entry_slippage_ticks', (value, row) => `${f.number(value, 1)} / ${f.number(row.exit_slippage_ticks, 1)} ticks`]]],
];

function figures(row) {
  const pair = ([name, column, write, toned]) => [h('dt', {}, name), h('dd', { class: toned ? f.tone(row[column]) : '' }, write(row[column], row) || '–')];
  return h('div', { class: 'columns' }, FIGURES.map(([title, list]) => h('article', {}, h('h3', {}, title), h('dl', { class: 'pairs' }, list.map(pair)))));
}

function list(json) {
  try {
    const found = JSON.parse(json ?? '[]');
    return Array.isArray(found) ? found : [];
  } catch {
    return [];
  }
}

function headline(row) {
  const side = row.trade_type === 'Short' ? 'Short' : 'Long';
  return [h('p', { class: 'headline' }, `${side} ${f.quantity(row.position_size)} ${row.symbol} `, h('span', { class: f.tone(row.pl_amount_net) }, f.signedMoney(row.pl_amount_net)), ' ', h('span', { class: 'beside' }, f.inR(row.result_r))),
    h('p', { class: 'note' }, `${f.wholeTime(row.timestamp_entry, zone())} to ${row.timestamp_exit ? f.wholeTime(row.timestamp_exit, zone()) : 'now'} · ${row.account_id} · ${row.status}`,
      ' ', row.corrections > 0 && h('span', { class: 'badge' }, `corrected ${row.corrections} times`.replace('1 times', 'once')), list(row.tags).map((tag) => [' ', h('span', { class: 'tag' }, String(tag))]))];
}

function facts(id) {
  const { section, body, heading } = card(`Trade ${id}`, { id: 'trade', wide: true });
  return {
    section,
    from: ['trades', 'rule_breaks'],
    async load(signal) {
      const [{ trade }, broken] = await Promise.all([get(`trades/${encodeURIComponent(id)}`, {}, { signal }), rows('rule_breaks', { trade_id: id }, { signal })]);
      heading.textContent = `Trade ${trade.trade_id}`;
      const rules = broken.map((row) => h('li', {}, h('b', { class: 'alarm' }, `▲ ${f.words(row.rule)}`), ` ${row.severity}`, row.detail ? `: ${row.detail}` : ''));
      put(body, headline(trade), figures(trade), rules.length > 0 && h('ul', { class: 'plain-list' }, rules), trade.notes && h('blockquote', {}, trade.notes));
    },
  };
}

/** The steps of a level (the stop, the target) as the history tells them: each holds until the next, the last until the end. */
function steps(history, column, first, end) {
  const changes = history.flatMap((step) => step.changes.filter((change) => change.column === column && change.after !== null).map((change) => ({ timestamp: step.occurred_at, price: change.after })));
  const begun = changes.map((step) => ({ ...step, timestamp: step.timestamp < first ? first : step.timestamp })).filter((step) => step.timestamp <= end);
  return begun.map((step, at) => ({ ...step, until: begun[at + 1]?.timestamp ?? end }));
}

function excursions(trade) {
  const sign = trade.trade_type === 'Short' ? -1 : 1;
  const at = (points, title, colour) => (trade.entry_price === null || points === null ? [] : [{ price: trade.entry_price + sign * points, title, colour }]);
  return [...at(0, 'entry', 'quiet'), ...at(trade.mae === null ? null : -trade.mae, 'MAE', 'down'), ...at(trade.mfe, 'MFE', 'up')];
}

function path(id) {
  const { section, body, tools, note } = card('Price path', { id: 'path', wide: true });
  const holder = h('div', { class: 'chart tall', role: 'img' });
  const key = h('p', { class: 'note' }, '▲ buy, ▼ sell; dashed: the stop as it was moved; dotted: the target; MAE and MFE: how far it went against and for the trade. Hollow candles rise.');
  const said = h('p', { class: 'empty' });
  body.append(said, holder, key);
  let chart;
  let timeframe = null;
  const part = { section, from: ['trades', 'fills', 'market_data'], load, redress: () => chart?.redress(), remove: () => chart?.remove() };
  async function bars(trade, from, to, signal) {
    const around = { symbol: trade.symbol, 'timestamp.gte': from, 'timestamp.lte': to };
    const found = await rows('market_data', { ...around, limit: BARS, columns: 'timestamp,timeframe,open_price,high_price,low_price,close_price' }, { signal });
    const kinds = Map.groupBy(found, (bar) => bar.timeframe);
    if (!kinds.has(timeframe)) timeframe = kinds.has(trade.timeframe) ? trade.timeframe : [...kinds.keys()].sort((a, b) => kinds.get(b).length - kinds.get(a).length)[0] ?? null;
    put(tools, kinds.size > 1 && choice('Timeframe', [...kinds.keys()].map((name) => [name, name]), timeframe, (name) => { timeframe = name; part.again(); }));
    return (kinds.get(timeframe) ?? []).map((bar) => ({ at: Math.floor(Date.parse(bar.timestamp) / 1000), open: bar.open_price, high: bar.high_price, low: bar.low_price, close: bar.close_price }));
  }
  async function load(signal) {
    const trade_id = encodeURIComponent(id);
    const [{ trade }, { steps: history }, fills] = await Promise.all([
      get(`trades/${trade_id}`, {}, { signal }), get(`trades/${trade_id}/history`, {}, { signal }),
      rows('fills', { trade_id: id, 'status.ne': 'busted', sort: 'timestamp', limit: 1000 }, { signal })]);
    if (!trade.timestamp_entry || fills.length === 0) {
      said.textContent = 'It has no fill yet.';
      holder.hidden = key.hidden = true;
      return;
    }
    const end = trade.timestamp_exit ?? fills.at(-1).timestamp;
    const margin = Math.max((Date.parse(end) - Date.parse(trade.timestamp_entry)) * AROUND, AROUND_LEAST);
    const iso = (at) => `${new Date(at).toISOString().slice(0, -1)}000Z`;
    const found = await bars(trade, iso(Date.parse(trade.timestamp_entry) - margin), iso(Date.parse(end) + margin), signal);
    note.textContent = found.length > 0 ? `${trade.symbol}, ${timeframe} bars` : `${trade.symbol}: no bars were recorded, so that only fills are known of the price`;
    said.textContent = '';
    holder.hidden = key.hidden = false;
    holder.setAttribute('aria-label', `Price path: ${fills.map((fill) => `${fill.side} ${f.quantity(fill.quantity)} at ${f.price(fill.price)}, ${f.seconds(fill.timestamp, zone())}`).join('; ')}`);
    const entry = trade.trade_type === 'Short' ? 'sell' : 'buy';
    chart?.remove();
    chart = new TradeChart(holder, {
      bars: found, fills: fills.map((fill) => ({ ...fill, entry: fill.side === entry })), lines: excursions(trade),
      stops: steps(history, 'stop_loss_price', trade.timestamp_entry, end), targets: steps(history, 'take_profit_price', trade.timestamp_entry, end),
    });
  }
  return part;
}

const FILLS = () => [
  { title: 'Time', cell: (row) => f.seconds(row.timestamp, zone()) },
  { title: 'Fill', cell: (row) => row.fill_id },
  { title: 'Side', cell: (row) => row.side },
  { title: 'Quantity', number: true, cell: (row) => f.quantity(row.quantity) },
  { title: 'Price', number: true, cell: (row) => f.price(row.price) },
  { title: 'Fees', number: true, cell: (row) => f.money(row.fees) },
  { title: 'Order', cell: (row) => row.order_type ?? '' },
  { title: 'State', cell: (row) => (row.status === 'live' ? '' : h('span', { class: 'badge' }, row.status)) },
];

function fills(id) {
  const { section, body } = card('Fills', { id: 'fills' });
  return {
    section,
    from: ['fills'],
    async load(signal) {
      const found = await rows('fills', { trade_id: id, sort: 'timestamp', limit: 1000 }, { signal });
      put(body, table(FILLS(), found, { caption: 'Fills', empty: 'It has no fill of its own: what it has is a part of another trade’s.' }));
    },
  };
}

function history(id) {
  const { section, body, note } = card('What happened to it', { id: 'history' });
  return {
    section,
    from: ['trades'],
    async load(signal) {
      const { steps: found } = await get(`trades/${encodeURIComponent(id)}/history`, {}, { signal });
      note.textContent = `${f.count(found.length)} events, from the log itself`;
      put(body, timeline(found, zone()));
    },
  };
}

/** The page of a trade. */
export function trade(id) {
  const parts = [facts(id), path(id), fills(id), history(id)];
  const page = new Page(parts, { title: `Trade ${id}` });
  for (const part of parts) part.again = () => page.reload(part);
  return page;
}
