// Owns what is shown to who is not let in yet, and to who has an empty journal.

import { keepToken } from '../api.js';
import { h } from '../dom.js';

/** Asks for a token. */
export function login(reason, done) {
  const input = h('input', { type: 'password', id: 'token', name: 'token', autocomplete: 'off', required: true, spellcheck: 'false', placeholder: 'tf_…' });
  const submit = (event) => {
    event.preventDefault();
    if (!input.value.trim()) return;
    keepToken(input.value);
    done();
  };
  return h('form', { class: 'door', on: { submit } }, h('h1', {}, 'Your token'),
    reason && h('p', { class: 'trouble', role: 'alert' }, `This one is not good: ${reason}`),
    h('p', {}, 'The server showed it when it was first started, in an address that ends in #token=… To make another one:'),
    h('pre', {}, 'tradefold token add dashboard --scope read'),
    h('label', { for: 'token' }, 'Token'), input, h('button', { type: 'submit' }, 'Open the journal'),
    h('p', { class: 'note' }, 'It is kept as long as this tab is open, and sent to this server alone.'));
}

const SEND = `curl ${location.origin}/api/v1/events \\
  -H "Authorization: Bearer $TOKEN"`;

const EVENT = `${SEND} \\
  -H "Content-Type: application/json" \\
  -d '{"type":"FillRecorded","id":"0197b6ce-0000-7000-8000-000000000001",
       "occurred_at":"2026-03-02T14:31:07Z",
       "data":{"fill_id":"F-1","symbol":"MESH6","side":"buy","quantity":2,"price":"6872.25"}}'`;

const LINES = `${SEND} \\
  -H "Content-Type: application/x-ndjson" --data-binary @events.jsonl`;

/** What to do with an empty journal; it has the form of a view. */
export function empty() {
  const element = h('div', { class: 'view' }, h('section', { class: 'card wide empty-journal', id: 'empty' }, h('h2', {}, 'The journal is empty'),
    h('p', {}, 'Nothing was recorded yet, so there is nothing to show. This page fills by itself, as soon as there is.'),
    h('h3', {}, 'An event, with a token that may append'), h('pre', {}, EVENT),
    h('h3', {}, 'A file of events, one JSON object a line'), h('pre', {}, LINES),
    h('h3', {}, 'What your broker exports, while nothing serves the journal'), h('pre', {}, 'tradefold import --account NAME FILE'),
    h('h3', {}, 'Only to look around'), h('pre', {}, 'tradefold demo --serve')));
  return { title: 'Empty journal', element, refresh: async () => {}, redress() {}, remove() {} };
}
