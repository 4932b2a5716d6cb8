// Charts in SVG: a time series, spreads per stage, the band of what waits.

import { STAGES, known, text, set, make, duration, level } from './words.js';

const SVG = 'http://www.w3.org/2000/svg';

function draw(parent, tag, className, attributes = {}) {
  const element = document.createElementNS(SVG, tag);
  set(element, { class: className, ...attributes });
  return parent.appendChild(element);
}

const sizes = new Map();
let onResize = () => {};

/** What to do when a chart's size changes. */
export function whenResized(redraw) {
  onResize = redraw;
}

const resized = new ResizeObserver((entries) => {
  for (const { target, contentRect } of entries) sizes.set(target, contentRect);
  onResize();
});

function sizeOf(svg) {
  if (!sizes.has(svg)) {
    sizes.set(svg, svg.getBoundingClientRect());
    resized.observe(svg);
  }
  return sizes.get(svg);
}

/** A round number that is at least value: scales then move in calm steps. */
function nice(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return power * [1, 1.2, 1.6, 2, 3, 4, 5, 6, 8, 10].find((step) => step * power >= value);
}

/** A time series with a horizontal grid; lines are [class, sample key, filled]. */
export class Plot {
  constructor(svg, lines, label) {
    this.svg = svg;
    this.label = label;
    this.grid = [1, 0.5].map((at) => ({ at, line: draw(svg, 'line', 'grid'), text: draw(svg, 'text', 'tick') }));
    this.limit = draw(svg, 'line', 'limit');
    this.lines = lines.map(([name, key, filled]) => ({
      key, area: filled ? draw(svg, 'path', `area ${name}`) : null, line: draw(svg, 'path', `line ${name}`),
    }));
  }

  draw(samples, now, span, limit = null) {
    const { width, height } = sizeOf(this.svg);
    if (!width || !samples.length) return;
    const highest = Math.max(...samples.flatMap((s) => this.lines.map(({ key }) => s[key] ?? 0)), 0.5);
    const top = nice(limit && highest > limit / 2 ? Math.max(limit, highest) * 1.05 : highest * 1.08);
    const x = (s) => (width * (1 - (now - s.at) / span)).toFixed(1);
    const y = (value) => 14 + (height - 16) * (1 - value / top);
    for (const { at, line, text: tick } of this.grid) {
      const edge = Math.round(y(top * at)) + 0.5;
      set(line, { x1: 0, x2: width, y1: edge, y2: edge });
      set(tick, { y: edge - 4 });
      text(tick, this.label(top * at));
    }
    const shown = limit !== null && limit <= top;
    this.limit.toggleAttribute('hidden', !shown);
    if (shown) set(this.limit, { x1: 0, x2: width, y1: y(limit), y2: y(limit) });
    for (const { key, area, line } of this.lines) {
      const points = samples.filter((s) => known(s[key]));
      const path = points.map((s, i) => `${i ? 'L' : 'M'}${x(s)} ${y(s[key]).toFixed(1)}`).join('');
      set(line, { d: path });
      if (area) set(area, { d: points.length ? `${path}L${x(points.at(-1))} ${height}L${x(points[0])} ${height}Z` : '' });
    }
  }
}

/** One row per stage on a shared logarithmic axis: solid to p50, pale to p99, a mark at the maximum. */
export class Spread {
  constructor(body, axis) {
    this.axis = axis;
    this.limit = draw(axis, 'line', 'limit');
    this.ticks = Array.from({ length: 7 }, (_, i) => ({ ms: 10 ** i, line: draw(axis, 'line', 'grid'), text: draw(axis, 'text', 'tick') }));
    this.rows = STAGES.slice(1).map((stage) => {
      const numbers = body.appendChild(make('tr', 'numbers'));
      const head = numbers.appendChild(make('th', '', stage));
      head.scope = 'row';
      head.dataset.name = stage;
      const cells = ['p50', 'p90', 'p99', 'max'].map((key) => [key, numbers.appendChild(make('td', '', '–'))]);
      const bars = body.appendChild(make('tr', 'bars'));
      bars.setAttribute('aria-hidden', 'true');
      const cell = bars.appendChild(make('td'));
      cell.colSpan = 5;
      const svg = draw(cell, 'svg', 'bar', { 'data-name': stage });
      draw(svg, 'rect', 'track', { width: '100%', height: '100%', rx: 4 });
      return { stage, cells, parts: ['p99', 'p90', 'p50'].map((key) => [key, draw(svg, 'rect', key, { height: '100%', rx: 4 })]), max: draw(svg, 'rect', 'max', { width: 2, height: '100%' }) };
    });
  }

  draw(gap) {
    const largest = Math.max(gap.objective ?? 0, ...STAGES.slice(1).map((s) => gap[s]?.max ?? 0), 1000);
    const decades = Math.min(6, Math.ceil(Math.log10(largest) - 1e-9));
    const percent = (ms) => (100 * Math.min(1, Math.max(0, Math.log10(Math.max(1, ms)) / decades))).toFixed(2);
    for (const { stage, cells, parts, max } of this.rows) {
      const d = gap[stage] ?? {};
      for (const [key, cell] of cells) text(cell, duration(d[key]));
      for (const [key, rect] of parts) set(rect, { width: known(d[key]) ? `${percent(d[key])}%` : 0 });
      set(max, { x: known(d.max) ? `${Math.min(99.5, percent(d.max))}%` : '-5%' });
    }
    for (const { ms, line, text: label } of this.ticks) {
      const at = Math.min(percent(ms), 99.9);
      const hidden = Math.log10(ms) > decades;
      for (const element of [line, label]) element.toggleAttribute('hidden', hidden);
      set(line, { x1: `${at}%`, x2: `${at}%`, y1: 0, y2: 4 });
      set(label, { x: `${at}%`, y: 16, 'text-anchor': ms === 1 ? 'start' : Math.log10(ms) === decades ? 'end' : 'middle' });
      text(label, level(ms));
    }
    this.limit.toggleAttribute('hidden', !known(gap.objective));
    set(this.limit, { x1: `${percent(gap.objective ?? 0)}%`, x2: `${percent(gap.objective ?? 0)}%`, y1: -14, y2: 4 });
  }
}

/** The band's width at a stage is the square root of what waits there; nothing waits at the end. */
export function ribbon(svg, stages) {
  const { width, height } = sizeOf(svg);
  if (!width) return;
  const open = STAGES.slice(0, 4).map((stage) => stages[stage] ?? 0);
  const most = Math.max(16, ...open);
  const half = [...open.map((n) => 1.5 + (height / 2 - 2) * Math.sqrt(n / most)), 1.5];
  const step = width / 5;
  const points = [[0, half[0]], ...half.map((h, i) => [step * (i + 0.5), h])];
  const side = (list, sign) => list.slice(1).map(([x, h], i) => {
    const [fromX, fromH] = list[i];
    const middle = (fromX + x) / 2;
    return `C${middle} ${height / 2 + sign * fromH} ${middle} ${height / 2 + sign * h} ${x} ${height / 2 + sign * h}`;
  }).join('');
  set(svg.querySelector('.band'), { d: `M0 ${height / 2 - half[0]}${side(points, -1)}L${points.at(-1)[0]} ${height / 2 + half.at(-1)}${side([...points].reverse(), 1)}Z` });
  set(svg.querySelector('.current'), { d: `M0 ${height / 2}H${points.at(-1)[0]}` });
}
