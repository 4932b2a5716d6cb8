// What the suites share: a deployed ledger, calls and transactions with decoded outcomes, signatures by epoch keys.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import {
  concat, createPublicClient, decodeErrorResult, decodeFunctionResult, encodeDeployData, encodeFunctionData,
  hashTypedData, hexToBytes, http, keccak256, numberToHex, parseEventLogs, sha256, sliceHex, stringToHex, toHex,
} from 'viem';
import { privateKeyToAccount, sign } from 'viem/accounts';

export const readArtifact = (path) => JSON.parse(readFileSync(new URL(`../../${path}`, import.meta.url)));
export const artifact = readArtifact('contracts/SettlementLedger.json');
export const abi = artifact.abi;
export const composableArtifact = readArtifact('contracts/ComposableLedger.json');
export const emptyRoot = sha256('0x');
export const zero32 = `0x${'00'.repeat(32)}`;
export const zeroAddress = `0x${'00'.repeat(20)}`;
export const status = { None: 0, Active: 1, Replaced: 2, Revoked: 3, Faulty: 4 };

/** 32 bytes that a name stands for: log identities, roots, digests. */
export const id = (name) => keccak256(stringToHex(name));
export const pack = (root, size) => concat([sliceHex(root, 0, 24), numberToHex(size, { size: 8 })]);
export const freshHead = pack(emptyRoot, 0n);

/** An epoch key; equal names give equal keys. */
export const epochKey = (name) => privateKeyToAccount(id(`epoch key ${name}`));
export const privateKeyOf = (name) => id(`epoch key ${name}`);

export const checkpointTypes = {
  Checkpoint: [
    { name: 'logId', type: 'bytes32' },
    { name: 'size', type: 'uint64' },
    { name: 'root', type: 'bytes32' },
    { name: 'previousHead', type: 'bytes32' },
  ],
};
export const domainOf = (chainId, verifyingContract) =>
  ({ name: 'OpenGradient.Engine', version: '1', chainId, verifyingContract });

export const checkpointDigest = (chainId, contract, message) =>
  hashTypedData({ domain: domainOf(chainId, contract), types: checkpointTypes, primaryType: 'Checkpoint', message });

/** r ‖ s ‖ v with v 27 or 28. */
export const signDigest = async (keyName, hash) => {
  const { r, s, yParity } = await sign({ hash, privateKey: privateKeyOf(keyName) });
  return concat([r, s, yParity ? '0x1c' : '0x1b']);
};

/** EIP-2098: r, and v's parity in the top bit of s. */
export const compact = (signature) => {
  const s = BigInt(sliceHex(signature, 32, 64)) | (BigInt(Number(sliceHex(signature, 64)) - 27) << 255n);
  return [sliceHex(signature, 0, 32), s];
};

/** A signing key and the size it signs for, as `anchor` takes them. */
export const keyAndSize = (address, size) => (BigInt(address) << 96n) | size;

const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
/** The same signature's twin with a high s. */
export const malleate = (signature) => {
  const bytes = hexToBytes(signature);
  const s = BigInt(toHex(bytes.slice(32, 64)));
  return concat([toHex(bytes.slice(0, 32)), numberToHex(order - s, { size: 32 }), bytes[64] === 27 ? '0x1c' : '0x1b']);
};

const revertData = (error) => {
  for (let cause = error; cause; cause = cause.cause)
    if (typeof cause.data === 'string' && cause.data.startsWith('0x')) return cause.data;
  throw error;
};

/** Events of a receipt in their order, the nameless one of an anchor among them. */
const eventsOf = (events, logs) => logs.flatMap((log) => {
  // 40 bytes: no event with a name has a length that is not a multiple of 32.
  if (log.data.length !== 2 + 80) return parseEventLogs({ abi: events, logs: [log] });
  const args = { logId: log.topics[0], size: BigInt(sliceHex(log.data, 0, 8)), root: sliceHex(log.data, 8) };
  return [{ eventName: 'Anchored', args }];
});

export class Ledger {
  constructor(client, address, chainId, accounts, calls) {
    Object.assign(this, { client, address, chainId, owner: accounts[0], registrar: accounts[1], anyone: accounts[2], accounts, abi: calls });
  }

  /** Deploys from the node's first account, with its second as registrar. */
  static async deploy(url, compiled = artifact) {
    // Two minutes, for the library's 10 s: a node that hangs fails the test, one that waits for its turn does not.
    const client = createPublicClient({ transport: http(url, { batch: { batchSize: 100, wait: 0 }, retryCount: 0, timeout: 120_000 }) });
    const [chainId, accounts] = await Promise.all([client.getChainId(), client.request({ method: 'eth_accounts' })]);
    const ledger = new Ledger(client, null, chainId, accounts, compiled.abi);
    const data = encodeDeployData({ abi: compiled.abi, bytecode: compiled.bytecode, args: [ledger.registrar] });
    ledger.deployment = await ledger.transact({ from: ledger.owner, data });
    ledger.address = ledger.deployment.contractAddress;
    return ledger;
  }

