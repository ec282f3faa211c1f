// Owns the page of the system: the timeline of its states, what is surprising in the facts, what was restated, and how the
// journal itself is.

import { forgetToken, get, rows, rowsOfAccount } from '../api.js';
import { card, h, put, table } from '../dom.js';
import * as f from '../format.js';
import { band } from '../marks.js';
import { Page } from '../page.js';
import { state, zone } from '../state.js';
import { restated } from './restated.js';

/** States that are listed at once; what came before is folded away. */
const SHORT = 8;

/** How many days back restatements are looked for unasked. */
const DAYS_BACK = 14;

const STATES = () => [
  { title: 'Since', cell: (row) => f.time(row.timestamp, zone()) },
  { title: 'Account', cell: (row) => row.account_id },
  { title: 'State', cell: (row) => h('b', {}, f.words(row.system_state)) },
  { title: 'Regime', cell: (row) => f.words(row.current_regime) },
  { title: 'Strategy', cell: (row) => f.words(row.active_strategy) },
  { title: 'That day', number: true, cell: (row) => h('span', { class: f.tone(row.daily_pnl_r) }, f.inR(row.daily_pnl_r)) },
  { title: 'That week', number: true, cell: (row) => h('span', { class: f.tone(row.weekly_pnl_r) }, f.inR(row.weekly_pnl_r)) },
  { title: 'Red days', number: true, cell: (row) => f.count(row.consecutive_red_days) },
];

function states() {
  const { section, body, note } = card('System state', { id: 'states', wide: true });
  return {
    section,
    from: ['system_state'],
    async load(signal) {
      const found = await rowsOfAccount('system_state', { sort: '-state_id', limit: 120 }, { signal });
      note.textContent = found.length === 120 ? 'the latest 120 changes' : '';
      const listed = (list) => table(STATES(), list, { caption: 'States, latest first', empty: 'No state was recorded yet.' });
      put(body, found.length > 0 && band([...found].reverse(), zone()), listed(found.slice(0, SHORT)),
        found.length > SHORT && h('details', {}, h('summary', { 'data-key': 'states:before' }, `${found.length - SHORT} before`), listed(found.slice(SHORT))));
    },
  };
}

const ANOMALIES = () => [
  { title: 'Position', number: true, cell: (row) => f.count(row.seq) },
  { title: 'What', cell: (row) => f.words(row.kind) },
  { title: 'Trade', cell: (row) => row.trade_id && h('a', { href: `#/trade/${encodeURIComponent(row.trade_id)}` }, row.trade_id) },
  { title: 'Fill', cell: (row) => row.fill_id ?? '' },
  { title: 'What was made of it', cell: (row) => row.detail },
];

function anomalies() {
  const { section, body, note } = card('Anomalies', { id: 'anomalies', note: 'recorded, folded sensibly, and listed', wide: true });
  return {
    section,
    from: ['anomalies'],
    async load(signal) {
      const found = await rows('anomalies', { sort: '-seq', limit: 500 }, { signal });
      note.textContent = found.length === 500 ? 'the latest 500' : 'recorded, folded sensibly, and listed';
      put(body, table(ANOMALIES(), found, { caption: 'Anomalies', empty: 'None: nothing surprising was recorded.' }));
    },
  };
}

const BREACHES = () => [
  { title: 'Date', cell: (row) => h('a', { href: `#/review/${row.date}` }, f.shortDay(row.date)) },
  { title: 'Account', cell: (row) => row.account_id },
  { title: 'Limit', cell: (row) => h('b', { class: 'alarm' }, `■ ${f.words(row.rule)}`) },
  { title: 'Not to reach', number: true, cell: (row) => f.money(row.threshold) },
  { title: 'Reached by', number: true, cell: (row) => f.money(row.value) },
  { title: 'Came to light', cell: (row) => f.time(row.timestamp, zone()) },
];

