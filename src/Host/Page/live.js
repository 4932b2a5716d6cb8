// The live page: one stream of overviews, drawn at most once per frame; proofs are fetched when somebody opens one.
// Whatever the server sends is only ever set as text or as a number.

const STAGES = ['executed', 'durable', 'verified', 'anchored', 'final'];
const WINDOW_MS = 120_000; // what the sparklines remember
const FIRST_WINDOW_MS = 20_000; // a fresh page is not an empty chart: the window grows with what is known
const SAMPLE_MS = 250; // finer than the stream's pace, coarse enough that a fast stream costs no memory
const STALE_MS = 6_000; // several missed overviews: the connection is open, but nothing arrives
const RETRY_MS = 2_000; // after an HTTP error EventSource gives up; the page does not
const SETTLED = ['final', 'quarantined']; // nothing comes after these
const ADMIT_MS = 200; // at most five new rows a second
const ROWS = 20; // what fits on a screen and can still be read

const $ = (id) => document.getElementById(id);
const count = new Intl.NumberFormat('en');
const known = (value) => typeof value === 'number' && Number.isFinite(value);
const number = (value) => (known(value) ? count.format(value) : '–');
const short = (hex, head = 8, tail = 6) => (hex ? `${hex.slice(0, head)}…${hex.slice(-tail)}` : '–');

function text(element, value) {
  if (element.textContent !== value) element.textContent = value;
}

function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
}

function make(tag, className, content) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (content !== undefined) element.textContent = content;
  return element;
}

