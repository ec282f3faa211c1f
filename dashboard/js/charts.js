// Owns the charts of time series: how lightweight-charts is dressed, and what is drawn for equity and for a trade. The
// library knows UTC alone, so that it is given what clocks in the page's zone show as if that were UTC.

import {
  AreaSeries, CandlestickSeries, createChart, createSeriesMarkers, HistogramSeries, LineSeries, LineStyle, LineType,
} from '../vendor/lightweight-charts.mjs';
import * as f from './format.js';
import { zone } from './state.js';

const probe = document.createElement('span');
probe.hidden = true;
document.body.append(probe);

/** A colour of the style sheet, as it is now: dark or light. */
function colour(name, alpha) {
  probe.style.setProperty('color', `var(--${name})`);
  const found = getComputedStyle(probe).color;
  return alpha === undefined ? found : found.replace('rgb(', 'rgba(').replace(')', `, ${alpha})`);
}

const iso = (time) => new Date(time * 1000).toISOString();

/** What a mark on the axis says, by what begins there: a year, a month, a day, or nothing but a time. */
function tick(at, kind) {
  const date = at.slice(0, 10);
  return [() => date.slice(0, 4), () => f.month(date).slice(0, 3), () => f.shortDay(date)][kind]?.() ?? f.clock(at, 'UTC');
}

/** What clocks in a zone show at a moment, in seconds as if they were in UTC. */
function onClocks(seconds) {
  const [year, month, day, hour, minute, second] = f.civil(seconds * 1000, zone());
  return Date.UTC(year, month - 1, day, hour, minute, second) / 1000;
}

/** Gives each item, in the order of `at`, its time on the axis: that of the clocks, but always later than the one before, also in
 * the hour that the clocks show twice. */
function onAxis(items) {
  let last = -Infinity;
  return items.map((item) => {
    last = Math.max(onClocks(item.at), last + 1);
    return { ...item, time: last };
  });
}

function dress() {
  return {
    layout: {
      background: { color: 'transparent' }, textColor: colour('quiet'), fontSize: 12,
      fontFamily: getComputedStyle(document.body).fontFamily, attributionLogo: true,
      panes: { separatorColor: colour('line'), enableResize: false },
    },
    grid: { vertLines: { visible: false }, horzLines: { color: colour('line', 0.6) } },
    rightPriceScale: { borderVisible: false },
    timeScale: {
      borderVisible: false, timeVisible: true, secondsVisible: false,
      tickMarkFormatter: (time, kind) => tick(iso(time), kind),
    },
    crosshair: { vertLine: { labelBackgroundColor: colour('raised-dark') }, horzLine: { labelBackgroundColor: colour('raised-dark') } },
    localization: { timeFormatter: (time) => f.time(iso(time), 'UTC') },
  };
}

function chartIn(container, options = {}) {
  const chart = createChart(container, {
    autoSize: true, ...dress(), ...options,
    handleScroll: { mouseWheel: false, vertTouchDrag: false }, handleScale: { mouseWheel: false },
  });
  return chart;
}

const toSeconds = (time) => Math.floor(new Date(time).getTime() / 1000);

/** Points of one second are one point: the library knows no finer time. The last value counts, and the deepest drawdown. */
export function bySecond(points) {
  const merged = [];
  for (const point of points) {
    const at = toSeconds(point.timestamp);
    const last = merged.at(-1);
    // What closed out of order stays where it is in the curve.
    if (last && at <= last.at) {
      const [drawdown, drawdown_r] = [Math.max(last.drawdown, point.drawdown), Math.max(last.drawdown_r, point.drawdown_r)];
      Object.assign(last, point, { at: last.at, drawdown, drawdown_r });
    } else merged.push({ ...point, at });
  }
  return merged;
}

/** Equity over its drawdown. */
export class EquityChart {
  #chart;
  #line;
  #drawdown;
  #points = [];
  #unit = 'money';

  constructor(container) {
    this.#chart = chartIn(container);
    this.#line = this.#chart.addSeries(AreaSeries, { lineWidth: 2, priceLineVisible: false });
    this.#drawdown = this.#chart.addSeries(HistogramSeries, { priceLineVisible: false, lastValueVisible: false }, 1);
    const [above, below] = this.#chart.panes();
    above.setStretchFactor(3);
    below.setStretchFactor(1);
    this.redress();
  }

  redress() {
    this.#chart.applyOptions(dress());
    this.#line.applyOptions({ lineColor: colour('up'), topColor: colour('up', 0.25), bottomColor: colour('up', 0.02) });
    this.#drawdown.applyOptions({ color: colour('down', 0.75) });
    this.#draw();
  }

  set(points, unit) {
    const before = this.#points.length;
    this.#points = onAxis(bySecond(points));
    const moved = unit !== this.#unit || this.#points.length !== before;
    this.#unit = unit;
    this.#draw();
    if (moved) this.#chart.timeScale().fitContent();
  }

