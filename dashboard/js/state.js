// Owns what every view shares: which account is looked at, as of when, and how times are told. Who changes it says so, and
// the page is drawn anew. The past is not remembered over a reload: nobody shall take it for the present.

const listeners = new Set();
const THEME = 'tradefold.theme';
const ACCOUNT = 'tradefold.account';

export const state = {
  /** An account's id; null is all together. */
  account: sessionStorage.getItem(ACCOUNT),
  /** A position in the log; null is the present. */
  asOf: null,
  /** The last position known. */
  head: 0,
  /** Rows of `accounts`, as of then. */
  accounts: [],
  /** Names of the tables that this server has. */
  tables: new Set(),
};

/** Hears of every change: 'account', 'as-of' or 'theme'. */
export function onChange(listener) {
  listeners.add(listener);
}

function changed(what) {
  for (const listener of listeners) listener(what);
}

export function setAccount(account) {
  state.account = account;
  if (account === null) sessionStorage.removeItem(ACCOUNT);
  else sessionStorage.setItem(ACCOUNT, account);
  changed('account');
}

export function setAsOf(position) {
  const next = position === null || position >= state.head ? null : Math.max(position, 1);
  if (next === state.asOf) return;
  state.asOf = next;
  changed('as-of');
}

/** The rows of `accounts` that are looked at. */
export function shownAccounts() {
  return state.account === null ? state.accounts : state.accounts.filter((row) => row.account_id === state.account);
}

/** The zone in which times are told: that of the accounts looked at, where they have one in common. */
export function zone() {
  const zones = new Set(shownAccounts().map((row) => row.time_zone).filter(Boolean));
  return zones.size === 1 ? [...zones][0] : 'UTC';
}

/** Their currency; empty where there are several, whose amounts can't be added. */
export function currency() {
  const currencies = new Set(shownAccounts().map((row) => row.currency).filter(Boolean));
  return currencies.size === 1 ? [...currencies][0] : '';
}

export function theme() {
  return localStorage.getItem(THEME) ?? 'auto';
}

export function setTheme(name) {
  if (name === 'auto') localStorage.removeItem(THEME);
  else localStorage.setItem(THEME, name);
  document.documentElement.dataset.theme = name;
  changed('theme');
}
