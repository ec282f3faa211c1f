// Owns how restatements are shown: what a day said when it closed beside what it says now, and which events made the difference.

import { h } from '../dom.js';
import * as f from '../format.js';
import { timeline } from './timeline.js';

const SIGNED = ['pl_net', 'pl_gross'];
const write = (name, value) => (name.endsWith('_r') || name === 'pnl_r' ? f.inR(value) : SIGNED.includes(name) ? f.signedMoney(value) : f.plain(value));

function differences(then, now) {
  const names = [...new Set([...Object.keys(then ?? {}), ...Object.keys(now ?? {})])];
  return names.map((name) => ({ name, then: then?.[name] ?? null, now: now?.[name] ?? null })).filter((figure) => figure.then !== figure.now);
}

function figures(caption, list) {
  const row = ({ name, then, now }) => h('tr', {}, h('th', { scope: 'row' }, f.words(name)), h('td', {}, write(name, then)), h('td', { class: 'arrow', 'aria-label': 'became' }, '→'), h('td', {}, h('b', {}, write(name, now))));
  return list.length > 0 && h('table', { class: 'changes' }, h('caption', {}, caption), h('tbody', {}, list.map(row)));
}

function one(day, zone) {
  const closed = `closed ${f.wholeTime(day.closed_at, zone)}, at position ${day.position}`;
  const title = h('h3', {}, h('a', { href: `#/review/${day.date}` }, f.shortDay(day.date)), ` ${day.account_id}`, h('span', { class: 'when' }, ` ${closed}`));
  if (day.recorded_later) return h('li', {}, title, h('p', { class: 'note' }, 'All of it was recorded after the day had closed: there is nothing that it said then.'));
  if (day.open) return h('li', {}, title, h('p', { class: 'note' }, 'Nothing was recorded since it closed.'));
  if (!day.restated) return h('li', {}, title, h('p', { class: 'note' }, 'It says today what it said then.'));
  const metrics = differences(day.metrics_then, day.metrics_now);
  return h('li', { class: 'restated' }, title, h('p', { class: 'alarm' }, '▲ restated'), figures('The day', differences(day.then, day.now)),
    metrics.length > 0 && h('details', {}, h('summary', {}, `${metrics.length} metrics up to that day`), figures('Metrics', metrics)),
    day.events.length > 0 && h('details', {}, h('summary', {}, `${day.events.length} events made the difference`), timeline(day.events, zone)));
}

/** Days as they closed and as they are. */
export function restated(days, zone) {
  if (days.length === 0) return h('p', { class: 'empty' }, 'No day was restated.');
  return h('ul', { class: 'plain-list days' }, days.map((day) => one(day, zone)));
}