  #draw() {
    const inMoney = this.#unit === 'money';
    const format = { type: 'custom', minMove: 0.01, formatter: inMoney ? (value) => f.number(value, Math.abs(value) < 1000 ? 2 : 0) : (value) => `${f.number(value, 1)} R` };
    this.#line.applyOptions({ priceFormat: format });
    this.#drawdown.applyOptions({ priceFormat: format });
    this.#line.setData(this.#points.map((point) => ({ time: point.time, value: inMoney ? point.equity : point.cumulative_r })));
    this.#drawdown.setData(this.#points.map((point) => ({ time: point.time, value: -(inMoney ? point.drawdown : point.drawdown_r) })));
  }

  remove() {
    this.#chart.remove();
  }
}

/** The place on the axis of a moment: that of the last bar that began by then. */
function barOf(bars, at) {
  let [low, high] = [0, bars.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (bars[middle].at <= at) low = middle;
    else high = middle - 1;
  }
  return bars[low]?.time ?? at;
}

/** Fills of a bar and side as one, at their average price: marks over each other can't be read. */
function byBar(base, fills) {
  const merged = new Map();
  for (const fill of fills) {
    const time = barOf(base, toSeconds(fill.timestamp));
    const key = `${time} ${fill.side}`;
    const other = merged.get(key);
    const quantity = fill.quantity + (other?.quantity ?? 0);
    const price = other ? (other.price * other.quantity + fill.price * fill.quantity) / quantity : fill.price;
    merged.set(key, { time, side: fill.side, entry: fill.entry, quantity, price });
  }
  return [...merged.values()].sort((a, b) => a.time - b.time);
}

/** A trade's price path: {bars, fills, stops, targets, lines}, all in the order of time. */
export class TradeChart {
  #chart;
  #path;
  #price;
  #markers;
  #stops;
  #targets;
  #lines = [];

  constructor(container, path) {
    this.#path = path;
    this.#chart = chartIn(container);
    const bare = { priceLineVisible: false, lastValueVisible: false, crosshairMarkerVisible: false };
    this.#price = path.bars.length > 0
      ? this.#chart.addSeries(CandlestickSeries, bare) : this.#chart.addSeries(LineSeries, { ...bare, lineWidth: 2 });
    const steps = { ...bare, lineType: LineType.WithSteps, lineWidth: 2, lineStyle: LineStyle.Dashed };
    this.#stops = this.#chart.addSeries(LineSeries, steps);
    this.#targets = this.#chart.addSeries(LineSeries, { ...steps, lineStyle: LineStyle.Dotted });
    this.#markers = createSeriesMarkers(this.#price, [], { zOrder: 'top' });
    this.redress();
    this.#chart.timeScale().fitContent();
  }

  redress() {
    const { bars, fills } = this.#path;
    this.#chart.applyOptions({ ...dress(), localization: { ...dress().localization, priceFormatter: f.price } });
    const base = onAxis(bars.length > 0 ? bars : this.#withoutBars());
    if (bars.length > 0) {
      // Grey, so that what was bought and sold stands out; hollow where the price rose and filled where it fell.
      const grey = colour('candle');
      this.#price.applyOptions({
        upColor: 'transparent', downColor: colour('candle', 0.55), borderUpColor: grey, borderDownColor: grey, wickUpColor: grey, wickDownColor: grey,
      });
    } else this.#price.applyOptions({ color: colour('quiet') });
    this.#price.setData(base.map(({ at, ...bar }) => bar));
    this.#stops.applyOptions({ color: colour('alarm') });
    this.#targets.applyOptions({ color: colour('good') });
    this.#stops.setData(stepped(base, this.#path.stops));
    this.#targets.setData(stepped(base, this.#path.targets));
    this.#markers.setMarkers(byBar(base, fills).map((fill) => ({
      time: fill.time, price: fill.price, position: fill.side === 'buy' ? 'atPriceBottom' : 'atPriceTop',
      shape: fill.side === 'buy' ? 'arrowUp' : 'arrowDown', color: colour(fill.side === 'buy' ? 'up' : 'down'),
      text: `${fill.entry ? 'in' : 'out'} ${f.quantity(fill.quantity)}`, size: 1,
    })));
    for (const line of this.#lines) this.#price.removePriceLine(line);
    this.#lines = this.#path.lines.map((line) => this.#price.createPriceLine({
      price: line.price, title: line.title, color: colour(line.colour), lineWidth: 1, lineStyle: LineStyle.SparseDotted, axisLabelVisible: true,
    }));
  }

  /** Without bars the fills themselves are all that is known of the price. */
  #withoutBars() {
    const seen = new Map(this.#path.fills.map((fill) => [toSeconds(fill.timestamp), fill.price]));
    for (const step of [...this.#path.stops, ...this.#path.targets]) {
      const at = toSeconds(step.timestamp);
      if (!seen.has(at)) seen.set(at, undefined);
    }
    const sorted = [...seen].sort(([a], [b]) => a - b);
    return sorted.map(([at, value]) => (value === undefined ? { at } : { at, value }));
  }

  remove() {
    this.#chart.remove();
  }
}

/** A level over time, from where each step begins to where the last one ends. A step is {timestamp, until, price}. */
function stepped(base, steps) {
  const values = new Map();
  for (const step of steps) {
    const [from, to] = [barOf(base, toSeconds(step.timestamp)), barOf(base, toSeconds(step.until))];
    for (const { time } of base) {
      if (time >= from && time <= to) values.set(time, step.price);
    }
  }
  return [...values].sort(([a], [b]) => a - b).map(([time, value]) => ({ time, value }));
}
