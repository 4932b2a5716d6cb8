// Mulberry32: small, seeded, the same on every platform.
export const seeded = (seed) => {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (n) => Math.floor(next() * n);
  const bytes = (n) => Uint8Array.from({ length: n }, () => below(256));
  return { below, bytes, pick: (list) => list[below(list.length)], chance: (p) => next() < p };
};
