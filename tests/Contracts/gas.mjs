// Measures gas on a node. Everything signed here is deterministic, so the figures are exact on one node version.
import assert from 'node:assert/strict';
import { encodeDeployData, encodeFunctionData, stringToHex } from 'viem';
import { composableArtifact, epochKey, freshHead, id, Ledger, pack, readArtifact, signDigest } from './ledger.mjs';
import * as merkle from './merkle.mjs';

/** Receipts per settlement batch that the table shows. */
export const batches = [64, 1_024, 16_384, 1_000_000];

const entriesOf = (size) => Array.from({ length: size }, (_, i) => Buffer.from(`entry ${i}`));

const anchorTree = async (ledger, size) => {
  const entries = entriesOf(size);
  const message = { logId: id('tree'), size: BigInt(size), root: merkle.hex(merkle.root(entries)), previousHead: freshHead };
  await ledger.send('anchor', await ledger.anchorCall('tree', message));
  return [message.logId, message.root, message.size, merkle.hex(entries[0]), 0n, merkle.path(0, entries).map(merkle.hex)];
};

const checkpointFraud = async (ledger, key) => {
  const side = async (name) => {
    const message = { logId: id('log'), size: 9n, root: id(name), previousHead: freshHead };
    return [message.root, freshHead, await signDigest(key, ledger.digest(message))];
  };
  return [id('log'), 9n, ...(await side('left')), ...(await side('right'))];
};

/** A log's second anchor: what every later one costs. */
const steadyAnchor = async (ledger) => {
  const first = await ledger.anchor('log', 'a', freshHead, 'r1', 1_000n);
  const args = await ledger.anchorArgs('log', 'a', pack(id('r1'), 1_000n), 'r2', 2_000n);
  return { first, args, second: await ledger.send('anchor', args) };
};

/** Gas of every operation of the ledger, by name. */
export const measureOperations = async (url) => {
  const ledger = await Ledger.deploy(url);
  const gas = { deploy: ledger.deployment.gas };
  gas.registerFirstKey = (await ledger.register('log', 'a')).gas;
  const { first, args, second } = await steadyAnchor(ledger);
  [gas.anchorFirst, gas.anchor] = [first.gas, second.gas];
  const duplicate = await ledger.transact({ from: ledger.anyone, to: ledger.address, data: ledger.encode('anchor', args) });
  assert.equal(duplicate.ok, false);
  gas.anchorDuplicateReverted = duplicate.gas;
  gas.haltOneLog = (await ledger.halt('log')).gas;
  gas.resumeOneLog = (await ledger.halt('log', false)).gas;
  gas.registerSuccessor = (await ledger.register('log', 'b', epochKey('a').address)).gas;
  gas.revokeActiveKey = (await ledger.revoke('log', 'b')).gas;
  gas.registerAfterRevocation = (await ledger.register('log', 'c', epochKey('b').address)).gas;
  gas.convictActiveKey = (await ledger.send('proveCheckpointEquivocation', await checkpointFraud(ledger, 'c'))).gas;
  gas.convictRevokedKey = (await ledger.send('proveCheckpointEquivocation', await checkpointFraud(ledger, 'b'))).gas;
  await ledger.register('tree', 'tree');
  gas.verifyInclusionDepth10 = (await ledger.send('verifyInclusion', await anchorTree(ledger, 1024))).gas;
  return gas;
};

/** Deploys a yardstick from the node's first account; its calls come from there too. */
const yardstick = async (ledger, name) => {
  const { abi, bytecode } = readArtifact(`tests/Contracts/sol/${name}.json`);
  const { contractAddress } = await ledger.transact({ from: ledger.owner, data: encodeDeployData({ abi, bytecode }) });
  return async (functionName, ...args) => {
    const data = encodeFunctionData({ abi, functionName, args });
    const receipt = await ledger.transact({ from: ledger.owner, to: contractAddress, data });
    assert.equal(receipt.ok, true, name);
    return receipt.gas;
  };
};

/** The name of a blob as the descended network writes it: 43 letters. */
const blobName = stringToHex('k3Zr0vXJc2mT9wq5bN8yLh1uFd7sGpA4eRi6oKxQzWM');

/** One anchor in each design, and what that makes per receipt. */
export const measureTable = async (url) => {
  const ledger = await Ledger.deploy(url);
  await ledger.register('log', 'a');
  const packed = (await steadyAnchor(ledger)).second.gas;
  const composable = await Ledger.deploy(url, composableArtifact);
  await composable.register('log', 'a');
  const stored = (await steadyAnchor(composable)).second.gas;

  const floor = await yardstick(ledger, 'Floor');
  await floor('anchor', id('root 1'));
  const least = await floor('anchor', id('root 2'));
  const relay = await yardstick(ledger, 'BatchRelay');
  await relay('settle', id('root 1'), 20n, blobName);
  const batch = await relay('settle', id('root 2'), 20n, blobName);
  const singles = await yardstick(ledger, 'SingleReceipts');
  await singles('record', id('receipt 1'));
  const single = await singles('record', id('receipt 2'));

  const covering = (name, gas) => ({ name, gas, per_receipt: batches.map((receipts) => gas / receipts) });
  const alone = (name, gas) => ({ name, gas, per_receipt: batches.map(() => gas) });
  return {
    gas_per_anchor: packed,
    gas_floor: least,
    batches,
    gas_table: [
      covering('floor: one sender, one word, one slot', least),
      covering('anchor: signature, order, no duplicates', packed),
      covering('composable anchor: every root readable', stored),
      covering('descended network\'s shape: event only', batch),
      { ...alone('descended network\'s shape, its 20 per batch', batch), per_receipt: batches.map(() => batch / 20) },
      alone('each receipt alone, anchored', packed),
      alone('each receipt alone, one slot and event', single),
    ],
  };
};