/** Milliseconds for people: "840 ms", "2.1 s", "3 m 05 s". */
function duration(ms) {
  if (!known(ms)) return '–';
  if (ms < 999.5) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(ms < 9_950 ? 2 : 1)} s`;
  const seconds = Math.round(ms / 1000);
  const parts = [[86400, 'd'], [3600, 'h'], [60, 'm'], [1, 's']].map(([unit, name], i, all) =>
    [Math.floor((i ? seconds % all[i - 1][0] : seconds) / unit), name]);
  const first = parts.findIndex(([value]) => value > 0);
  return parts.slice(first, first + 2).map(([value, name], i) => `${i ? String(value).padStart(2, '0') : value} ${name}`).join(' ');
}

const time = (iso) => (iso ? new Date(iso) : null);
const between = (from, to) => (from && to ? time(to) - time(from) : null);
const clock = (iso) => time(iso)?.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' }) ?? '–';

// ---- Drawing -------------------------------------------------------------------------------------------------------

const SVG = 'http://www.w3.org/2000/svg';

function draw(parent, tag, className, attributes = {}) {
  const element = document.createElementNS(SVG, tag);
  set(element, { class: className, ...attributes });
  return parent.appendChild(element);
}

const sizes = new Map();
const resized = new ResizeObserver((entries) => {
  for (const { target, contentRect } of entries) sizes.set(target, contentRect);
  schedule();
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
class Plot {
  constructor(svg, lines, label) {
    this.svg = svg;
    this.label = label;
    this.grid = [1, 0.5].map((at) => ({ at, line: draw(svg, 'line', 'grid'), text: draw(svg, 'text', 'tick') }));
    this.limit = draw(svg, 'line', 'limit');
    this.lines = lines.map(([name, key, filled]) => ({
      key, area: filled ? draw(svg, 'path', `area ${name}`) : null, line: draw(svg, 'path', `line ${name}`),
    }));
  }

  draw(samples, now, limit = null) {
    const { width, height } = sizeOf(this.svg);
    if (!width || !samples.length) return;
    const highest = Math.max(...samples.flatMap((s) => this.lines.map(({ key }) => s[key] ?? 0)), 0.5);
    const top = nice(limit && highest > limit / 2 ? Math.max(limit, highest) * 1.05 : highest * 1.08);
    const span = Math.max(FIRST_WINDOW_MS, now - samples[0].at);
    const x = (s) => (width * (1 - (now - s.at) / span)).toFixed(1);
    const y = (value) => 14 + (height - 16) * (1 - value / top);
    for (const { at, line, text: tick } of this.grid) {
      const level = Math.round(y(top * at)) + 0.5;
      set(line, { x1: 0, x2: width, y1: level, y2: level });
      set(tick, { y: level - 4 });
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
class Spread {
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
      text(label, ms < 1000 ? `${ms} ms` : `${number(ms / 1000)} s`);
    }
    this.limit.toggleAttribute('hidden', !known(gap.objective));
    set(this.limit, { x1: `${percent(gap.objective ?? 0)}%`, x2: `${percent(gap.objective ?? 0)}%`, y1: -14, y2: 4 });
  }
}

/** The band's width at a stage is the square root of what waits there; nothing waits at the end. */
function ribbon(svg, stages) {
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

// ---- The overview --------------------------------------------------------------------------------------------------

const gapPlot = new Plot($('gap-plot'), [['oldest', 'oldest', true], ['p99', 'p99'], ['p50', 'p50']], duration);
const ratePlot = new Plot($('rate-plot'), [['rate', 'rate', true]], (value) => `${number(value)}/s`);
const spread = new Spread($('spread'), $('spread-axis'));
const samples = [];
let latest = null;
let scheduled = false;

function schedule() {
  if (scheduled || !latest) return;
  scheduled = true;
  requestAnimationFrame(() => {
    scheduled = false;
    render(latest);
  });
}

function sample(overview) {
  const at = performance.now();
  if (samples.length && at - samples.at(-1).at < SAMPLE_MS) samples.pop();
  const { oldestOpen, final } = overview.gap ?? {};
  samples.push({ at, oldest: oldestOpen ?? 0, p50: final?.p50, p99: final?.p99, rate: overview.throughput?.requestsPerSecond });
  while (at - samples[0].at > WINDOW_MS) samples.shift();
}

function render(overview) {
  const stages = overview.stages ?? {};
  const gap = overview.gap ?? {};
  renderGap(gap);
  spread.draw(gap);
  renderStages(stages, gap);
  renderReceipts(overview.receipts ?? [], overview.now);
  renderSide(overview);
  renderNotice(overview.chain ?? {}, stages, gap);
  const now = performance.now();
  gapPlot.draw(samples, now, gap.objective ?? null);
  ratePlot.draw(samples, now);
}

function renderGap(gap) {
  for (const key of ['p50', 'p90', 'p99', 'max']) text($(`gap-${key}`), duration(gap.final?.[key]));
  text($('gap-oldest'), gap.open === 0 ? 'none' : duration(gap.oldestOpen));
  const used = known(gap.objective) && known(gap.oldestOpen) ? gap.oldestOpen / gap.objective : 0;
  $('gap-oldest').dataset.used = used > 1 ? 'over' : used > 0.75 ? 'near' : 'within';
  text($('gap-objective'), duration(gap.objective));
  text($('gap-open'), number(gap.open));
}

function renderStages(stages, gap) {
  for (const element of document.querySelectorAll('[data-stage]')) text(element, number(stages[element.dataset.stage]));
  for (const name of ['quarantined', 'reopened']) document.querySelector(`[data-stage="${name}"]`).parentElement.hidden = !stages[name];
  ribbon($('ribbon'), stages);
  $('ribbon').classList.toggle('moving', gap.open > 0);
}

const CHAIN_WORDS = {
  ok: 'in step',
  unreachable: 'chain unreachable: held, resumes by itself',
};
const chainWords = (condition) => CHAIN_WORDS[condition] ?? (condition ? `chain: ${condition}` : 'unknown');

function renderNotice(chain, stages, gap) {
  const lines = [];
  if (chain.condition && chain.condition !== 'ok') lines.push(`${chainWords(chain.condition)}${chain.detail ? ` (${chain.detail})` : ''}.`);
  if (stages.quarantined) lines.push(`${number(stages.quarantined)} quarantined.`);
  if (stages.reopened) lines.push(`${number(stages.reopened)} reopened by a reorganisation.`);
  if (gap.oldestOpen > gap.objective) lines.push(`The oldest open receipt is past the objective of ${duration(gap.objective)}.`);
  const words = lines.join(' ');
  text($('notice'), words.charAt(0).toUpperCase() + words.slice(1));
  $('notice').hidden = !words;
}

function renderSide({ version, now, started, log, chain, evidence, models, throughput }) {
  text($('version'), version ?? '');
  text($('uptime'), started ? `up ${duration(between(started, now))}` : '');
  const rate = throughput?.requestsPerSecond;
  text($('throughput'), known(rate) ? (rate < 100 ? rate.toFixed(1) : number(Math.round(rate))) : '–');
  text($('total'), number(throughput?.receipts));
  for (const [id, value] of [['log-size', log?.size], ['log-anchored', log?.anchoredSize], ['log-final', log?.finalSize], ['chain-block', chain?.block]]) text($(id), number(value));
  text($('chain-id'), known(chain?.id) ? String(chain.id) : '–');
  text($('chain-finality'), chain?.finality ?? '–');
  text($('chain-contract'), chain?.contract ?? '–');
  text($('log-id'), log?.id ?? '–');
  $('log-id').title = log?.origin ?? '';
  text($('chain-condition'), chainWords(chain?.condition));
  $('chain-condition').dataset.ok = chain?.condition ? String(chain.condition === 'ok') : 'unknown';
  const share = (part) => `${log?.size ? Math.min(100, (100 * (part ?? 0)) / log.size) : 0}%`;
  set($('heads').querySelector('.anchored'), { width: share(log?.anchoredSize) });
  set($('heads').querySelector('.final'), { width: share(log?.finalSize) });
  const trusted = evidence ? String(evidence.trusted === true) : 'unknown';
  const kind = evidence?.kind ?? 'evidence';
  text($('evidence-badge'), evidence ? `${kind} · ${evidence.trusted === true ? 'trusted' : 'NOT trusted'}` : 'evidence unknown');
  text($('evidence-verdict'), evidence ? `${kind} · ${evidence.verdict ?? (evidence.trusted === true ? 'trusted' : 'not trusted')}` : 'unknown');
  for (const id of ['evidence-badge', 'evidence-verdict']) $(id).dataset.trusted = trusted;
  text($('evidence-epoch'), evidence?.epoch ?? '–');
  renderModels(models ?? []);
}

const CLASSES = { A: 'batch-invariant', B: 'shape-dependent', C: 'content-dependent', U: 'not probed' };
const modelRows = new Map();

function renderModels(models) {
  for (const model of models) {
    const key = `${model.name}/${model.version}`;
    let row = modelRows.get(key);
    if (!row) {
      row = { item: $('models').appendChild(make('li')) };
      for (const part of ['name', 'class', 'identity', 'load']) row[part] = row.item.appendChild(make('span', part));
      modelRows.set(key, row);
    }
    row.item.dataset.ready = String(model.ready !== false);
    text(row.name, `${model.name ?? '–'} ${model.version ? `v${model.version}` : ''}${model.ready === false ? ' (not ready)' : ''}`);
    text(row.class, `${model.determinism ?? 'U'} ${CLASSES[model.determinism ?? 'U'] ?? ''}`);
    text(row.identity, short(model.identity));
    row.identity.title = model.identity ?? '';
    text(row.load, `${number(model.requests)} requests${known(model.averageBatch) ? `, ${model.averageBatch.toFixed(1)} per batch` : ''}`);
  }
  const present = new Set(models.map((m) => `${m.name}/${m.version}`));
  for (const [key, row] of modelRows) if (!present.has(key)) { row.item.remove(); modelRows.delete(key); }
}

// ---- The last receipts ---------------------------------------------------------------------------------------------

const table = $('receipts');
const receiptRows = new Map();
let pinned = false;
let admitted = 0; // when rows last came in

function receiptRow() {
  const row = { line: make('tr') };
  row.leaf = row.line.appendChild(make('td')).appendChild(make('button', 'leaf'));
  row.leaf.type = 'button';
  row.model = row.line.appendChild(make('td', 'wide'));
  const stage = row.line.appendChild(make('td', 'stage'));
  stage.appendChild(make('span', 'track')).append(...STAGES.map(() => make('i')));
  row.stage = stage.appendChild(make('span', 'stage-name'));
  row.gap = row.line.appendChild(make('td', 'number'));
  row.time = row.line.appendChild(make('td', 'wide number'));
  return row;
}

/**
 * Newest first, but never faster than an eye follows: a busy engine's new receipts are sampled, one per statement, so that
 * each row can be seen walking to final. A row leaves at the bottom, or when the server no longer says where it stands.
 */
function choose(receipts) {
  const listed = new Map(receipts.filter((r) => r.leaf).map((r) => [r.leaf, r]));
  const shown = [...table.children].map((line) => line.dataset.leaf);
  const kept = shown.filter((leaf) => listed.has(leaf) || SETTLED.includes(receiptRows.get(leaf)?.line.dataset.at));
  const leaves = [...listed.keys()];
  if (!kept.length) return leaves.filter((_, i) => i % Math.ceil(leaves.length / ROWS) === 0);
  const newest = kept.findIndex((leaf) => listed.has(leaf));
  let fresh = newest < 0 ? leaves : leaves.slice(0, leaves.indexOf(kept[newest]));
  const room = Math.floor((performance.now() - admitted) / ADMIT_MS);
  if (fresh.length > room) {
    const seen = new Set();
    fresh = fresh.filter((leaf) => !seen.has(listed.get(leaf).statement) && seen.add(listed.get(leaf).statement)).slice(0, room);
  }
  if (fresh.length) admitted = performance.now();
  return [...fresh, ...kept].slice(0, ROWS);
}

function renderReceipts(receipts, now) {
  // Nothing may move under a pointer or the focus; stages still walk forward.
  const held = pinned || table.matches(':hover') || table.contains(document.activeElement);
  if (!held) arrange(choose(receipts));
  for (const receipt of receipts) {
    const row = receiptRows.get(receipt.leaf);
    if (!row) continue;
    row.line.dataset.at = receipt.stage ?? 'executed';
    text(row.leaf, short(receipt.leaf, 10, 6));
    set(row.leaf, { 'aria-label': `proof of leaf ${receipt.leaf.slice(0, 10)}` });
    text(row.model, receipt.model ?? '–');
    text(row.stage, receipt.stage ?? '–');
    text(row.gap, receipt.stage === 'quarantined' ? '–' : duration(between(receipt.executed, receipt.final ?? now)));
    text(row.time, clock(receipt.executed));
  }
  text($('hold-note'), held && receiptRows.size ? 'held while you look; stages keep moving' : 'newest first; open one for its public proof');
  $('receipts-empty').hidden = receiptRows.size > 0;
}

function arrange(leaves) {
  const free = [];
  for (const [leaf, row] of receiptRows) if (!leaves.includes(leaf)) { row.line.remove(); receiptRows.delete(leaf); free.push(row); }
  let next = table.firstElementChild;
  for (const leaf of leaves) {
    const row = receiptRows.get(leaf) ?? free.pop() ?? receiptRow();
    receiptRows.set(leaf, row);
    row.line.dataset.leaf = leaf;
    if (row.line === next) next = next.nextElementSibling;
    else table.insertBefore(row.line, next);
  }
}

// ---- One proof -----------------------------------------------------------------------------------------------------

const dialog = $('proof');
let proof = null; // what the dialog shows
let shownLeaf = null;
let proofText = '';

async function openProof(leaf) {
  [shownLeaf, proof, proofText] = [leaf, null, ''];
  for (const id of ['proof-times', 'proof-chain']) $(id).replaceChildren();
  verdict('none', 'Recomputes the SHA-256 paths in this browser.');
  if (!dialog.open) dialog.showModal();
  history.replaceState(null, '', `#leaf=${leaf}`);
  while (dialog.open && shownLeaf === leaf && !(await refreshProof(leaf))) await new Promise((done) => setTimeout(done, 1000));
}

