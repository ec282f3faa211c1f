// Owns the page as a whole: who is let in, which view is shown, and when it is drawn anew. What a view shows is its own
// business.

import { forgetToken, get, onRefused, rows, takeToken, token, Unreachable } from './api.js';
import { h, put } from './dom.js';
import * as f from './format.js';
import { keys } from './keys.js';
import { Live } from './live.js';
import { slider } from './past.js';
import { onChange, setAccount, setTheme, shownAccounts, state, theme, zone } from './state.js';
import { empty, login } from './views/door.js';
import { overview } from './views/overview.js';
import { review } from './views/review.js';
import { system } from './views/system.js';
import { trade } from './views/trade.js';
import { trades } from './views/trades.js';

/** Changes that come together are drawn together, and no more often than this; where the journal is so large that asking takes long, a
 * third of the time at most is spent on it. */
const DRAWN_EVERY = 1_000;
const SHARE = 3;
const GATHERED = 120;

const main = document.getElementById('main');
const lost = document.getElementById('lost');
const line = document.getElementById('line');

let page = null;
/** The name of what is shown. */
let shown = null;
const changed = new Set();
let drawing = null;
/** When it may be drawn again. */
let notBefore = 0;

async function latestDay() {
  const [last] = await rows('daily_pnl', { sort: '-date', limit: 1, columns: 'date' });
  return last?.date;
}

