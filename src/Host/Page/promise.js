// What is promised of the gap, what bounds it, why settlement batches close, and the gap by model.

import { $, known, number, text, make, duration, level } from './words.js';

const PERCENT = new Intl.NumberFormat('en', { style: 'percent', maximumFractionDigits: 3 });
const REASONS = { Full: 'full', Age: 'age', Asked: 'asked', Objective: 'objective near', CheapGas: 'cheap gas' };
const percent = (share) => (known(share) ? PERCENT.format(share) : '–');

/** A burn rate of 1 spends the objective's budget exactly as fast as allowed. */
function burn(element, rate, fast) {
  text(element, known(rate) ? `${rate >= 100 ? Math.round(rate) : rate}×` : '–');
  element.dataset.burn = !known(rate) || rate === 0 ? 'none' : fast ? 'fast' : rate > 1 ? 'over' : 'within';
}

function boundWords({ maxOpen, maxAge, used } = {}) {
  const parts = [known(maxOpen) ? `${number(maxOpen)} open` : '', known(maxAge) ? `oldest ${duration(maxAge)}` : ''].filter(Boolean);
  return parts.length ? `${parts.join(', ')}; ${percent(used)} used` : 'none';
}

function stateWords({ state, delay, slowed, refused, onExceeded } = {}) {
  if (!state) return '–';
  const now = { open: 'open', slowing: `slowed down, ${duration(delay)} each`, refusing: 'refused: the gap is at its bound' }[state] ?? state;
  const past = [slowed ? `${number(slowed)} slowed` : '', refused ? `${number(refused)} refused` : ''].filter(Boolean).join(', ');
  return `${now}${past ? ` (${past} so far)` : ''}; at the bound: ${onExceeded === 'slowDown' ? 'slow down' : 'refuse'}`;
}

function closeWords({ reasons, last, rule } = {}) {
  const counts = Object.entries(reasons ?? {}).filter(([, count]) => count > 0).map(([reason, count]) => `${REASONS[reason] ?? reason} ${number(count)}`);
  return `${counts.join(', ') || 'none yet'}${last ? `; last: ${REASONS[last] ?? last}` : ''}; rule: ${rule ?? '–'}`;
}

export function renderPromise({ objective, bound, closing, gap }) {
  text($('objective-words'), objective ? `${percent(objective.share)} ${objective.stage} within ${level(objective.within)}` : 'no settlement');
  burn($('burn-5m'), objective?.burn5m, objective?.burningFast);
  burn($('burn-1h'), objective?.burn1h, objective?.burningFast);
  text($('objective-met'), number(objective?.met));
  text($('objective-missed'), number(objective?.missed));
  text($('bound-words'), bound ? boundWords(bound) : '–');
  text($('bound-state'), stateWords(bound));
  $('bound-state').dataset.state = bound?.state ?? 'open';
  text($('close-reasons'), closing ? closeWords(closing) : '–');
  renderModels(gap?.byModel ?? [], objective?.stage ?? 'final');
}

const rows = new Map();

function renderModels(models, stage) {
  for (const model of models) {
    let row = rows.get(model.model);
    if (!row) {
      const line = $('by-model').appendChild(make('tr'));
      line.appendChild(make('th')).scope = 'row';
      row = { line, cells: Array.from({ length: 6 }, () => line.appendChild(make('td', 'number'))) };
      text(line.firstChild, model.model);
      rows.set(model.model, row);
    }
    const reached = model[stage] ?? {};
    const values = [number(model.open), model.open ? duration(model.oldestOpen) : 'none', ...['p50', 'p90', 'p99', 'max'].map((key) => duration(reached[key]))];
    row.cells.forEach((cell, i) => text(cell, values[i]));
  }
  const present = new Set(models.map(({ model }) => model));
  for (const [name, row] of rows) if (!present.has(name)) { row.line.remove(); rows.delete(name); }
  $('by-model-empty').hidden = models.length > 0;
}

/** What the notice at the top says of it; nothing while all is well. */
export function promiseNotice({ objective, bound }) {
  const lines = [];
  if (bound?.state === 'refusing') lines.push('The trust gap is at its bound: requests are refused until it closes.');
  if (bound?.state === 'slowing') lines.push(`The trust gap is at its bound: requests wait ${duration(bound.delay)} each.`);
  if (objective?.burningFast) lines.push(`The objective's budget burns ${objective.burn5m} times as fast as allowed.`);
  return lines;
}
