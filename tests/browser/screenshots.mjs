// Makes the pictures of the documentation from the shipped week of trading: docs/images/dashboard-*.png. Who changes what the
// dashboard looks like runs it and looks at them.

import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { close, look, ROOT, Served, show, WEEK } from './support.mjs';

const FOLDER = join(ROOT, 'docs/images');
const BYTES_MAX = 250 * 1024;

const PICTURES = [
  ['dashboard-light', '#/', { viewport: { width: 1400, height: 1120 }, colorScheme: 'light' }],
  ['dashboard-dark', '#/', { viewport: { width: 1400, height: 1560 }, colorScheme: 'dark' }],
  ['dashboard-phone', '#/', { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true, colorScheme: 'light' }],
  ['dashboard-trade', '#/trade/eval-0304-04', { viewport: { width: 1280, height: 1400 }, colorScheme: 'dark' }],
];

/** The week, and a trade that is still open: what is seen during the day. */
const OPEN = [
  '{"type":"TradeOpened","id":"0197b6ce-0000-7000-8000-0000000000f1","occurred_at":"2026-03-09T14:31:05Z","data":{"trade_id":"live-0309-03","symbol":"MESH6","side":"long","strategy":"trend_pullback","regime":"trend_up","timeframe":"5m","account_id":"live-main","stop_price":"6880.00","target_price":"6900.00","planned_quantity":2}}',
  '{"type":"FillRecorded","id":"0197b6ce-0000-7000-8000-0000000000f2","occurred_at":"2026-03-09T14:31:07Z","data":{"fill_id":"F-1","symbol":"MESH6","side":"buy","quantity":2,"price":"6886.50","fees":"0.74","trade_id":"live-0309-03","account_id":"live-main"}}',
  '{"type":"ExcursionMarked","id":"0197b6ce-0000-7000-8000-0000000000f3","occurred_at":"2026-03-09T14:40:00Z","data":{"trade_id":"live-0309-03","high":"6891.25","low":"6884.75"}}',
];

mkdirSync(FOLDER, { recursive: true });
const served = await Served.of([...WEEK, ...OPEN]);
let tooLarge = 0;
for (const [name, path, options] of PICTURES) {
  const { page, context } = await look(served, options);
  await show(page, path);
  await page.evaluate(() => document.fonts.ready);
  // The charts draw with the next frame.
  await page.waitForTimeout(500);
  const file = join(FOLDER, `${name}.png`);
  await page.screenshot({ path: file });
  await context.close();
  const { size } = statSync(file);
  if (size > BYTES_MAX) tooLarge += 1;
  console.log(`${file}: ${size} bytes${size > BYTES_MAX ? ', which is too many' : ''}`);
}
await close();
await served.end();
process.exitCode = tooLarge;
