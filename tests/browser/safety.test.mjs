// Who is let in, and what a journal may hold without any of it becoming more than text.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { close, event, look, quiet, Served, settled, show, text, WEEK } from './support.mjs';

after(close);

test('a token in the address is taken out of it, kept for the tab alone and sent in no address', async (t) => {
  const served = await Served.of(WEEK, t);
  const { page, context, seen } = await look(served);
  assert.equal(new URL(page.url()).hash, '#/');
  assert.ok(!(await page.evaluate(() => JSON.stringify(localStorage))).includes('tf_'));
  await page.reload();
  await page.locator('#line.live').waitFor();
  await settled(page);
  // The first address had it behind the #, which no request has.
  assert.ok(seen.addresses.length > 10);
  assert.deepEqual(seen.addresses.filter((address) => new URL(address).search.includes('tf_') || new URL(address).pathname.includes('tf_')), []);
  await page.goBack().catch(() => {});
  assert.ok(!page.url().includes('tf_'), 'the history has the token');
  quiet(seen);
  await context.close();
});

test('who has no token is asked for one, and told when it is not good', async (t) => {
  const served = await Served.of(WEEK, t);
  const { page, context, seen } = await look(served, { token: null });
  await page.locator('#token').waitFor();
  assert.deepEqual(seen.addresses.filter((address) => address.includes('/api/')), [], 'it asked before it had a token');
  quiet(seen);
  await page.locator('#token').fill('tf_00000000_wrong');
  await page.locator('#token').press('Enter');
  await page.locator('.door .trouble').waitFor();
  assert.match(await text(page, '.door .trouble'), /This one is not good/);
  await page.locator('#token').fill(` ${served.token} `);
  await page.getByRole('button', { name: 'Open the journal' }).click();
  await page.locator('#today', { hasText: '+151.91' }).waitFor();
  await page.locator('#line.live').waitFor();
  await context.close();
});

test('a token that is revoked while the page is open leads back to the form', async (t) => {
  const served = await Served.of(WEEK, t);
  const { page, context } = await look(served);
  const [, id] = served.token.split('_');
  served.run('token', 'revoke', id);
  await page.evaluate(() => { location.hash = '#/trades'; });
  await page.locator('.door .trouble').waitFor();
  assert.equal(await page.locator('#trades').count(), 0);
  await context.close();
});

const EVIL = [
  '<img src=x onerror="window.hacked=1">', '"><script>window.hacked=1</script>', '<svg onload=window.hacked=1>', 'javascript:window.hacked=1',
  "' onmouseover=window.hacked=1 x='", '</title><script>window.hacked=1</script>', '<style>*{display:none}</style>', '{{constructor.constructor("window.hacked=1")()}}',
];

function evilWeek() {
  const at = (minute) => `2026-03-02T15:${String(minute).padStart(2, '0')}:00Z`;
  const account_id = EVIL[1];
  const opened = event('AccountOpened', at(0), { account_id, currency: 'USD', starting_equity: '1000', kind: 'sim', broker: EVIL[0], daily_loss_limit: '100' });
  const trades = EVIL.flatMap((evil, number) => {
    const trade_id = `${evil}/../#?&${number}`;
    const fill = (side, minute) => event('FillRecorded', at(minute), { fill_id: `${evil}${side}${number}`, symbol: EVIL[number], side, quantity: 1, price: '10', trade_id, account_id });
    return [
      event('TradeOpened', at(1), { trade_id, symbol: EVIL[number], side: 'long', strategy: evil, regime: evil, timeframe: evil, signal: evil, notes: evil, tags: [evil], account_id, stop_price: '9' }),
      fill('buy', 2 + number), event('RuleBroken', at(3), { rule: evil, severity: 'major', trade_id, detail: evil }), event('NoteAdded', at(4), { text: evil, trade_id, date: '2026-03-02' }),
      // The last one stays open.
      ...(number < EVIL.length - 1 ? [fill('sell', 20 + number), event('TradeExited', at(40), { trade_id, reason: evil, notes: evil })] : []),
    ];
  });
  const states = EVIL.map((evil, number) => event('StateChanged', at(number), { state: 'active', regime: evil, strategy: evil, account_id }));
  return [opened, ...trades, ...states, event('RiskSet', at(50), { key: EVIL[0], value: EVIL[1], account_id })];
}

test('whatever a journal holds is text', async (t) => {
  const served = await Served.of(evilWeek(), t);
  const { page, context, seen } = await look(served);
  const harmless = async (where) => {
    assert.equal(await page.evaluate(() => window.hacked), undefined, where);
    const strange = await page.evaluate(() => [...document.querySelectorAll('main img, main script, main style, main iframe, main [onerror], main [onload], main a[href^="javascript"]')].map((one) => one.outerHTML));
    // The chart library's own mark has a style.
    assert.deepEqual(strange.filter((html) => !html.includes('tv-attr-logo')), [], where);
  };
  await harmless('#/');
  assert.ok((await text(page, '#breakdown')).includes(EVIL[0]), 'what is hostile must be seen as it is');
  for (const name of ['Regime', 'Rule broken', 'Symbol', 'Exit']) {
    await page.locator('#breakdown').getByRole('button', { name, exact: true }).click();
    await settled(page);
  }
  await page.locator('#risk summary').click();
  await harmless('breakdowns');
  for (const path of ['#/trades', '#/review/2026-03-02', '#/system', `#/trades?symbol=${encodeURIComponent(EVIL[0])}&search=${encodeURIComponent(EVIL[1])}`]) {
    await show(page, path);
    await harmless(path);
  }
  // By a click, so that the link is the page's own.
  await show(page, '#/trades');
  assert.equal(await page.locator('#trades tbody tr').count(), EVIL.length);
  for (let row = 0; row < EVIL.length; row += 1) {
    await show(page, '#/trades');
    const id = await page.locator('#trades tbody td:nth-child(2) a').nth(row).textContent();
    await page.locator('#trades tbody td:nth-child(2) a').nth(row).click();
    await page.locator('#trade h2').waitFor();
    await settled(page);
    assert.equal(await page.locator('#trade h2').textContent(), `Trade ${id}`);
    assert.equal(await page.title(), `Trade ${id} · tradefold`);
    assert.ok(await page.locator('#history .step').count() > 2, id);
    await harmless(id);
  }
  quiet(seen);
  await context.close();
});

test('an address that was made up shows a page all the same', async (t) => {
  const served = await Served.of(WEEK, t);
  const { page, context, seen } = await look(served);
  for (const path of ['#/nowhere', '#/review/<script>', '#/review/2026-99-99x', '#/trades?sort=&symbol=%22%3E', '#//', '#/trades?nosuch=1']) {
    await show(page, path);
    assert.ok(await page.locator('main .card').count() > 0, path);
    assert.equal(await page.locator('main .trouble').count(), 0, path);
  }
  quiet(seen);
  // What the server refuses is said where it was asked for.
  await show(page, '#/trade/nosuch');
  assert.match(await text(page, '#trade'), /This could not be shown: there is no trade `nosuch`/);
  await page.evaluate(() => { location.hash = '#/trade/%E0%A4%A'; });
  await page.waitForFunction(() => location.hash === '#/trade/%E0%A4%A');
  await settled(page);
  assert.equal(await page.locator('main .view').count(), 1);
  await context.close();
});
