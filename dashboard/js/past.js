// Owns the slider that takes the page back in time: to what the journal knew when its log ended at a position.

import { rows } from './api.js';
import { h, put } from './dom.js';
import * as f from './format.js';
import { setAsOf, state, zone } from './state.js';

/** While it is dragged nothing is asked for until it rests. */
const REST = 200;

/** The slider in its bar, opened by a button. */
export function slider(bar, opener) {
  const range = h('input', { type: 'range', min: 1, max: 1, step: 1, value: 1, id: 'as-of-position', 'aria-label': 'Position in the log' });
  const said = h('output', { for: 'as-of-position' });
  const button = (text, about, act, id) => h('button', { type: 'button', title: about, id, on: { click: act } }, text);
  const now = button('Back to now', 'n', () => { setAsOf(null); }, 'as-of-now');
  put(bar, h('b', {}, 'As of'), button('−1', 'One event back: [', () => step(-1)), range, button('+1', 'One event on: ]', () => step(1)), said, now);
  let resting = null;
  let asked = 0;

  function step(by) {
    open(true);
    setAsOf((state.asOf ?? state.head) + by);
  }
  function open(isOpen) {
    bar.hidden = !isOpen;
    opener.setAttribute('aria-expanded', String(isOpen));
    document.body.classList.toggle('has-slider', isOpen);
  }
  function label(position) {
    said.textContent = position >= state.head ? `now: position ${f.count(state.head)}` : `position ${f.count(position)} of ${f.count(state.head)}`;
    range.setAttribute('aria-valuetext', said.textContent);
  }
  async function tellTime() {
    asked += 1;
    const mine = asked;
    if (state.asOf === null) return;
    // What the journal had been told last by then is the latest time any account has.
    const [last] = await rows('risk_state', { sort: '-updated_at', limit: 1, columns: 'updated_at' }).catch(() => []);
    if (mine === asked && state.asOf !== null && last) said.textContent += ` · ${f.wholeTime(last.updated_at, zone())}`;
  }
  function draw() {
    const position = state.asOf ?? state.head;
    range.max = Math.max(state.head, 1);
    if (document.activeElement !== range || resting === null) range.value = position;
    label(position);
    now.disabled = state.asOf === null;
    opener.disabled = state.head === 0;
    opener.textContent = state.asOf === null ? 'As of…' : `As of ${f.count(state.asOf)}`;
    document.body.classList.toggle('in-the-past', state.asOf !== null);
    if (state.asOf !== null) open(true);
    tellTime();
  }
  const go = () => {
    clearTimeout(resting);
    resting = null;
    setAsOf(Number(range.value));
  };
  range.addEventListener('input', () => {
    label(Number(range.value));
    clearTimeout(resting);
    resting = setTimeout(go, REST);
  });
  range.addEventListener('change', go);
  opener.addEventListener('click', () => {
    if (bar.hidden) {
      open(true);
      range.focus();
    } else if (state.asOf === null) open(false);
    else setAsOf(null);
  });
  return { draw, step, close: () => open(false) };
}
