// What the browser's tests share: a served journal of its own for each, and a page that notices what it must never do.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

/** Where the sources are: `./check` runs a copy of these files elsewhere. */
export const ROOT = process.env.TRADEFOLD_ROOT ?? fileURLToPath(new URL('../../', import.meta.url));
const PROGRAM = process.env.TRADEFOLD ?? join(ROOT, 'target/debug/tradefold');
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';

/** The shipped week of trading, an event a line. */
export const WEEK = readFileSync(join(ROOT, 'replay-fixtures/week/events.jsonl'), 'utf8').trim().split('\n');

/** How long something may take to be seen. The machine may be busy: this only keeps a failure from hanging. */
export const PATIENCE = 60_000;

/** A journal that is served. */
export class Served {
  /** Serves these events until the test is over. */
  static async of(events, t) {
    const served = new Served();
    t?.after(() => served.end());
    served.folder = mkdtempSync(join(tmpdir(), 'tradefold-browser-'));
    served.journal = join(served.folder, 'journal');
    served.run('init');
    if (events.length > 0) served.append(events);
    await served.start('127.0.0.1:0');
    return served;
  }

  run(...args) {
    return execFileSync(PROGRAM, ['--journal', this.journal, ...args], { encoding: 'utf8' });
  }

  /** Appends by the command line, while nothing serves the journal. */
  append(events) {
    const file = join(this.folder, 'events.jsonl');
    writeFileSync(file, events.map((event) => (typeof event === 'string' ? event : JSON.stringify(event))).join('\n') + '\n');
    this.run('append', file);
  }

  async start(listen = this.listening) {
    this.process = spawn(PROGRAM, ['--journal', this.journal, '--json', 'serve', '--listen', listen], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.ended = new Promise((end) => { this.process.once('exit', end); });
    const lines = createInterface({ input: this.process.stdout });
    const said = await new Promise((tell, fail) => {
      lines.once('line', tell);
      this.process.once('exit', (code) => fail(new Error(`serve ended with ${code}`)));
    });
    const { listening, url, token } = JSON.parse(said);
    this.listening = listening;
    this.url = url;
    // It is shown at the first start alone.
    this.token ??= token;
  }

  /** Stops at once, as a crash does. */
  async crash() {
    this.process.kill('SIGKILL');
    await this.ended;
  }

  async ask(path, options = {}) {
    return fetch(`${this.url}api/v1/${path}`, { ...options, headers: { Authorization: `Bearer ${this.token}`, ...options.headers } });
  }

  async json(path) {
    const answer = await this.ask(path);
    assert.equal(answer.status, 200, await answer.clone().text());
    return answer.json();
  }

  async post(events) {
    const answer = await this.ask('events', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(events) });
    assert.ok(answer.ok, await answer.text());
  }

  async end() {
    this.process?.kill('SIGTERM');
    await this.ended;
    rmSync(this.folder, { recursive: true, force: true });
  }
}

let browser;

/** The one browser of a test file. */
export async function open() {
  browser ??= await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
  return browser;
}

export async function close() {
  await browser?.close();
  browser = undefined;
}

/** A page in a context of its own, with all that it complained about and whom else it asked. */
export async function look(served, { path = '', token = served.token, ...options } = {}) {
  const context = await (await open()).newContext({ viewport: { width: 1440, height: 900 }, timezoneId: 'Asia/Tokyo', acceptDownloads: true, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  const seen = { errors: [], foreign: [], addresses: [] };
  page.on('console', (message) => ['error', 'warning'].includes(message.type()) && seen.errors.push(message.text()));
  page.on('pageerror', (error) => seen.errors.push(String(error)));
  page.on('dialog', (dialog) => {
    seen.errors.push(`dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  const own = new URL(served.url).host;
  page.on('request', (request) => {
    seen.addresses.push(request.url());
    const { protocol, host } = new URL(request.url());
    if (!['blob:', 'data:'].includes(protocol) && host !== own) seen.foreign.push(request.url());
  });
  page.on('websocket', (socket) => {
    seen.addresses.push(socket.url());
    if (new URL(socket.url()).host !== own) seen.foreign.push(socket.url());
  });
  await page.goto(token ? `${served.url}#token=${token}` : served.url);
  if (token) await page.waitForFunction(() => document.querySelector('#line.live'));
  if (path) await show(page, path);
  else if (token) await settled(page);
  return { page, context, seen };
}

/** Goes to a view and waits until all of it is drawn. */
export async function show(page, path) {
  await page.evaluate((hash) => {
    document.querySelector('main').replaceChildren();
    if (location.hash === hash) dispatchEvent(new HashChangeEvent('hashchange'));
    else location.hash = hash;
  }, path);
  await settled(page);
}

/** Waits until nothing is being read any more. */
export async function settled(page) {
  await page.waitForFunction(() => document.querySelector('main .view, main .door') && !document.querySelector('[aria-busy]'));
}

/** It asked nobody else, and did not complain. */
export function quiet(seen) {
  assert.deepEqual(seen.foreign, []);
  assert.deepEqual(seen.errors, []);
}

export const text = async (page, selector) => (await page.locator(selector).innerText()).replaceAll('\u202f', ' ').replace(/\s+/g, ' ').trim();

/** The rows of CSV, each a list of cells. */
export function csv(given) {
  const rows = [[]];
  for (const [, quoted, bare, end] of given.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/g)) {
    rows.at(-1).push(quoted?.replaceAll('""', '"') ?? bare);
    if (end !== ',') rows.push([]);
  }
  return rows.filter((row) => row.length > 1);
}

let ids = 0;

/** An event with an id of its own. */
export function event(type, occurred_at, data) {
  ids += 1;
  return { type, id: `0197b6ce-0000-7000-8000-${String(ids).padStart(12, '0')}`, occurred_at, data };
}
