import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startAnvil } from './anvil.mjs';
import { emptyRoot, freshHead, id, Ledger, pack, zero32 } from './ledger.mjs';
import * as merkle from './merkle.mjs';

const entry = (i) => Buffer.from(`statement ${i} ${'x'.repeat(i * 7)}`);
const entries = (n) => Array.from({ length: n }, (_, i) => entry(i));
const rootOf = (n) => merkle.hex(merkle.root(entries(n)));
const pathOf = (i, n) => merkle.path(i, entries(n)).map(merkle.hex);
const consistencyOf = (m, n) => merkle.consistency(m, entries(n)).map(merkle.hex);
const flip = (word, bit = 0n) => `0x${(BigInt(word) ^ (1n << bit)).toString(16).padStart(64, '0')}`;
const allOf = (n, make) => Promise.all(Array.from({ length: n }, (_, i) => make(i)));

describe('proofs', () => {
  let node, ledger;
  const logId = id('log');
  before(async () => {
    node = await startAnvil();
    ledger = await Ledger.deploy(node.url);
    await ledger.register('log', 'a');
  });
  after(() => node.stop());

  const computes = async (leaf, index, size, path) =>
    (await ledger.call('rfc6962Inclusion', [leaf, BigInt(index), BigInt(size), path])).result;
  const includes = (root, size, statement, index, path, log = logId) =>
    ledger.read('verifyInclusion', log, root, BigInt(size), merkle.hex(statement), BigInt(index), path);
  const anchorTree = async (size) => {
    const [previousHead] = await ledger.read('head', logId);
    await ledger.send('anchor', await ledger.anchorCall('a', { logId, size: BigInt(size), root: rootOf(size), previousHead }));
  };

  it('LeafHash_OfAnyEntry_EqualsTheReference', async () => {
    for (const bytes of [Buffer.alloc(0), Buffer.of(0), entry(3), Buffer.alloc(8000, 7)])
      assert.equal(await ledger.read('leafHash', merkle.hex(bytes)), merkle.hex(merkle.leaf(bytes)));
  });

  it('Inclusion_EveryLeafOfSizes1To33_IsProvenAgainstTheAnchoredHead', async () => {
    for (let size = 1; size <= 33; size++) {
      await anchorTree(size);
      const root = rootOf(size);
      await allOf(size, async (i) => {
        const path = pathOf(i, size);
        const leaf = merkle.hex(merkle.leaf(entry(i)));
        assert.equal(await computes(leaf, i, size, path), root, `leaf ${i} of ${size}`);
        assert.equal(await includes(root, size, entry(i), i, path), true, `statement ${i} of ${size}`);
      });
    }
  });

  // Follows the test above: the head is the tree of 33.
  it('Inclusion_AnyPartTampered_IsFalse', async () => {
    const size = 33;
    const root = rootOf(size);
    for (const i of [0, 13, 31, 32]) {
      const path = pathOf(i, size);
      const tampered = [
        ...path.map((_, at) => includes(root, size, entry(i), i, path.map((p, j) => (j === at ? flip(p, 200n) : p)))),
        includes(root, size, entry(i), i, path.slice(1)),
        includes(root, size, entry(i), i, path.slice(0, -1)),
        includes(root, size, entry(i), i, [...path, zero32]),
        includes(root, size, entry(i), i, [zero32, ...path]),
        includes(root, size, Buffer.concat([entry(i), Buffer.of(0)]), i, path),
        includes(root, size, entry(i + 1), i, path),
        includes(root, size - 1, entry(i), i, path),
        includes(root, size + 1, entry(i), i, path),
        includes(rootOf(32), 32, entry(0), 0, pathOf(0, 32)),
        includes(flip(root, 255n), size, entry(i), i, path),
        // The head keeps 24 bytes of the root; the last 8 are compared with the computed one.
        includes(flip(root, 0n), size, entry(i), i, path),
        includes(root, size, entry(i), 2n ** 64n - 1n, path),
        includes(root, size, entry(i), i, path, id('other log')),
      ];
      assert.deepEqual(await Promise.all(tampered), tampered.map(() => false), `leaf ${i}`);
      const elsewhere = await allOf(size, (j) => includes(root, size, entry(i), j, path));
      assert.deepEqual(elsewhere.map((ok, j) => (ok ? j : -1)).filter((j) => j >= 0), [i]);
    }
  });

  it('Inclusion_InnerNodePosedAsAnEntry_LeadsElsewhere', async () => {
    const halves = Buffer.concat([merkle.root(entries(32)), merkle.leaf(entry(32))]);
    const posed = await ledger.read('leafHash', merkle.hex(halves));
    assert.notEqual(await computes(posed, 0, 1, []), rootOf(33));
    const lower = await ledger.read('leafHash', merkle.hex(Buffer.concat([merkle.leaf(entry(0)), merkle.leaf(entry(1))])));
    assert.notEqual(await computes(lower, 0, 2, [rootOf(2)]), rootOf(4));
  });

  it('Inclusion_MalformedShape_RevertsInThePureForm', async () => {
    const leaf = merkle.hex(merkle.leaf(entry(0)));
    const shapes = [[0, 0, []], [1, 1, []], [5, 5, pathOf(4, 5)], [0, 1, [zero32]], [0, 2, []], [0, 3, pathOf(0, 3).slice(1)],
      [2, 3, [...pathOf(2, 3), zero32]], [0, 2n ** 64n - 1n, Array(63).fill(zero32)], [0, 2n ** 64n - 1n, Array(65).fill(zero32)]];
    for (const [index, size, path] of shapes) {
      const outcome = await ledger.call('rfc6962Inclusion', [leaf, BigInt(index), BigInt(size), path]);
      assert.deepEqual(outcome, { error: 'MalformedProof', args: [] }, `${index} of ${size}, ${path.length} nodes`);
    }
    assert.notEqual(await computes(leaf, 0, 2n ** 64n - 1n, Array(64).fill(zero32)), undefined);
  });

  it('Inclusion_OfARowUnderAStatement_ComposesFromThePureForms', async () => {
    const rows = Array.from({ length: 5 }, (_, i) => Buffer.alloc(118, i + 1));
    const rowsRoot = merkle.hex(merkle.root(rows));
    const leaf = await ledger.read('leafHash', merkle.hex(rows[3]));
    assert.equal(await computes(leaf, 3, 5, merkle.path(3, rows).map(merkle.hex)), rowsRoot);
  });

  it('Inclusion_WhileTheHeadIsParked_StillHolds', async () => {
    await ledger.register('parked', 'p');
    await ledger.send('anchor', await ledger.anchorCall('p', { logId: id('parked'), size: 3n, root: rootOf(3), previousHead: freshHead }));
    await ledger.revoke('parked', 'p');
    await ledger.headIs('parked', pack(rootOf(3), 3n), null);
    assert.equal(await includes(rootOf(3), 3, entry(2), 2, pathOf(2, 3), id('parked')), true);
  });

  it('Consistency_AllSizesUpTo17_HoldsExactlyForTheProof', async () => {
    const holds = (m, n, rootM, rootN, proof) => ledger.read('verifyConsistency', BigInt(m), BigInt(n), rootM, rootN, proof);
    for (let n = 0; n <= 17; n++)
      await allOf(n + 1, async (m) => {
        const [rootM, rootN, proof] = [rootOf(m), rootOf(n), consistencyOf(m, n)];
        const name = `${m} to ${n}`;
        assert.equal(await holds(m, n, rootM, rootN, proof), true, name);
        assert.equal(await holds(m, n, flip(rootM), rootN, proof), false, `${name}: old root`);
        assert.equal(await holds(m, n, rootM, rootN, [...proof, zero32]), false, `${name}: longer`);
        if (m > 0) assert.equal(await holds(m, n, rootM, flip(rootN), proof), false, `${name}: new root`);
        if (proof.length) assert.equal(await holds(m, n, rootM, rootN, proof.slice(0, -1)), false, `${name}: shorter`);
        if (proof.length) assert.equal(await holds(m, n, rootM, rootN, proof.slice(1)), false, `${name}: beheaded`);
        const flips = proof.map((_, at) => holds(m, n, rootM, rootN, proof.map((p, j) => (j === at ? flip(p) : p))));
        assert.deepEqual(await Promise.all(flips), proof.map(() => false), `${name}: node`);
        if (m < n) assert.equal(await holds(n, m, rootN, rootM, proof), false, `${name}: swapped`);
      });
    assert.equal(await holds(0, 0, zero32, zero32, []), false);
    assert.equal(await holds(0, 5, zero32, rootOf(5), []), false);
    assert.equal(await holds(0, 5, emptyRoot, rootOf(5), []), true);
  });

  it('Consistency_HashesFitButNotTheShape_IsFalse', async () => {
    const holds = (m, n, rootM, rootN, proof) => ledger.read('verifyConsistency', m, n, rootM, rootN, proof);
    assert.equal(await holds(4n, 9n, rootOf(4), rootOf(5), consistencyOf(4, 5)), false, 'one level short');
    assert.equal(await holds(3n, 100n, rootOf(3), rootOf(4), consistencyOf(3, 4)), false, 'many levels short');
    const above = (root) => merkle.hex(merkle.node(Buffer.alloc(32), Buffer.from(root.slice(2), 'hex')));
    const longer = [...consistencyOf(3, 5), zero32];
    assert.equal(await holds(3n, 5n, above(rootOf(3)), above(rootOf(5)), longer), false, 'one level too many');
  });
});
