// The live page: one stream of overviews, drawn at most once per frame; proofs are fetched when somebody opens one.
// Whatever the server sends is only ever set as text or as a number.

import { Plot, Spread, ribbon, whenResized } from './charts.js';
import { renderChat } from './chat.js';
import { checks } from './proof.js';
import { renderPromise, promiseNotice } from './promise.js';
import { STAGES, $, known, number, short, text, set, make, duration, level, between, clock, epochWords, measuredWords } from './words.js';

const WINDOW_MS = 120_000; // what the sparklines remember
const FIRST_WINDOW_MS = 20_000; // a fresh page is not an empty chart: the window grows with what is known
const SAMPLE_MS = 250; // finer than the stream's pace, coarse enough that a fast stream costs no memory
const STALE_MS = 6_000; // several missed overviews: the connection is open, but nothing arrives
const RETRY_MS = 2_000; // after an HTTP error EventSource gives up; the page does not
const SETTLED = ['final', 'quarantined']; // nothing comes after these
const ADMIT_MS = 200; // at most five new rows a second
const ROWS = 20; // what fits on a screen and can still be read

// ---- The overview --------------------------------------------------------------------------------------------------

const gapPlot = new Plot($('gap-plot'), [['oldest', 'oldest', true], ['p99', 'p99'], ['p50', 'p50']], level);
const ratePlot = new Plot($('rate-plot'), [['rate', 'rate', true]], (value) => `${number(value)}/s`);
const spread = new Spread($('spread'), $('spread-axis'));
const samples = [];
let latest = null, scheduled = false;

function schedule() {
  if (scheduled || !latest) return;
  scheduled = true;
  requestAnimationFrame(() => {
    scheduled = false;
    render(latest);
  });
}

const windowOf = (now) => Math.max(FIRST_WINDOW_MS, now - samples[0].at);

function sample(overview) {
  const at = performance.now();
  if (samples.length && at - samples.at(-1).at < SAMPLE_MS) samples.pop();
  const { oldestOpen, open, final } = overview.gap ?? {};
  samples.push({ at, oldest: open === 0 ? 0 : oldestOpen, p50: final?.p50, p99: final?.p99, rate: overview.throughput?.requestsPerSecond });
  while (at - samples[0].at > WINDOW_MS) samples.shift();
}

function render(overview) {
  const stages = overview.stages ?? {};
  const gap = overview.gap ?? {};
  renderGap(gap);
  renderPromise(overview);
  spread.draw(gap);
  renderStages(stages, gap);
  renderReceipts(overview.receipts ?? [], overview.now);
  renderSide(overview);
  renderNotice(overview, stages, gap);
  const now = performance.now();
  gapPlot.draw(samples, now, windowOf(now), gap.objective ?? null);
  ratePlot.draw(samples, now, windowOf(now));
  const seconds = Math.round(windowOf(now) / 1000);
  for (const id of ['gap-window', 'rate-window']) text($(id), seconds < 118 ? `last ${seconds} seconds` : 'last two minutes');
}

function renderGap(gap) {
  for (const key of ['p50', 'p90', 'p99', 'max']) text($(`gap-${key}`), duration(gap.final?.[key]));
  text($('gap-oldest'), gap.open === 0 ? 'none' : duration(gap.oldestOpen));
  const used = known(gap.objective) && known(gap.oldestOpen) ? gap.oldestOpen / gap.objective : 0;
  $('gap-oldest').dataset.used = used > 1 ? 'over' : used > 0.75 ? 'near' : 'within';
  text($('gap-objective'), level(gap.objective));
  text($('gap-open'), number(gap.open));
}

function renderStages(stages, gap) {
  for (const element of document.querySelectorAll('[data-stage]')) text(element, number(stages[element.dataset.stage]));
  for (const name of ['quarantined', 'reopened']) document.querySelector(`[data-stage="${name}"]`).parentElement.hidden = !stages[name];
  ribbon($('ribbon'), stages);
  $('ribbon').classList.toggle('moving', gap.open > 0);
}

const CHAIN_WORDS = { ok: 'in step', unreachable: 'chain unreachable: held, resumes by itself' };
const chainWords = (condition) => CHAIN_WORDS[condition] ?? (condition ? `chain: ${condition}` : 'unknown');