function breaches() {
  const { section, body } = card('Limits reached', { id: 'breaches', wide: true });
  section.hidden = !state.tables.has('limit_breaches');
  return {
    section,
    from: ['limit_breaches'],
    async load(signal) {
      const found = await rowsOfAccount('limit_breaches', { sort: '-first_seq', limit: 200 }, { signal });
      put(body, table(BREACHES(), found, { caption: 'Limits reached', empty: 'None.' }));
    },
  };
}

function restatements() {
  const { section, body, note } = card('Restatements', { id: 'restatements', wide: true });
  const range = { from: null, to: null };
  const part = { section, from: [], load };
  const input = (name) => h('label', {}, name === 'from' ? 'From' : 'To', h('input', { type: 'date', name, value: range[name], on: { change: (event) => { range[name] = event.target.value; } } }));
  async function load(signal) {
    if (state.asOf !== null) return put(body, h('p', { class: 'empty' }, 'You are looking at the past: go back to now to see what was restated since.'));
    if (range.to === null) {
      const [last] = await rowsOfAccount('daily_pnl', { sort: '-date', limit: 1, columns: 'date' }, { signal });
      if (!last) return put(body, h('p', { class: 'empty' }, 'There is no day yet.'));
      Object.assign(range, { from: f.addDays(last.date, -DAYS_BACK), to: last.date });
    }
    const found = await get('restatements', { ...range, account: state.account }, { signal, timeless: true });
    const told = found.days.filter((day) => !day.recorded_later);
    const later = found.days.length - told.length;
    note.textContent = `${told.length} of ${found.days_looked_at} days say something else than when they closed`;
    return put(body, h('form', { class: 'filters', on: { submit: (event) => { event.preventDefault(); part.again(); } } }, input('from'), input('to'), h('button', { type: 'submit' }, 'Look')),
      later > 0 && h('p', { class: 'note' }, `${later} ${later === 1 ? 'day was' : 'days were'} recorded as a whole after closing: nothing was said then.`), restated(told, zone()));
  }
  return part;
}

const SIZE = (bytes) => (bytes < 1 << 20 ? `${f.number(bytes / 1024, 0)} KiB` : `${f.number(bytes / (1 << 20), 1)} MiB`);

function journal() {
  const { section, body } = card('The journal', { id: 'journal', wide: true });
  const pair = (name, value) => [h('dt', {}, name), h('dd', {}, value)];
  const verified = (found) => (found
    ? `${f.wholeTime(found.at, zone())}, up to position ${f.count(found.seq)}: ${found.ok ? 'all is well' : `${f.count(found.findings)} findings`}`
    : 'never; tradefold verify does it');
  return {
    section,
    from: [],
    async load(signal) {
      const found = await get('status', {}, { signal, timeless: true });
      const lag = (one) => (one.stopped ? `stopped at ${one.stopped.at}: ${one.stopped.reason}` : one.lag === 0 ? `at position ${f.count(one.position)}, up to date` : `at position ${f.count(one.position)}, ${f.count(one.lag)} events behind`);
      put(body, h('dl', { class: 'pairs wide-pairs' }, pair('folder', found.journal), pair('events', f.count(found.events)), pair('head', h('code', {}, `${found.head.seq} ${found.head.hash}`)),
        found.projections.map((one) => pair(`tables of ${one.name}`, h('span', { class: one.stopped ? 'alarm' : '' }, lag(one)))),
        found.digest && pair('digest of all tables', h('code', {}, found.digest.digest)), pair('last verified', verified(found.last_verification)),
        Object.entries(found.sizes ?? {}).map(([name, bytes]) => pair(name, SIZE(bytes)))),
        h('p', {}, h('button', { type: 'button', on: { click: () => { forgetToken(); location.reload(); } } }, 'Forget the token')));
    },
  };
}

/** The page of the system. */
export function system() {
  const parts = [states(), breaches(), anomalies(), restatements(), journal()];
  const page = new Page(parts, { title: 'System' });
  for (const part of parts) part.again = () => page.reload(part);
  return page;
}