  async transact(request) {
    const hash = await this.client.request({ method: 'eth_sendTransaction', params: [{ gas: '0x4c4b40', ...request }] });
    // 15,000 rounds of at least 2 ms: a node that stopped mining fails the test instead of hanging it.
    for (let round = 0; round < 15_000; round++) {
      const receipt = await this.client.request({ method: 'eth_getTransactionReceipt', params: [hash] });
      if (receipt) return { ...receipt, gas: Number(receipt.gasUsed), ok: receipt.status === '0x1' };
      await delay(2);
    }
    throw new Error(`no receipt for ${hash}`);
  }

  encode(functionName, args) {
    return encodeFunctionData({ abi: this.abi, functionName, args });
  }

  /** Calls without a transaction: { result } or { error, args }. */
  async call(functionName, args = [], from = this.anyone) {
    const request = { from, to: this.address, data: this.encode(functionName, args) };
    try {
      const data = await this.client.request({ method: 'eth_call', params: [request, 'latest'] });
      return { result: data === '0x' ? undefined : decodeFunctionResult({ abi: this.abi, functionName, data }) };
    } catch (error) {
      const decoded = decodeErrorResult({ abi: this.abi, data: revertData(error) });
      return { error: decoded.errorName, args: decoded.args ?? [] };
    }
  }

  async read(functionName, ...args) {
    const outcome = await this.call(functionName, args);
    assert.equal(outcome.error, undefined, `${functionName} reverted with ${outcome.error}`);
    return outcome.result;
  }

  /** Sends a transaction that must succeed; resolves to its receipt with decoded events. */
  async send(functionName, args, from = this.anyone) {
    const receipt = await this.transact({ from, to: this.address, data: this.encode(functionName, args) });
    if (!receipt.ok) {
      const { error, args: details } = await this.call(functionName, args, from);
      assert.fail(`${functionName} reverted with ${error} ${details}`);
    }
    return { ...receipt, events: eventsOf(this.abi, receipt.logs) };
  }

  /** The call must revert with exactly this error, and so must the transaction, changing nothing. */
  async refuses(functionName, args, from, error, ...details) {
    assert.deepEqual(await this.call(functionName, args, from), { error, args: details });
    const receipt = await this.transact({ from, to: this.address, data: this.encode(functionName, args) });
    assert.equal(receipt.ok, false);
    assert.equal(receipt.logs.length, 0);
  }

  register(logName, keyName, predecessor = zeroAddress) {
    const args = [id(logName), epochKey(keyName).address, id(`evidence ${keyName}`), id(`epoch ${keyName}`), predecessor];
    return this.send('registerKey', args, this.registrar);
  }

  revoke(logName, keyName) {
    return this.send('revokeKey', [id(logName), epochKey(keyName).address, id('reason')], this.registrar);
  }

  digest(message) {
    return checkpointDigest(this.chainId, this.address, message);
  }

  /** Arguments of `anchor`, signed by the key for this contract. */
  async anchorCall(keyName, message) {
    const signature = await signDigest(keyName, this.digest(message));
    return [message.logId, keyAndSize(epochKey(keyName).address, message.size), message.root, ...compact(signature)];
  }

  anchorArgs(logName, keyName, previousHead, rootName, size) {
    return this.anchorCall(keyName, { logId: id(logName), size, root: id(rootName), previousHead });
  }

  async anchor(logName, keyName, previousHead, rootName, size) {
    return this.send('anchor', await this.anchorArgs(logName, keyName, previousHead, rootName, size));
  }

  halt(logName, halted = true) {
    return this.send('setHalted', [[id(logName)], halted], this.owner);
  }

  async headIs(logName, head, keyName) {
    const active = keyName === null ? zeroAddress : epochKey(keyName).address;
    assert.deepEqual(await this.read('head', id(logName)), [head, active]);
  }

  async statusIs(keyName, expected) {
    const [, actual] = await this.read('keyInfo', epochKey(keyName).address);
    assert.equal(actual, expected);
  }
}

/** The one event of a receipt: its name and arguments. */
export const onlyEvent = (receipt) => {
  assert.equal(receipt.events.length, 1);
  const { eventName, args } = receipt.events[0];
  return { eventName, args };
};