/** True when nothing more will come: the receipt is final or quarantined, or nobody knows it. */
async function refreshProof(leaf) {
  let problem = '';
  let closed = false;
  try {
    const response = await fetch(`v1/leaves/${leaf}`, { headers: { accept: 'application/json' } });
    const body = await response.text();
    if (shownLeaf !== leaf) return true;
    if (response.ok && body !== proofText) {
      [proof, proofText] = [JSON.parse(body), body];
      renderProof(proof);
      if (dialog.querySelector('#proof-verdict').dataset.verdict !== 'none') await verify();
    }
    closed = response.status === 404 || SETTLED.includes(proof?.stage);
    if (!response.ok) problem = response.status === 404 ? 'No receipt with this leaf hash is known here.' : `The proof could not be fetched: HTTP ${response.status}.`;
  } catch (error) {
    problem = `The proof could not be fetched: ${error.message}. Trying again.`;
  }
  if (proof?.reasons?.length) problem = `Quarantined: ${proof.reasons.join(', ')}. ${problem}`;
  text($('proof-problem'), problem);
  $('proof-problem').hidden = !problem;
  $('proof-verify').disabled = !proof;
  return closed;
}

function renderProof(p) {
  text($('proof-stage'), p.stage ?? '');
  dialog.dataset.at = p.stage ?? 'executed';
  const times = p.times ?? {};
  const names = [...STAGES, 'quarantined', 'reopened'].filter((name) => STAGES.includes(name) || times[name]);
  $('proof-times').replaceChildren(...names.map((name) => {
    const item = make('li', times[name] ? 'reached' : '');
    const gap = between(times.executed, times[name]);
    item.append(make('b', '', name), make('span', '', name === 'executed' ? clock(times[name]) : gap === null ? 'not yet' : `+${duration(gap)}`));
    return item;
  }));
  const path = (list) => (list ? ['path', list] : null);
  const { row, statement, inclusion, checkpoint, anchor } = p;
  const opened = [...$('proof-chain').querySelectorAll('details')].map((d) => d.open);
  $('proof-chain').replaceChildren(
    step('Leaf', p.leaf, []),
    step('Rows root', row?.root, row && [['row', `${number(row.index)} of ${number(row.count)}`], path(row.path)]),
    step('Statement', statement?.id, statement && [['model', statement.model], ['sequence', number(statement.sequence)], ['epoch', statement.epoch], ['signature', statement.signature]]),
    step('Checkpoint', checkpoint?.root, checkpoint && [['size', number(checkpoint.size)], ['log index', number(inclusion?.index)], path(inclusion?.path), ['signature', checkpoint.signature], ['note', checkpoint.note]]),
    step('Anchor', anchor?.transaction, anchor && [['block', number(anchor.block)], ['block hash', anchor.blockHash], ['log index', number(anchor.logIndex)], ['contract', anchor.contract]]),
  );
  $('proof-chain').querySelectorAll('details').forEach((d, i) => { d.open = opened[i] ?? false; });
}

