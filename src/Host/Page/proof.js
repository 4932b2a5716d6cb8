// Recomputing a proof in the browser, with nothing but WebCrypto: SHA-256 paths, the statement's digest, the checkpoint.
// Pure: no element of the page is read or written here.

const HASH = /^[0-9a-f]{64}$/;
const fromHex = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
const toHex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
const fromBase64 = (value) => Uint8Array.from(atob(value), (c) => c.charCodeAt(0));

async function sha256(...parts) {
  const input = new Uint8Array(await new Blob(parts).arrayBuffer());
  return new Uint8Array(await crypto.subtle.digest('SHA-256', input));
}

/** The root that a path leads to (RFC 6962 §2.1.1), or null when its length does not fit the tree's shape. */
async function climb(leaf, index, size, path) {
  if (!(index < size) || ![leaf, ...path].every((hash) => HASH.test(hash))) return null;
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
export async function checks({ leaf, row, statement, inclusion, checkpoint }) {
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
