// The example consumer against both ledgers, with the golden statement of tests/vectors/formats.json and with batches of
// several rows: what it accepts, and every way in which a proof or a key is refused.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, beforeEach, describe, it } from 'node:test';
import { concat, encodeDeployData, hexToBytes, numberToHex, sha256, sliceHex, toHex } from 'viem';
import { privateKeyToAccount, sign } from 'viem/accounts';
import { startAnvil } from './anvil.mjs';
import { artifact, composableArtifact, epochKey, freshHead, id, Ledger, onlyEvent, pack, readArtifact, signDigest, status, zero32, zeroAddress } from './ledger.mjs';
import * as merkle from './merkle.mjs';

const golden = JSON.parse(readFileSync(new URL('../vectors/formats.json', import.meta.url)));
const goldenBytes = (name) => `0x${golden[name]}`;
const book = readArtifact('contracts/examples/DecisionBook.json');
// The ledger's own refusal of a path that does not fit, which the book lets through.
const malformedProof = artifact.abi.filter((item) => item.name === 'MalformedProof');
const bufferOf = (bytes) => Buffer.from(hexToBytes(bytes));

const logId = goldenBytes('log.id');
const epoch = goldenBytes('epoch.id');
const secret = goldenBytes('epoch.secret');
const signer = privateKeyToAccount(secret).address;

/** A row leaf whose digests are told apart by its number. */
const row = (number) => concat([toHex(number, { size: 16 }), id(`request ${number}`), id(`output ${number}`), id('no parameters'), numberToHex(number, { size: 4 }), '0x0001']);

const head = (count) => (count < 24 ? toHex(count, { size: 1 }) : count < 256 ? concat(['0x18', toHex(count, { size: 1 })]) : concat(['0x19', toHex(count, { size: 2 })]));

/** A statement over these rows as sealing makes it, signed by the golden epoch's key or another. */
const statementOf = async (rows, { sequence = 1n, key = secret, log = logId, ofEpoch = epoch } = {}) => {
  const root = merkle.hex(merkle.root(rows.map(bufferOf)));
  const context = goldenBytes('statement.context');
  const body = concat(['0xa50158', toHex((context.length - 2) / 2, { size: 1 }), context, '0x025820', root, '0x03', head(rows.length), '0x04', head(rows.length), '0x0500']);
  const header = concat([sliceHex(goldenBytes('statement.header'), 0, 16), log, ofEpoch, numberToHex(sequence, { size: 8 }), sha256(body)]);
  const { r, s, yParity } = await sign({ hash: sha256(header), privateKey: key });
  return concat([header, r, s, toHex(yParity, { size: 1 }), body]);
};