function step(title, hash, facts) {
  const item = make('li', hash ? '' : 'missing');
  item.append(make('h3', '', title), make('code', '', hash ?? 'not yet'));
  const list = make('dl', 'pairs');
  for (const [name, value] of (facts || []).filter((fact) => fact && fact[1])) {
    const pair = list.appendChild(make('div', String(value).length > 24 || Array.isArray(value) ? 'hash' : ''));
    pair.append(make('dt', '', name), make('dd'));
    if (!Array.isArray(value) && name !== 'note') text(pair.lastChild, String(value));
    else {
      const more = pair.lastChild.appendChild(make('details'));
      more.append(make('summary', '', name === 'note' ? 'signed note' : `${value.length} ${value.length === 1 ? 'hash' : 'hashes'}`), make('pre', '', [value].flat().join('\n')));
    }
  }
  if (list.children.length) item.append(list);
  return item;
}

// ---- Verifying in the browser --------------------------------------------------------------------------------------

const fromHex = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
const toHex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
const fromBase64 = (value) => Uint8Array.from(atob(value), (c) => c.charCodeAt(0));

async function sha256(...parts) {
  const input = new Uint8Array(await new Blob(parts).arrayBuffer());
  return new Uint8Array(await crypto.subtle.digest('SHA-256', input));
}

