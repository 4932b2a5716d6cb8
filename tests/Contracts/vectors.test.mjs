import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, describe, it } from 'node:test';
import { recoverAddress, recoverTransactionAddress } from 'viem';
import { abi } from './ledger.mjs';
import { makeVectors, renderVectors, vectorsFile } from './vectors.mjs';

describe('vectors', () => {
  let vectors;
  before(() => { vectors = JSON.parse(readFileSync(vectorsFile)); });

  it('Vectors_MadeAgain_AreTheSameBytes', async () =>
    assert.equal(renderVectors(await makeVectors()), readFileSync(vectorsFile, 'utf8')));

  it('Vectors_EveryFunctionEventAndError_IsCovered', () => {
    const names = (cases) => [...new Set(cases.map((c) => c.signature.split('(')[0]))].sort();
    const declared = (type) => abi.filter((item) => item.type === type).map((item) => item.name).sort();
    assert.deepEqual(names(vectors.functions), declared('function'));
    assert.deepEqual(names(vectors.events), declared('event'));
    assert.deepEqual(names(vectors.errors), declared('error'));
  });

  it('Vectors_SignedTransactions_RecoverTheirSender', async () => {
    for (const { name, signed, from } of vectors.transactions)
      assert.equal(await recoverTransactionAddress({ serializedTransaction: signed }), from, name);
  });

  it('Vectors_SignedCheckpoints_RecoverTheirSigner', async () => {
    for (const { digest, signature, signer } of vectors.eip712.checkpoints)
      assert.equal(await recoverAddress({ hash: digest, signature }), signer);
  });
});
