// What changes while it is looked at: an empty journal that fills, rows that come, and a server that goes and comes back.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { close, event, look, quiet, Served, settled, show, text, WEEK } from './support.mjs';

after(close);

const fill = (name, side, price, at, more = {}) => event('FillRecorded', at, { fill_id: `live-${name}`, symbol: 'MESH6', side, quantity: 1, price, ...more });

test('an empty journal says what to do, and the page fills by itself', async (t) => {
  const served = await Served.of([], t);
  const { page, context, seen } = await look(served);
  assert.match(await text(page, '#empty'), /The journal is empty .*api\/v1\/events/);
  await served.post([fill('first', 'buy', '6800.25', '2026-03-02T15:00:00Z')]);
  await page.locator('#positions', { hasText: 'MESH6' }).waitFor();
  assert.match(await text(page, '#positions'), /Long 1 6,800\.25/);
  await settled(page);
  quiet(seen);
  await context.close();
});

test('the example of the empty journal can be sent as it stands', async (t) => {
  const served = await Served.of([], t);
  const { page, context } = await look(served);
  const example = await page.locator('#empty pre').first().innerText();
  const body = /-d '([^']+)'/.exec(example)[1];
  await served.post(JSON.parse(body));
  assert.equal((await served.json('trades?wait_for=1')).rows.length, 1);
  await context.close();
});

test('a position that opens and closes is seen without a reload', async (t) => {
  const served = await Served.of(WEEK, t);
  const { page, context, seen } = await look(served);
  await page.evaluate(() => { window.same = true; });
  await served.post([fill('in', 'buy', '6900.00', '2026-03-09T15:00:00Z', { account_id: 'live-main' })]);
  await page.locator('#positions tbody tr').waitFor();
  assert.match(await text(page, '#positions'), /live-main:MESH6:live-in .* 6,900\.00/);
  await served.post([fill('out', 'sell', '6910.00', '2026-03-09T15:10:00Z', { account_id: 'live-main' })]);
  await page.locator('#positions', { hasText: 'Flat' }).waitFor();
  // 11.87 and 10 points of 5 dollars.
  await page.locator('#today', { hasText: '+61.87' }).waitFor();
  await page.locator('#recent', { hasText: 'live-main:MESH6:live-in' }).waitFor();
  assert.equal(await page.evaluate(() => window.same), true);
  await settled(page);
  quiet(seen);
  await context.close();
});

test('in the past nothing moves, and back in the present everything is there', async (t) => {
  const served = await Served.of(WEEK, t);
  const { page, context, seen } = await look(served, { path: '#/trades' });
  await page.keyboard.press('[');
  await page.waitForFunction(() => document.body.classList.contains('in-the-past'));
  await settled(page);
  const before = await page.locator('#trades tbody').innerText();
  await served.post([fill('in', 'buy', '6900.00', '2026-03-09T15:00:00Z', { account_id: 'live-main' })]);
  await page.locator('#as-of', { hasText: 'of 588' }).waitFor();
  assert.equal(await page.locator('#trades tbody').innerText(), before);
  await page.keyboard.press('n');
  await page.locator('#trades tbody', { hasText: 'live-main:MESH6:live-in' }).waitFor();
  quiet(seen);
  await context.close();
});

test('a lost connection is told, what was seen stays, and it recovers by itself', async (t) => {
  const served = await Served.of(WEEK, t);
  const { page, context, seen } = await look(served);
  await served.crash();
  await page.locator('#lost', { hasText: 'The connection is lost' }).waitFor();
  assert.match(await text(page, '#line'), /not connected/);
  assert.match(await text(page, '#today'), /\+151\.91/);
  served.append([fill('meanwhile', 'buy', '6900.00', '2026-03-09T15:00:00Z', { account_id: 'live-main' })]);
  await served.start();
  await page.locator('#line.live').waitFor();
  await page.locator('#positions', { hasText: 'live-main:MESH6:live-meanwhile' }).waitFor();
  assert.ok(await page.locator('#lost').isHidden());
  await served.post([fill('later', 'sell', '6905.00', '2026-03-09T15:20:00Z', { account_id: 'live-main' })]);
  await page.locator('#positions', { hasText: 'Flat' }).waitFor();
  // That nobody answered is all it complained about.
  assert.deepEqual(seen.errors.filter((error) => !/ERR_CONNECTION|WebSocket connection|ERR_INCOMPLETE|ERR_EMPTY/.test(error)), []);
  assert.deepEqual(seen.foreign, []);
  await context.close();
});

test('many trades are turned page by page', async (t) => {
  const trades = Number(process.env.TRADES ?? 1_000);
  const at = (second) => new Date(Date.UTC(2025, 0, 1) + second * 1000).toISOString();
  const pair = (number) => [fill(`${number}-in`, 'buy', '6800.00', at(number * 240)), fill(`${number}-out`, 'sell', (6800 + (number % 7) - 3).toFixed(2), at(number * 240 + 120))];
  const served = await Served.of(Array.from({ length: trades }, (_, number) => pair(number)).flat(), t);
  const { page, context, seen } = await look(served, { path: '#/trades' });
  const ids = () => page.locator('#trades tbody td:nth-child(2)').allInnerTexts();
  const id = (number) => `default:MESH6:live-${number}-in`;
  assert.deepEqual(await ids(), Array.from({ length: 100 }, (_, row) => id(trades - 1 - row)));
  await page.locator('#page-after').click();
  await page.locator('#trades', { hasText: '101 to 200' }).waitFor();
  assert.equal((await ids())[0], id(trades - 101));
  await page.keyboard.press(',');
  await page.locator('#trades h2 + p', { hasText: '1 to 100' }).waitFor();
  assert.equal((await ids())[0], id(trades - 1));
  await show(page, '#/');
  assert.match(await text(page, '#metrics'), new RegExp(`of ${trades.toLocaleString('en-US')} closed trades`));
  assert.ok(await page.evaluate(() => document.querySelectorAll('*').length) < 4_000, 'the page grows with the journal');
  quiet(seen);
  await context.close();
});