/** The root that a path leads to (RFC 6962 §2.1.1), or null when its length does not fit the tree's shape. */
async function climb(leaf, index, size, path) {
  if (!(index < size)) return null;
  let node = fromHex(leaf);
  let used = 0;
  for (; size > 1; index = Math.floor(index / 2), size = Math.ceil(size / 2)) {
    const left = index % 2 === 1;
    if (!left && index + 1 >= size) continue;
    if (used === path.length) return null;
    const sibling = fromHex(path[used++]);
    node = await sha256(Uint8Array.of(1), ...(left ? [sibling, node] : [node, sibling]));
  }
  return used === path.length ? toHex(node) : null;
}

/** The rows root inside a statement's bytes (docs/formats.md, "Batch statement"), or null when they are no statement. */
async function signedRoot(bytes) {
  const body = bytes.slice(185);
  if (toHex(await sha256(body)) !== toHex(bytes.slice(88, 120))) return null;
  const head = body[2] === 0x59 ? 3 : body[2] === 0x58 ? 2 : 1; // key 1: the context, a byte string of any length
  const length = head === 3 ? body[3] * 256 + body[4] : head === 2 ? body[3] : body[2] & 31;
  const key = 2 + head + length;
  return body[key] === 2 && body[key + 1] === 0x58 && body[key + 2] === 32 ? toHex(body.slice(key + 3, key + 35)) : null;
}

