// Gas of each operation against contracts/gas.json. Everything signed here is deterministic, so the figures are exact on
// one node version; 1 % is allowed for another one's intrinsic costs. OG_UPDATE_GAS=1 writes the file anew.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { startAnvil } from './anvil.mjs';
import { epochKey, freshHead, id, Ledger, pack, signDigest } from './ledger.mjs';
import * as merkle from './merkle.mjs';

const tolerance = 0.01;
const file = new URL('../../contracts/gas.json', import.meta.url);

const anchorTree = async (ledger, size) => {
  const entries = Array.from({ length: size }, (_, i) => Buffer.from(`entry ${i}`));
  const message = { logId: id('tree'), size: BigInt(size), root: merkle.hex(merkle.root(entries)), previousHead: freshHead };
  const signature = await signDigest('tree', ledger.digest(message));
  await ledger.send('anchor', [message.logId, freshHead, message.root, message.size, signature]);
  return [message.logId, message.root, message.size, merkle.hex(entries[0]), 0n, merkle.path(0, entries).map(merkle.hex)];
};

const checkpointFraud = async (ledger) => {
  const side = async (name) => {
    const message = { logId: id('log'), size: 9n, root: id(name), previousHead: freshHead };
    return [message.root, freshHead, await signDigest('b', ledger.digest(message))];
  };
  return [id('log'), 9n, ...(await side('left')), ...(await side('right'))];
};

const measure = async (ledger) => {
  const gas = { deploy: ledger.deployment.gas };
  gas.registerFirstKey = (await ledger.register('log', 'a')).gas;
  gas.anchorFirst = (await ledger.anchor('log', 'a', freshHead, 'r1', 1_000n)).gas;
  const steady = await ledger.anchorArgs('log', 'a', pack(id('r1'), 1_000n), 'r2', 2_000n);
  gas.anchor = (await ledger.send('anchor', steady)).gas;
  const duplicate = await ledger.transact({ from: ledger.anyone, to: ledger.address, data: ledger.encode('anchor', steady) });
  assert.equal(duplicate.ok, false);
  gas.anchorDuplicateReverted = duplicate.gas;
  gas.registerSuccessor = (await ledger.register('log', 'b', epochKey('a').address)).gas;
  gas.revokeActiveKey = (await ledger.revoke('log', 'b')).gas;
  gas.registerAfterRevocation = (await ledger.register('log', 'c', epochKey('b').address)).gas;
  gas.convictRevokedKey = (await ledger.send('proveCheckpointEquivocation', await checkpointFraud(ledger))).gas;
  await ledger.register('tree', 'tree');
  gas.verifyInclusionDepth10 = (await ledger.send('verifyInclusion', await anchorTree(ledger, 1024))).gas;
  return gas;
};

describe('gas', () => {
  let node, gas;
  before(async () => {
    node = await startAnvil();
    gas = await measure(await Ledger.deploy(node.url));
    if (process.env.OG_UPDATE_GAS) writeFileSync(file, `${JSON.stringify(gas, null, 2)}\n`);
  });
  after(() => node.stop());

  it('Gas_OfEveryOperation_IsWithinOnePercentOfTheSnapshot', () => {
    const snapshot = JSON.parse(readFileSync(file));
    assert.deepEqual(Object.keys(gas), Object.keys(snapshot));
    for (const [name, value] of Object.entries(snapshot)) {
      const drift = Math.abs(gas[name] - value) / value;
      assert.ok(drift <= tolerance, `${name}: ${gas[name]}, snapshot ${value}; OG_UPDATE_GAS=1 accepts it`);
    }
  });

  it('Gas_OfAnAnchor_StaysBelow40000', () => assert.ok(gas.anchor < 40_000, `${gas.anchor}`));
});