describe('consumer', () => {
  let node, ledger, contract;
  before(async () => { node = await startAnvil(); });
  after(() => node.stop());

  const deployBook = async (trusted = logId) => {
    const data = encodeDeployData({ abi: book.abi, bytecode: book.bytecode, args: [ledger.address, trusted] });
    const { contractAddress } = await ledger.transact({ from: ledger.owner, data });
    contract = Object.assign(Object.create(Ledger.prototype), ledger, { address: contractAddress, abi: [...book.abi, ...malformedProof] });
  };

  const begin = async (compiled) => {
    ledger = await Ledger.deploy(node.url, compiled);
    await ledger.send('registerKey', [logId, signer, id('evidence'), epoch, zeroAddress], ledger.registrar);
    await ledger.send('registerKey', [logId, epochKey('next').address, id('evidence'), id('next epoch'), signer], ledger.registrar);
    await deployBook();
  };
  beforeEach(() => begin(composableArtifact));

  let anchored = freshHead;
  const anchorAll = async (statements) => {
    const root = merkle.hex(merkle.root(statements.map(bufferOf)));
    const size = BigInt(statements.length);
    const [current] = await ledger.read('head', logId);
    await ledger.send('anchor', await ledger.anchorCall('next', { logId, size, root, previousHead: current }));
    anchored = pack(root, size);
    return root;
  };

  /** What a holder hands over: row `rowIndex` of statement `index` under the tree of these statements. */
  const proofOf = (statements, index, rows, rowIndex) => ({
    statement: statements[index], row: rows[rowIndex], rowIndex: BigInt(rowIndex), rowPath: merkle.path(rowIndex, rows.map(bufferOf)).map(merkle.hex),
    root: merkle.hex(merkle.root(statements.map(bufferOf))), size: BigInt(statements.length), index: BigInt(index),
    path: merkle.path(index, statements.map(bufferOf)).map(merkle.hex),
  });
  const refuses = (proof, error, ...args) => contract.refuses('decide', [proof], contract.anyone, error, ...args);

  /** Five rows in the second of three statements. */
  const example = async (options) => {
    const rows = [1, 2, 3, 4, 5].map(row);
    const statements = [await statementOf([row(9)], { sequence: 7n }), await statementOf(rows, options), await statementOf([row(8)], { sequence: 9n })];
    await anchorAll(statements);
    return { rows, statements, proof: proofOf(statements, 1, rows, 3) };
  };

  it('Decide_GoldenStatement_TakesItsRow', async () => {
    const statements = [goldenBytes('statement.bytes')];
    await anchorAll(statements);
    const taken = await contract.send('decide', [proofOf(statements, 0, [goldenBytes('leaf.preimage')], 0)]);
    const preimage = goldenBytes('leaf.preimage');
    const [request, output] = [sliceHex(preimage, 16, 48), sliceHex(preimage, 48, 80)];
    assert.deepEqual(onlyEvent(taken), { eventName: 'Decided', args: { request, output, signer } });
    assert.equal(await contract.read('outputOf', request), output);
  });

  it('Decide_EveryRowOfABatch_TakesItOnce', async () => {
    const { rows, statements } = await example();
    for (let i = 0; i < rows.length; i++) {
      const proof = proofOf(statements, 1, rows, i);
      await contract.send('decide', [proof]);
      assert.equal(await contract.read('outputOf', id(`request ${i + 1}`)), id(`output ${i + 1}`));
      await refuses(proof, 'AlreadyDecided', id(`request ${i + 1}`), id(`output ${i + 1}`));
    }
  });

  it('Decide_BatchesOfManyRows_AreRead', async () => {
    for (const count of [23, 24, 255, 256]) {
      await begin(composableArtifact);
      const rows = Array.from({ length: count }, (_, i) => row(i));
      const statements = [await statementOf(rows)];
      await anchorAll(statements);
      assert.equal((await contract.call('decide', [proofOf(statements, 0, rows, count - 1)])).error, undefined, `${count} rows`);
    }
  });

  it('Decide_AnyPartChanged_IsRefused', async () => {
    const { rows, statements, proof } = await example();
    const flipAt = (bytes, at) => concat([sliceHex(bytes, 0, at), toHex(hexToBytes(bytes)[at] ^ 1, { size: 1 }), ...(at + 1 < (bytes.length - 2) / 2 ? [sliceHex(bytes, at + 1)] : [])]);
    const [first, ...others] = proof.path;
    const changed = [
      [{ row: rows[2] }, 'RowNotInStatement'], [{ rowIndex: 2n }, 'RowNotInStatement'], [{ rowPath: proof.rowPath.slice(1) }, 'MalformedProof'],
      [{ row: concat([proof.row, '0x00']) }, 'MalformedRow'], [{ row: sliceHex(proof.row, 0, 117) }, 'MalformedRow'],
      [{ index: 0n }, 'StatementNotAnchored'], [{ path: others }, 'StatementNotAnchored'], [{ path: [flipAt(first, 3), ...others] }, 'StatementNotAnchored'],
      [{ root: id('another root') }, 'StatementNotAnchored'], [{ size: 4n }, 'StatementNotAnchored'],
      [{ statement: flipAt(proof.statement, 0) }, 'MalformedStatement'], [{ statement: sliceHex(proof.statement, 0, 185) }, 'MalformedStatement'],
      [{ statement: flipAt(proof.statement, 300) }, 'MalformedStatement'], [{ statement: '0x' }, 'MalformedStatement'],
      [{ statement: flipAt(proof.statement, 90) }, 'MalformedStatement'],
    ];
    for (const [change, error] of changed)
      assert.equal((await contract.call('decide', [{ ...proof, ...change }])).error ?? 'accepted', error, JSON.stringify(Object.keys(change)));
    // The header's sequence and the signature: another key than the registered one is recovered, or none.
    for (const at of [16, 50, 85, 130, 160, 184])
      assert.equal((await contract.call('decide', [{ ...proof, statement: flipAt(proof.statement, at) }])).error, 'KeyNotTrusted', `byte ${at}`);
    await contract.send('decide', [proof]);
    assert.equal(statements.length, 3);
  });

  it('Decide_StatementOfAKeyNeverRegistered_IsRefused', async () => {
    const key = id('an engine of somebody else');
    const { proof } = await example({ key });
    await refuses(proof, 'KeyNotTrusted', privateKeyToAccount(key).address, status.None);
  });

  it('Decide_KeyRevoked_IsRefused', async () => {
    const { proof } = await example();
    await ledger.send('revokeKey', [logId, signer, id('reason')], ledger.registrar);
    await refuses(proof, 'KeyNotTrusted', signer, status.Revoked);
  });

  it('Decide_KeyConvictedOfTwoStatements_IsRefusedByEveryConsumer', async () => {
    const { proof, statements } = await example({ sequence: 8n });
    assert.equal((await contract.call('decide', [proof])).error, undefined);
    const twin = await statementOf([row(77)], { sequence: 8n });
    const parts = (statement) => [sliceHex(statement, 0, 120), concat([sliceHex(statement, 120, 184), numberToHex(27 + Number(sliceHex(statement, 184, 185)), { size: 1 })])];
    await ledger.send('proveStatementEquivocation', [...parts(statements[1]), ...parts(twin)]);
    await refuses(proof, 'KeyNotTrusted', signer, status.Faulty);
    const first = contract;
    await deployBook();
    assert.notEqual(contract.address, first.address);
    await refuses(proof, 'KeyNotTrusted', signer, status.Faulty);
    await contract.refuses('decideAt', [proof], contract.anyone, 'KeyNotTrusted', signer, status.Faulty);
  });

  it('Decide_AnchoringKeyConvictedOfTwoCheckpoints_IsRefusedUntilTheLogHasAnother', async () => {
    const { proof } = await example();
    const next = epochKey('next').address;
    const side = async (name) => [id(name), freshHead, await signDigest('next', ledger.digest({ logId, size: 9n, root: id(name), previousHead: freshHead }))];
    await ledger.send('proveCheckpointEquivocation', [logId, 9n, ...(await side('left')), ...(await side('right'))]);
    await refuses(proof, 'LogSuspended', logId);
    await ledger.send('registerKey', [logId, epochKey('third').address, zero32, zero32, next], ledger.registrar);
    await contract.send('decide', [proof]);
  });

  it('Decide_LogHalted_IsRefusedUntilItIsResumed', async () => {
    const { proof } = await example();
    await ledger.send('setHalted', [[logId], true], ledger.owner);
    await refuses(proof, 'LogSuspended', logId);
    await ledger.send('setHalted', [[logId], false], ledger.owner);
    await contract.send('decide', [proof]);
  });

  it('Decide_ResultOfAnotherLog_IsRefused', async () => {
    const { proof } = await example();
    await deployBook(id('the log it trusts'));
    await refuses(proof, 'OtherLog', logId);
  });

  it('Decide_StatementOfAnEarlierAnchor_NeedsTheComposableLedger', async () => {
    const { statements, proof } = await example();
    await anchorAll([...statements, await statementOf([row(70)], { sequence: 20n })]);
    await refuses(proof, 'StatementNotAnchored');
    const taken = await contract.send('decideAt', [proof]);
    assert.equal(onlyEvent(taken).args.output, id('output 4'));
    await contract.refuses('decideAt', [{ ...proof, size: 2n }], contract.anyone, 'StatementNotAnchored');
  });

  it('Decide_AgainstThePackedLedger_TakesWhatIsUnderTheNewestAnchor', async () => {
    await begin(artifact);
    const { proof } = await example();
    assert.equal((await ledger.read('head', logId))[0], anchored);
    await contract.send('decide', [proof]);
  });
});
