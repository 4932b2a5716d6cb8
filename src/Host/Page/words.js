// What every part of the page needs: elements, texts, and numbers and times for people.

export const STAGES = ['executed', 'durable', 'verified', 'anchored', 'final'];

export const $ = (id) => document.getElementById(id);
export const count = new Intl.NumberFormat('en');
export const known = (value) => typeof value === 'number' && Number.isFinite(value);
export const number = (value) => (known(value) ? count.format(value) : '–');
export const short = (hex, head = 8, tail = 6) => (hex ? `${hex.slice(0, head)}…${hex.slice(-tail)}` : '–');

export function text(element, value) {
  if (element.textContent !== value) element.textContent = value;
}

export function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
}

export function make(tag, className, content) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (content !== undefined) element.textContent = content;
  return element;
}

/** Milliseconds for people: "840 ms", "2.1 s", "3 m 05 s". */
export function duration(ms) {
  if (!known(ms)) return '–';
  if (ms < 999.5) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(ms < 9_950 ? 2 : 1)} s`;
  const seconds = Math.round(ms / 1000);
  const parts = [[86400, 'd'], [3600, 'h'], [60, 'm'], [1, 's']].map(([unit, name], i, all) =>
    [Math.floor((i ? seconds % all[i - 1][0] : seconds) / unit), name]);
  const first = parts.findIndex(([value]) => value > 0);
  return parts.slice(first, first + 2).map(([value, name], i) => `${i ? String(value).padStart(2, '0') : value} ${name}`).join(' ');
}

export const time = (iso) => (iso ? new Date(iso) : null);
/** Round milliseconds, for axes: "500 ms", "10 s". */
export const level = (ms) => (known(ms) ? (ms < 1000 ? `${number(ms)} ms` : `${number(ms / 1000)} s`) : '–');
export const between = (from, to) => (from && to ? time(to) - time(from) : null);
export const clock = (iso) => time(iso)?.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' }) ?? '–';

/** Which key signs, and since when. */
export function epochWords(epoch) {
  if (!epoch) return '–';
  const words = `number ${number(epoch.number)}, ${duration(epoch.ageSeconds * 1000)} old, ${number(epoch.statements)} statements`;
  return epoch.retiring ? `${words}; number ${number(epoch.retiring.number)} is being retired` : words;
}

export function measuredWords(measurements) {
  return Object.entries(measurements ?? {}).map(([name, value]) => `${name} ${value}`).join(' · ');
}
