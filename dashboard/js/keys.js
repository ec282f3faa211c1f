// Owns the keyboard, and the page that tells what its keys do and what signs mean.

import { h, put } from './dom.js';
import { setAsOf } from './state.js';

const click = (id) => document.getElementById(id)?.click();

/** Goes to another link of a table's rows. */
function row(by) {
  const links = [...document.querySelectorAll('main td a')];
  const at = links.indexOf(document.activeElement);
  links[at < 0 ? (by > 0 ? 0 : links.length - 1) : at + by]?.focus();
}

function table(doing) {
  const before = () => (doing.page()?.turn ? doing.page().turn(-1) : click('day-before'));
  const after = () => (doing.page()?.turn ? doing.page().turn(1) : click('day-after'));
  return [
    ['1', 'Overview', () => { location.hash = '#/'; }],
    ['2', 'Trades', () => { location.hash = '#/trades'; }],
    ['3', 'Review of the last day', () => { location.hash = '#/review'; }],
    ['4', 'System', () => { location.hash = '#/system'; }],
    ['/', 'Search trades', () => search()],
    ['j', 'Next row', () => row(1)],
    ['k', 'Row before', () => row(-1)],
    [',', 'Page or day before', before],
    ['.', 'Next page or day', after],
    ['e', 'Export what the table shows', () => doing.page()?.save?.()],
    ['a', 'Next account', doing.nextAccount],
    ['[', 'One event back in time', () => doing.past.step(-1)],
    [']', 'One event on', () => doing.past.step(1)],
    ['n', 'Back to now', () => setAsOf(null)],
    ['t', 'Colours: by the system, light, dark', doing.nextTheme],
    ['?', 'This page', null],
  ];
}

function search() {
  const field = document.getElementById('search');
  if (field) field.focus();
  else {
    location.hash = '#/trades';
    // The field comes with the table.
    const found = new MutationObserver(() => {
      const there = document.getElementById('search');
      if (there) {
        found.disconnect();
        there.focus();
      }
    });
    found.observe(document.getElementById('main'), { childList: true, subtree: true });
  }
}

const MEANINGS = [
  ['R', 'what a trade made, in units of what it risked at first'],
  ['+ and −', 'up and down; blue and orange say the same'],
  ['▲ ■', 'something to look at: a rule broken, a limit nearly or wholly used up'],
  ['–', 'not known, or too little to say'],
  ['the box', "Wilson's interval: where the win rate lies, at 95 %; the dotted mark is the rate at which nothing is won"],
  ['as of', 'the tables as they were when the log ended at a position: what the journal had been told by then'],
];

/** Listens, and opens the page of keys by a button. */
export function keys(dialog, opener, doing) {
  const list = table(doing);
  const show = () => {
    put(dialog, h('h2', { id: 'keys-title' }, 'Keys'), h('dl', { class: 'pairs' }, list.map(([key, what]) => [h('dt', {}, h('kbd', {}, key)), h('dd', {}, what)])),
      h('h2', {}, 'Signs'), h('dl', { class: 'pairs' }, MEANINGS.map(([sign, what]) => [h('dt', {}, sign), h('dd', {}, what)])),
      h('form', { method: 'dialog' }, h('button', {}, 'Close')));
    dialog.showModal();
  };
  opener.addEventListener('click', show);
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || dialog.open) return;
    if (event.target.matches?.('input:not([type=range]), select, textarea')) {
      if (event.key === 'Escape') event.target.blur();
      return;
    }
    if (document.body.classList.contains('outside') && event.key !== '?') return;
    const found = list.find(([key]) => key === event.key);
    if (!found) return;
    event.preventDefault();
    (found[2] ?? show)();
  });
}