/** A part of the address as it was meant; what was made up by hand stays as it is. */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The view that the address names. */
async function view() {
  const [path, query] = location.hash.replace(/^#\/?/, '').split('?');
  const [name, ...rest] = path.split('/');
  const argument = rest.length > 0 ? decoded(rest.join('/')) : null;
  if (name === 'trades') return ['trades', trades(new URLSearchParams(query))];
  if (name === 'trade' && argument) return ['trades', trade(argument)];
  if (name === 'system') return ['system', system()];
  if (name === 'review') {
    const date = /^\d{4}-\d\d-\d\d$/.test(argument ?? '') ? argument : await latestDay();
    if (date) return ['review', review(date)];
  }
  return ['overview', overview()];
}

let routes = 0;

async function route({ keepFocus = false } = {}) {
  if (!token()) return;
  routes += 1;
  const mine = routes;
  const [name, next] = state.head === 0 ? ['empty', empty()] : await view();
  if (mine !== routes) {
    next.remove();
    return;
  }
  page?.remove();
  [page, shown] = [next, name];
  for (const link of document.querySelectorAll('[data-view]')) {
    if (link.dataset.view === name) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  document.title = `${page.title} · tradefold`;
  put(main, page.element);
  if (!keepFocus) main.focus({ preventScroll: true });
  scrollTo(0, 0);
  await page.refresh();
}

function drawControls() {
  const select = document.getElementById('account');
  const options = [h('option', { value: '' }, 'All accounts'), ...state.accounts.map((row) => h('option', { value: row.account_id }, row.account_id))];
  if (state.account !== null && !state.accounts.some((row) => row.account_id === state.account)) options.push(h('option', { value: state.account }, state.account));
  put(select, options);
  select.value = state.account ?? '';
  document.getElementById('foot').textContent = `Times: ${zone()}. Position ${f.count(state.asOf ?? state.head)}.`;
}

/** Reads what every view needs. */
async function readShared() {
  const status = await get('status', {}, { timeless: true });
  state.head = Math.min(...status.projections.map((one) => one.position), status.head.seq);
  state.tables = new Set(Object.keys(status.tables));
  state.accounts = await rows('accounts', { limit: 1000 });
  // A journal that is served by this address now may have other accounts than the one before.
  if (state.asOf === null && state.accounts.length > 0 && state.account !== null && !shownAccounts().length && !(await traded(state.account))) setAccount(null);
  past.draw();
  drawControls();
}

async function traded(account_id) {
  return (await rows('daily_pnl', { account_id, limit: 1, columns: 'date' })).length > 0;
}

function tell(error) {
  if (error.name === 'AbortError' || error instanceof Unreachable) return;
  put(main, h('p', { class: 'trouble', role: 'alert' }, `This could not be shown: ${error.message}`));
}

/** Draws what changed, together. */
function draw() {
  if (drawing) return;
  const wait = Math.max(GATHERED, notBefore - Date.now());
  drawing = setTimeout(async () => {
    const began = Date.now();
    const now = new Set(changed);
    changed.clear();
    const wasEmpty = shown === 'empty';
    try {
      if (wasEmpty) {
        await readShared();
        if (state.head > 0) await route({ keepFocus: true });
      } else if (state.asOf === null) {
        if (now.has('accounts')) state.accounts = await rows('accounts', { limit: 1000 });
        await page?.refresh(now);
      }
      past.draw();
      drawControls();
    } catch (error) {
      tell(error);
    }
    notBefore = Date.now() + Math.max(DRAWN_EVERY, SHARE * (Date.now() - began));
    drawing = null;
    if (changed.size > 0) draw();
  }, wait);
}

const LINES = { connecting: ['…', 'connecting'], live: ['●', 'live'], lost: ['✕', 'not connected'] };
let wasLost = false;

const live = new Live({
  async state(name, reason) {
    const [sign, word] = LINES[name];
    if (name !== 'connecting' || !wasLost) {
      line.className = name;
      put(line, h('span', { 'aria-hidden': 'true' }, sign), ` ${word}`);
    }
    if (name === 'lost') {
      const since = wasLost ? null : f.seconds(new Date().toISOString(), Intl.DateTimeFormat().resolvedOptions().timeZone);
      if (since) put(lost, h('b', {}, '■ The connection is lost. '), `What you see is as of ${since}. It is tried again by itself. `, h('button', { type: 'button', on: { click: () => live.retry() } }, 'Try now'), h('span', { class: 'quiet' }, reason ? ` (${reason})` : ''));
      lost.hidden = false;
      wasLost = true;
    } else if (name === 'live') {
      lost.hidden = true;
      if (wasLost) {
        wasLost = false;
        await again();
      }
    }
  },
  changed(tables, position) {
    for (const table of tables) changed.add(table);
    if (position !== null) state.head = Math.max(state.head, position);
    draw();
  },
  refused: (reason) => letIn(reason),
});

/** Reads everything anew, in place. */
async function again() {
  try {
    await readShared();
    await (page && shown !== 'empty' ? page.refresh() : route({ keepFocus: true }));
  } catch (error) {
    tell(error);
  }
}

const past = slider(document.getElementById('as-of'), document.getElementById('past'));

let asking = false;

/** Asks for a token. */
function letIn(reason) {
  if (asking) return;
  asking = true;
  live.stop();
  forgetToken();
  page?.remove();
  page = null;
  lost.hidden = true;
  document.body.classList.add('outside');
  put(main, login(reason, () => {
    asking = false;
    begin();
  }));
  main.querySelector('input')?.focus();
}

async function begin() {
  if (!token()) {
    letIn(null);
    return;
  }
  document.body.classList.remove('outside');
  try {
    await readShared();
    live.start(state.head);
    await route({ keepFocus: true });
  } catch (error) {
    if (error instanceof Unreachable) setTimeout(begin, 2_000);
    else if (!asking) tell(error);
  }
}

const THEMES = ['auto', 'light', 'dark'];

function nextTheme() {
  setTheme(THEMES[(THEMES.indexOf(theme()) + 1) % THEMES.length]);
}

function nextAccount() {
  const names = [null, ...state.accounts.map((row) => row.account_id)];
  setAccount(names[(names.indexOf(state.account) + 1) % names.length]);
}

async function changedState(what) {
  document.getElementById('theme').setAttribute('aria-label', `Colours: ${theme()}`);
  if (what === 'theme') return page?.redress();
  if (!token() || state.head === 0) return undefined;
  try {
    if (what === 'as-of') state.accounts = await rows('accounts', { limit: 1000 });
    past.draw();
    drawControls();
    return await (what === 'as-of' && page && !page.isOfItsTime ? page.refresh() : route({ keepFocus: true }));
  } catch (error) {
    return tell(error);
  }
}

takeToken();
document.documentElement.dataset.theme = theme();
onChange(changedState);
onRefused(letIn);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => page?.redress());
addEventListener('hashchange', () => {
  if (location.hash.startsWith('#token=')) {
    takeToken();
    asking = false;
    live.stop();
    begin();
  } else if (location.hash === '#main') main.focus();
  else route().catch(tell);
});
document.getElementById('account').addEventListener('change', (event) => setAccount(event.target.value || null));
document.getElementById('theme').addEventListener('click', nextTheme);
keys(document.getElementById('keys'), document.getElementById('help'), { page: () => page, nextTheme, nextAccount, past });
begin();
