// Owns the table of trades: filters, order and page are in the address, so that a view of it can be kept and shared. Pages come
// from the server one by one, each after the last row of the one before, so that it does not matter how many there are.

import { download, get, rows } from '../api.js';
import { card, h, put, table } from '../dom.js';
import * as f from '../format.js';
import { Page } from '../page.js';
import { state, zone } from '../state.js';

const PAGE = 100;
const ORDER = '-timestamp_entry';

const signed = (name, write) => (row) => h('span', { class: f.tone(row[name]) }, write(row[name]));

/** A column: its name in the table, its title, how it is shown. */
const COLUMNS = [
  ['timestamp_entry', 'Entered', (row) => f.time(row.timestamp_entry, zone())],
  ['trade_id', 'Trade', (row) => h('a', { href: `#/trade/${encodeURIComponent(row.trade_id)}`, 'data-key': `trade:${row.trade_id}`, class: 'row-link' }, row.trade_id)],
  ['symbol', 'Symbol', (row) => row.symbol],
  ['trade_type', 'Side', (row) => row.trade_type],
  ['strategy_used', 'Strategy', (row) => f.words(row.strategy_used)],
  ['regime_at_entry', 'Regime', (row) => f.words(row.regime_at_entry)],
  ['position_size', 'Size', (row) => f.quantity(row.position_size), true],
  ['entry_price', 'Entry', (row) => f.price(row.entry_price), true],
  ['exit_price', 'Exit', (row) => f.price(row.exit_price), true],
  ['pl_amount_net', 'Net', signed('pl_amount_net', f.signedMoney), true],
  ['result_r', 'R', signed('result_r', f.inR), true],
  ['mae', 'MAE', (row) => f.price(row.mae), true],
  ['mfe', 'MFE', (row) => f.price(row.mfe), true],
  ['holding_duration_minutes', 'Held', (row) => f.duration(row.holding_duration_minutes), true],
  ['exit_reason', 'Exit by', (row) => f.words(row.exit_reason)],
  ['mental_state_pre_trade', 'Mood', (row) => (row.mental_state_pre_trade === null ? '' : `${row.mental_state_pre_trade}/5`), true],
  ['rule_breaks', 'Rules', (row) => (row.rule_breaks > 0 ? h('b', { class: 'alarm' }, `▲ ${row.rule_breaks}`) : ''), true],
  ['status', 'State', (row) => [row.status, ' ', row.corrections > 0 && h('span', { class: 'badge', title: `${row.corrections} corrections` }, 'corrected')]],
  ['account_id', 'Account', (row) => row.account_id],
];

const SHOWN = [...COLUMNS.map(([name]) => name), 'corrections'].join(',');

/** The filters: name of the parameter, title, and the dimension that knows the values. */
const CHOICES = [['symbol', 'Symbol', 'symbol'], ['strategy_used', 'Strategy', 'strategy'], ['regime_at_entry', 'Regime', 'regime'], ['exit_reason', 'Exit by', 'exit_reason']];
const FIXED = [
  ['trade_type', 'Side', [['Long', 'long'], ['Short', 'short']]],
  ['win_loss', 'Result', [['Win', 'won'], ['Loss', 'lost'], ['Breakeven', 'even']]],
  ['status', 'State', [['closed', 'closed'], ['open', 'open'], ['voided', 'voided']]],
  ['rule_breaks.gt', 'Rules', [['0', 'broken']]],
  ['corrections.gt', 'Corrections', [['0', 'corrected']]],
];
const RANGES = [['from', 'From', 'date'], ['to', 'To', 'date'], ['result_r.gte', 'R from', 'number'], ['result_r.lte', 'R to', 'number']];
const KNOWN = [...CHOICES.map(([name]) => name), ...FIXED.map(([name]) => name), ...RANGES.map(([name]) => name), 'search', 'sort'];

/** What the address asks for, without what no filter is. */
function asked(query) {
  const params = {};
  for (const name of KNOWN) if (query.get(name)) params[name] = query.get(name);
  return params;
}

function go(params) {
  const text = new URLSearchParams(Object.entries(params).filter(([, value]) => value)).toString();
  location.hash = `#/trades${text ? `?${text}` : ''}`;
}

/** A word that the search takes as it is, whatever signs it has. */
const quoted = (text) => text.split(/\s+/).filter(Boolean).map((word) => `"${word.replaceAll('"', '""')}"`).join(' ');

function question(params) {
  const account = state.account === null ? {} : { account_id: state.account };
  const search = params.search && state.asOf === null ? quoted(params.search) : undefined;
  return { sort: ORDER, ...params, ...account, search };
}

function selector(name, title, options, params, change) {
  const all = [['', 'all'], ...options];
  // A value that came with the address and that no trade has is still shown as what is asked for.
  if (params[name] && !all.some(([value]) => value === params[name])) all.push([params[name], params[name]]);
  const select = h('select', { name, on: { change: (event) => change(name, event.target.value) } }, all.map(([value, text]) => h('option', { value }, text)));
  select.value = params[name] ?? '';
  return h('label', {}, title, select);
}

