// Owns how events are listed with what they changed: before and after, column by column.

import { h } from '../dom.js';
import * as f from '../format.js';

/** More changes than this are folded away: the event that made a row sets most of its columns. */
const SHOWN = 8;

const MENDING = ['FillCorrected', 'FillBusted', 'FillsReassigned', 'TradeAmended', 'TradeVoided'];

function changes(list, zone) {
  const row = (change) => {
    const [before, after] = [f.plain(change.before, zone), f.plain(change.after, zone)];
    // What differs by less than is usually written is written in full.
    const [shown, became] = before === after ? [String(change.before), String(change.after)] : [before, after];
    return h('tr', {}, h('th', { scope: 'row' }, f.words(change.column)), h('td', {}, shown), h('td', { class: 'arrow', 'aria-label': 'became' }, '→'), h('td', {}, h('b', {}, became)));
  };
  return h('table', { class: 'changes' }, h('tbody', {}, list.map(row)));
}

function step(event, zone) {
  const told = event.changes.filter((change) => change.before !== null);
  const set = event.changes.filter((change) => change.before === null);
  const folded = (list, text) => h('details', {}, h('summary', {}, text), changes(list, zone));
  const late = Date.parse(event.recorded_at) - Date.parse(event.occurred_at) > 60_000;
  return h('li', { class: MENDING.includes(event.type) ? 'step mending' : 'step' },
    h('h3', {}, event.type.replace(/(?<=[a-z])(?=[A-Z])/g, ' '), h('span', { class: 'when' }, ` ${f.wholeTime(event.occurred_at, zone)} · position ${event.seq}`)),
    h('p', { class: 'note' }, event.source && `by ${event.source}`, late && `${event.source ? '; ' : ''}recorded ${f.wholeTime(event.recorded_at, zone)}`, event.date && `; moved ${f.shortDay(event.date)}`),
    event.reason && h('p', { class: 'reason' }, `“${event.reason}”`),
    told.length > SHOWN ? folded(told, `${told.length} columns changed`) : told.length > 0 && changes(told, zone),
    set.length > SHOWN ? folded(set, `${set.length} columns set`) : set.length > 0 && changes(set, zone),
    event.changes.length === 0 && h('p', { class: 'quiet' }, 'changed nothing here'));
}

/** Events, oldest first. */
export function timeline(events, zone) {
  return h('ol', { class: 'timeline' }, events.map((event) => step(event, zone)));
}