/** Each check: true, false, or null when the proof has not grown that far. In the order of the steps shown. */
async function checks({ leaf, row, statement, inclusion, checkpoint }) {
  const rows = row ? (await climb(leaf, row.index, row.count, row.path)) === row.root : null;
  let signed = null;
  if (statement?.bytes && row) {
    const bytes = fromBase64(statement.bytes);
    signed = toHex(await sha256(Uint8Array.of(0), bytes)) === statement.id && (await signedRoot(bytes)) === row.root;
  }
  let logged = null;
  if (statement && inclusion && checkpoint) {
    const [, size, root] = (checkpoint.note ?? '').split('\n');
    logged = inclusion.size === checkpoint.size
      && (await climb(statement.id, inclusion.index, inclusion.size, inclusion.path)) === checkpoint.root
      && (!checkpoint.note || (size === String(checkpoint.size) && toHex(fromBase64(root ?? '')) === checkpoint.root));
  }
  return { rows, signed, logged };
}

async function verify() {
  const checked = proof;
  if (!crypto.subtle) return verdict('unavailable', 'Browsers offer SHA-256 only over HTTPS or on loopback: use og verify here.');
  let result;
  try {
    result = await checks(checked);
  } catch (error) {
    return verdict('mismatch', `Does NOT match: the proof is malformed (${error.message}).`);
  }
  if (checked !== proof) return undefined;
  const steps = $('proof-chain').children;
  [result.rows, result.rows, result.signed, result.logged].forEach((ok, i) => { steps[i].dataset.check = ok === null ? 'open' : ok ? 'match' : 'mismatch'; });
  if (result.rows === null) return verdict('unavailable', 'No path to check yet.');
  const wrong = [[result.rows, 'the path does not lead to the rows root'], [result.signed, 'the statement\'s bytes do not carry this rows root'], [result.logged, 'the statement is not under the checkpoint']].filter(([ok]) => ok === false);
  if (wrong.length) return verdict('mismatch', `Does NOT match: ${wrong.map(([, words]) => words).join('; ')}.`);
  const reach = result.logged ? `, in a statement of the log's ${number(checked.checkpoint.size)}` : result.signed ? ', in the statement; the log comes later' : '';
  return verdict('match', `Matches: the leaf is under the rows root${reach}.`);
}

function verdict(kind, words) {
  $('proof-verdict').dataset.verdict = kind;
  text($('proof-verdict'), words);
}

// ---- Wiring --------------------------------------------------------------------------------------------------------

table.addEventListener('click', (event) => {
  const leaf = event.target.closest('tr')?.dataset.leaf;
  if (leaf) openProof(leaf);
});
$('hold').addEventListener('click', () => {
  pinned = !pinned;
  set($('hold'), { 'aria-pressed': pinned });
  schedule();
});
$('find').addEventListener('submit', (event) => {
  event.preventDefault();
  openProof($('find-leaf').value.trim().toLowerCase());
});
$('proof-verify').addEventListener('click', verify);
$('proof-close').addEventListener('click', () => dialog.close());
dialog.addEventListener('click', (event) => { if (event.target === dialog) dialog.close(); });
dialog.addEventListener('close', () => {
  shownLeaf = null;
  history.replaceState(null, '', location.pathname + location.search);
});

function followAddress() {
  const leaf = /^#leaf=([0-9a-f]{64})$/.exec(location.hash)?.[1];
  if (leaf && leaf !== shownLeaf) openProof(leaf);
}
addEventListener('hashchange', followAddress);
followAddress();

const CONNECTION = { connecting: 'connecting', live: 'live', stale: 'connected, no news', reconnecting: 'reconnecting' };
let heard = performance.now();

function connection(state) {
  document.body.dataset.connection = state;
  $('connection').dataset.state = state;
  text($('connection'), CONNECTION[state]);
}

function connect() {
  const source = new EventSource('v1/events');
  source.addEventListener('overview', (event) => {
    try {
      latest = JSON.parse(event.data) ?? {};
    } catch {
      return; // a torn event: the next one is complete
    }
    heard = performance.now();
    connection('live');
    sample(latest);
    schedule();
  });
  source.addEventListener('error', () => {
    connection('reconnecting');
    if (source.readyState === EventSource.CLOSED) setTimeout(connect, RETRY_MS);
  });
}

setInterval(() => {
  if (document.body.dataset.connection === 'live' && performance.now() - heard > STALE_MS) connection('stale');
}, 1000);
connection('connecting');
connect();
