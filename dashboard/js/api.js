// Owns what is asked of the server, and as whom. The token comes with the address once or is typed in; it lives as long as
// the tab does, and is sent in a header and nowhere else.

import { state } from './state.js';

const TOKEN = 'tradefold.token';

/** How many tables of the past are asked for at a time: each is put together by work. */
const PASTS = 2;

/** A refusal by the server, in its own words. */
export class Refusal extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

/** No answer at all. */
export class Unreachable extends Error {}

export function token() {
  return sessionStorage.getItem(TOKEN);
}

export function keepToken(given) {
  sessionStorage.setItem(TOKEN, given.trim());
}

export function forgetToken() {
  sessionStorage.removeItem(TOKEN);
}

/** Takes the token out of the address, so that it is neither seen nor kept in the history. */
export function takeToken() {
  const found = /^#token=([\w-]+)/.exec(location.hash);
  if (!found) return;
  keepToken(found[1]);
  history.replaceState(null, '', `${location.pathname}#/`);
}

let refused = () => {};

/** Who is told that the token is not good. */
export function onRefused(handler) {
  refused = handler;
}

let pasts = 0;
const waiting = [];

async function inTurn(ask) {
  if (state.asOf === null) return ask();
  while (pasts >= PASTS) await new Promise((go) => { waiting.push(go); });
  pasts += 1;
  try {
    return await ask();
  } finally {
    pasts -= 1;
    waiting.shift()?.();
  }
}

function address(path, params, timeless) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params ?? {})) {
    if (value !== null && value !== undefined && value !== '') query.set(name, value);
  }
  if (state.asOf !== null && !timeless) query.set('as_of', state.asOf);
  const text = query.toString();
  return `/api/v1/${path}${text ? `?${text}` : ''}`;
}

async function ask(url, signal, accept) {
  let answer;
  try {
    answer = await fetch(url, { signal, cache: 'no-store', headers: { Authorization: `Bearer ${token()}`, Accept: accept } });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new Unreachable('the server does not answer');
  }
  if (answer.ok) return answer;
  const problem = await answer.json().catch(() => ({}));
  const detail = problem.detail ?? problem.title ?? `the server answers ${answer.status}`;
  if (answer.status === 401 || answer.status === 403) refused(detail);
  throw new Refusal(answer.status, detail);
}

/** An answer as JSON, as of the position that is looked at; `timeless` asks for what has no past. */
export function get(path, params, { signal, timeless = false } = {}) {
  return inTurn(async () => {
    if (signal?.aborted) throw new DOMException('no longer wanted', 'AbortError');
    return (await ask(address(path, params, timeless), signal, 'application/json')).json();
  });
}

/** Rows of a table; none of a table that this server does not have. */
export async function rows(table, params, options) {
  if (state.tables.size > 0 && !state.tables.has(table)) return [];
  return (await get(table, params, options)).rows;
}

/** The same of the account that is looked at. */
export function rowsOfAccount(table, params, options) {
  return rows(table, state.account === null ? params : { ...params, account_id: state.account }, options);
}

/** Everything a question finds, as a file. */
export async function download(table, params, name) {
  const answer = await ask(address(table, params, false), undefined, 'text/csv');
  const link = document.createElement('a');
  link.href = URL.createObjectURL(await answer.blob());
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** Whether the server answers at all. */
export async function isAlive() {
  try {
    return (await fetch('/healthz', { cache: 'no-store', signal: AbortSignal.timeout(5_000) })).ok;
  } catch {
    return false;
  }
}
