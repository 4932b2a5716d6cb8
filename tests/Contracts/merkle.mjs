// RFC 6962 section 2.1 written as the RFC defines it, by recursion over the entries: independent of the contract, which
// verifies iteratively as RFC 9162 does.
import { createHash } from 'node:crypto';

const sha = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest();
const splitOf = (n) => 2 ** Math.floor(Math.log2(n - 1));

export const hex = (bytes) => `0x${bytes.toString('hex')}`;
export const leaf = (entry) => sha(Buffer.of(0), entry);
export const node = (left, right) => sha(Buffer.of(1), left, right);

/** MTH(D[n]) */
export const root = (entries) => {
  if (entries.length === 0) return sha();
  if (entries.length === 1) return leaf(entries[0]);
  const k = splitOf(entries.length);
  return node(root(entries.slice(0, k)), root(entries.slice(k)));
};

/** PATH(m, D[n]) */
export const path = (m, entries) => {
  if (entries.length === 1) return [];
  const k = splitOf(entries.length);
  return m < k
    ? [...path(m, entries.slice(0, k)), root(entries.slice(k))]
    : [...path(m - k, entries.slice(k)), root(entries.slice(0, k))];
};

const subproof = (m, entries, whole) => {
  if (m === entries.length) return whole ? [] : [root(entries)];
  const k = splitOf(entries.length);
  return m <= k
    ? [...subproof(m, entries.slice(0, k), whole), root(entries.slice(k))]
    : [...subproof(m - k, entries.slice(k), false), root(entries.slice(0, k))];
};

/** PROOF(m, D[n]); empty for m = 0, as logs serve it. */
export const consistency = (m, entries) => (m === 0 ? [] : subproof(m, entries, true));