function filters(params, values, change) {
  const input = (name, title, type) => h('label', {}, title, h('input', { name, type, step: 'any', value: params[name] ?? '', on: { change: (event) => change(name, event.target.value) } }));
  const search = h('label', { class: 'search' }, 'Search', h('input', {
    name: 'search', type: 'search', id: 'search', value: params.search ?? '', placeholder: state.asOf === null ? 'words of notes, ids, tags' : 'only in the present', disabled: state.asOf !== null,
    on: { change: (event) => change('search', event.target.value) },
  }));
  return [search, CHOICES.map(([name, title, dimension]) => selector(name, title, (values.get(dimension) ?? []).map((value) => [value, f.words(value)]), params, change)),
    FIXED.map(([name, title, options]) => selector(name, title, options, params, change)), RANGES.map(([name, title, type]) => input(name, title, type)),
    h('button', { type: 'button', 'data-key': 'clear', disabled: Object.keys(params).every((name) => name === 'sort'), on: { click: () => go({}) } }, 'Clear')];
}

function headed(params) {
  const [by, descending] = (params.sort ?? ORDER).startsWith('-') ? [(params.sort ?? ORDER).slice(1), true] : [params.sort, false];
  return COLUMNS.map(([name, title, cell, number]) => ({
    name, number, cell,
    title: h('button', {
      type: 'button', class: 'sort', 'data-key': `sort:${name}`,
      on: { click: () => go({ ...params, sort: by === name && descending ? name : `-${name}` }) },
    }, title, h('span', { 'aria-hidden': 'true' }, by === name ? (descending ? ' ↓' : ' ↑') : '')),
    sorted: by === name ? (descending ? 'descending' : 'ascending') : null,
  }));
}

/** The page of all trades. */
export function trades(query) {
  const params = asked(query);
  const { section, body, tools, note } = card('Trades', { id: 'trades', wide: true });
  const bar = h('form', { class: 'filters', 'aria-label': 'Filters', on: { submit: (event) => event.preventDefault() } });
  const pager = h('nav', { class: 'pager', 'aria-label': 'Pages' });
  const holder = h('div', {});
  body.append(bar, holder, pager);
  /** Where each page begins; the first has no beginning. */
  const starts = [null];
  const part = { section, from: ['trades'], load };
  const change = (name, value) => go({ ...params, [name]: value });
  const save = async () => {
    const [button] = tools.children;
    button.disabled = true;
    try {
      await download('trades', question(params), 'trades.csv');
    } catch (error) {
      note.textContent = `The export failed: ${error.message}`;
    }
    button.disabled = false;
  };
  tools.append(h('button', { type: 'button', id: 'export', title: 'Every trade found, with every column', on: { click: save } }, 'Export as CSV'));

  function turn(by) {
    if (by > 0 ? !part.next : starts.length === 1) return;
    if (by > 0) starts.push(part.next);
    else starts.pop();
    part.again();
  }
  function draw(found) {
    part.next = found.next;
    const before = (starts.length - 1) * PAGE;
    const columns = headed(params);
    const drawn = table(columns, found.rows, { caption: 'Trades', empty: 'No trade is like that.' });
    drawn.querySelectorAll('th').forEach((th, at) => columns[at].sorted && th.setAttribute('aria-sort', columns[at].sorted));
    put(holder, drawn);
    note.textContent = found.rows.length === 0 ? '' : `${f.count(before + 1)} to ${f.count(before + found.rows.length)}${found.next ? '' : ` of ${f.count(before + found.rows.length)}`}`;
    put(pager,
      h('button', { type: 'button', 'data-key': 'page:before', id: 'page-before', disabled: starts.length === 1, on: { click: () => turn(-1) } }, '← Before'),
      h('button', { type: 'button', 'data-key': 'page:after', id: 'page-after', disabled: !found.next, on: { click: () => turn(1) } }, 'Next →'));
  }
  let values = null;
  async function load(signal) {
    if (values === null) {
      const found = await rows('performance_breakdown', { account_id: '*', columns: 'dimension,value', limit: 10_000 }, { signal });
      values = Map.groupBy(found, (row) => row.dimension);
      for (const [dimension, list] of values) values.set(dimension, list.map((row) => row.value).filter((value) => value !== 'none'));
      put(bar, filters(params, values, change));
    }
    const found = await get('trades', { ...question(params), columns: SHOWN, limit: PAGE, after: starts.at(-1) }, { signal });
    draw(found);
  }
  const page = new Page([part], { title: 'Trades' });
  part.again = () => page.reload(part);
  page.turn = turn;
  // Search knows the present alone.
  page.isOfItsTime = true;
  page.save = save;
  return page;
}