function renderNotice(overview, stages, gap) {
  const chain = overview.chain ?? {};
  const lines = promiseNotice(overview);
  if (chain.condition && chain.condition !== 'ok') lines.push(`${chainWords(chain.condition)}${chain.detail ? ` (${chain.detail})` : ''}.`);
  if (stages.quarantined) lines.push(`${number(stages.quarantined)} quarantined.`);
  if (stages.reopened) lines.push(`${number(stages.reopened)} reopened by a reorganisation.`);
  if (gap.oldestOpen > gap.objective) lines.push(`The oldest open receipt is past the objective of ${level(gap.objective)}.`);
  const words = lines.join(' ');
  text($('notice'), words.charAt(0).toUpperCase() + words.slice(1));
  $('notice').hidden = !words;
}

// Executed again behind the anchor: the rate, what it finds, and what it found.
function auditWords(audit) {
  if (!audit) return 'off';
  const { reproduced = 0, disputed = 0, notReproducible = 0, sampled = 0 } = audit.rows;
  const chance = `${(100 * (audit.detection['1000'] ?? 0)).toFixed(1)}%`;
  return `1 row in ${number(audit.oneIn)} (${chance} to meet one of 1,000 bad ones): ${number(reproduced)} reproduced, ${number(disputed)} disputed, ${number(notReproducible)} not reproducible, ${number(sampled)} due`;
}

function renderSide({ version, now, started, log, chain, evidence, epoch, models, languageModels, throughput, audit }) {
  text($('audit'), auditWords(audit));
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
  set($('heads').querySelector('.all'), { width: share(log?.size) });
  set($('heads').querySelector('.anchored'), { width: share(log?.anchoredSize) });
  set($('heads').querySelector('.final'), { width: share(log?.finalSize) });
  const trusted = evidence ? String(evidence.trusted === true) : 'unknown';
  const kind = evidence?.kind ?? 'evidence';
  text($('evidence-badge'), evidence ? `${kind} · ${evidence.trusted === true ? 'accepted' : 'NOT trusted'}` : 'evidence unknown');
  text($('evidence-verdict'), evidence ? `${kind} · ${evidence.verdict ?? (evidence.trusted === true ? 'trusted' : 'not trusted')}` : 'unknown');
  for (const id of ['evidence-badge', 'evidence-verdict']) $(id).dataset.trusted = trusted;
  for (const [id, value] of [['evidence-epoch', evidence?.epoch], ['evidence-measured', measuredWords(evidence?.measurements)], ['evidence-policy', evidence?.policy]]) text($(id), value || '–');
  text($('epoch-key'), epochWords(epoch));
  renderModels(models ?? []);
  renderChat(languageModels ?? []);
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
const dialog = $('proof');
const hovers = matchMedia('(hover: hover)'); // a touch leaves :hover behind
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
  const held = pinned || dialog.open || (hovers.matches && table.matches(':hover')) || table.querySelector(':focus-visible') !== null;
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
    step('Leaf', shownLeaf, []),
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

async function verify() {
  const checked = proof;
  if (!crypto.subtle) return verdict('unavailable', 'Browsers offer SHA-256 only over HTTPS or on loopback: use og verify here.');
  let result;
  try {
    result = await checks({ ...checked, leaf: shownLeaf });
  } catch (error) {
    return verdict('mismatch', `Does NOT match: the proof is malformed (${error.message}).`);
  }
  if (checked !== proof) return undefined;
  const steps = $('proof-chain').children;
  [result.rows || null, result.rows, result.signed, result.logged].forEach((ok, i) => { steps[i].dataset.check = ok === null ? 'open' : ok ? 'match' : 'mismatch'; });
  if (result.rows === null) return verdict('unavailable', 'No path to check yet.');
  const wrong = [[result.rows, 'the path does not lead to the rows root'], [result.signed, 'the statement\'s bytes do not carry this rows root'], [result.logged, 'the statement is not under the checkpoint']].filter(([ok]) => ok === false);
  if (wrong.length) return verdict('mismatch', `Does NOT match: ${wrong.map(([, words]) => words).join('; ')}.`);
  const reach = result.logged ? `, the root is in the statement, the statement is in the log of ${number(checked.checkpoint.size)}` : result.signed ? ', the root is in the statement; the log comes later' : '';
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
whenResized(schedule);
connection('connecting');
connect();
