import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { concat, numberToHex, sha256, sliceHex, stringToHex } from 'viem';
import { startAnvil } from './anvil.mjs';
import { epochKey, freshHead, id, Ledger, malleate, onlyEvent, pack, signDigest, status, zero32 } from './ledger.mjs';

const statementHeader = ({ tag = 'OGE statement v1', log = 'log', epoch = 'epoch a', sequence = 7n, body }) =>
  concat([stringToHex(tag, { size: 16 }), id(log), id(epoch), numberToHex(sequence, { size: 8 }), id(body)]);
const signHeader = (key, header) => signDigest(key, sha256(header));

describe('equivocation', () => {
  let node, ledger;
  const address = (name) => epochKey(name).address;
  before(async () => { node = await startAnvil(); });
  after(() => node.stop());
  beforeEach(async () => {
    ledger = await Ledger.deploy(node.url);
    await ledger.register('log', 'a');
  });

  const side = async (key, root, previousHead, size = 9n, log = 'log') => {
    const message = { logId: id(log), size, root: id(root), previousHead };
    return [message.root, previousHead, await signDigest(key, ledger.digest(message))];
  };
  const checkpointProof = async (keyA, keyB, { rootB = 'right', sizeB = 9n } = {}) =>
    [id('log'), 9n, ...(await side(keyA, 'left', freshHead)), ...(await side(keyB, rootB, id('x'), sizeB))];
  const statementProof = async (headerA, headerB, keyA = 'a', keyB = 'a') =>
    [headerA, await signHeader(keyA, headerA), headerB, await signHeader(keyB, headerB)];
  const refuses = (name, args, ...error) => ledger.refuses(name, args, ledger.anyone, ...error);

  it('Checkpoints_TwoRootsForOneSize_ConvictAndParkTheHead', async () => {
    await ledger.anchor('log', 'a', freshHead, 'r5', 5n);
    const head = pack(id('r5'), 5n);
    const proof = await checkpointProof('a', 'a');
    const receipt = await ledger.send('proveCheckpointEquivocation', proof);
    const [digestA, digestB] = [[proof[2], proof[3]], [proof[5], proof[6]]]
      .map(([root, previousHead]) => ledger.digest({ logId: id('log'), size: 9n, root, previousHead }));
    assert.deepEqual(onlyEvent(receipt), {
      eventName: 'KeyFaulty',
      args: { logId: id('log'), signer: address('a'), digestA, digestB, parkedHead: head },
    });
    await ledger.statusIs('a', status.Faulty);
    await ledger.headIs('log', head, null);
    await refuses('anchor', await ledger.anchorArgs('log', 'a', head, 'r6', 6n), 'NotActiveKey', address('a'));
    await refuses('proveCheckpointEquivocation', proof, 'KeyAlreadyClosed', address('a'), status.Faulty);
    await ledger.refuses('revokeKey', [id('log'), address('a'), zero32], ledger.registrar, 'KeyAlreadyClosed', address('a'), status.Faulty);
  });

  it('Conviction_OfTheLastKey_LeavesTheHeadToASuccessor', async () => {
    await ledger.send('proveCheckpointEquivocation', await checkpointProof('a', 'a'));
    await ledger.register('log', 'b', address('a'));
    await ledger.statusIs('a', status.Faulty);
    await ledger.headIs('log', freshHead, 'b');
  });

  it('Conviction_OfAReplacedOrRevokedKey_LeavesTheHeadAlone', async () => {
    await ledger.register('log', 'b', address('a'));
    await ledger.send('proveCheckpointEquivocation', await checkpointProof('a', 'a'));
    await ledger.statusIs('a', status.Faulty);
    await ledger.headIs('log', freshHead, 'b');
    await ledger.revoke('log', 'b');
    const receipt = await ledger.send('proveCheckpointEquivocation', await checkpointProof('b', 'b'));
    assert.equal(onlyEvent(receipt).args.parkedHead, zero32);
    await ledger.statusIs('b', status.Faulty);
    await ledger.headIs('log', freshHead, null);
  });

  it('Conviction_WhilePausedAndHalted_WorksAndKeepsTheHead', async () => {
    await ledger.anchor('log', 'a', freshHead, 'r5', 5n);
    await ledger.send('setPaused', [true], ledger.owner);
    await ledger.halt('log');
    const receipt = await ledger.send('proveCheckpointEquivocation', await checkpointProof('a', 'a'));
    assert.equal(onlyEvent(receipt).args.parkedHead, pack(id('r5'), 5n));
    await ledger.statusIs('a', status.Faulty);
    await ledger.halt('log', false);
    await ledger.headIs('log', pack(id('r5'), 5n), null);
  });

  it('Checkpoints_OneRootOnTwoHeads_AreNoEquivocation', async () =>
    refuses('proveCheckpointEquivocation', await checkpointProof('a', 'a', { rootB: 'left' }), 'NotEquivocation'));

  it('Checkpoints_OfTwoKeys_AreNoEquivocation', async () => {
    await ledger.register('log', 'b', address('a'));
    await refuses('proveCheckpointEquivocation', await checkpointProof('a', 'b'), 'NotEquivocation');
  });

  it('Checkpoints_OfTwoSizes_AreNoEquivocation', async () =>
    refuses('proveCheckpointEquivocation', await checkpointProof('a', 'a', { sizeB: 10n }), 'NotEquivocation'));

  it('Checkpoints_OfAnUnknownOrForeignKey_AreRefused', async () => {
    await refuses('proveCheckpointEquivocation', await checkpointProof('b', 'b'), 'UnknownKey', id('log'), address('b'));
    const sides = [await side('a', 'left', freshHead, 9n, 'other'), await side('a', 'right', freshHead, 9n, 'other')];
    await refuses('proveCheckpointEquivocation', [id('other'), 9n, ...sides.flat()], 'UnknownKey', id('other'), address('a'));
  });

  it('Checkpoints_WithAMalleatedSignature_AreRefused', async () => {
    const proof = await checkpointProof('a', 'a');
    proof[7] = malleate(proof[7]);
    await refuses('proveCheckpointEquivocation', proof, 'BadSignature');
  });

  it('Statements_TwoBodiesForOneSequence_Convict', async () => {
    const [headerA, headerB] = [statementHeader({ body: 'one' }), statementHeader({ body: 'two' })];
    const receipt = await ledger.send('proveStatementEquivocation', await statementProof(headerA, headerB));
    assert.deepEqual(onlyEvent(receipt), {
      eventName: 'KeyFaulty',
      args: { logId: id('log'), signer: address('a'), digestA: sha256(headerA), digestB: sha256(headerB), parkedHead: freshHead },
    });
    await ledger.statusIs('a', status.Faulty);
  });

  it('Statements_EqualOrAtOtherPositions_AreNoEquivocation', async () => {
    const header = statementHeader({ body: 'one' });
    const others = [{}, { sequence: 8n }, { epoch: 'epoch b' }, { log: 'other' }];
    for (const other of others) {
      const body = Object.keys(other).length ? 'two' : 'one';
      await refuses('proveStatementEquivocation', await statementProof(header, statementHeader({ body, ...other })), 'NotEquivocation');
    }
    await refuses('proveStatementEquivocation', await statementProof(header, statementHeader({ body: 'two' }), 'a', 'b'), 'NotEquivocation');
  });

  it('Statements_MalformedHeader_IsRefused', async () => {
    const header = statementHeader({ body: 'one' });
    const malformed = [sliceHex(header, 0, 119), concat([header, '0x00']), statementHeader({ tag: 'OGE statement v2', body: 'one' }), '0x'];
    for (const bad of malformed) {
      await refuses('proveStatementEquivocation', await statementProof(bad, header), 'MalformedHeader');
      await refuses('proveStatementEquivocation', await statementProof(header, bad), 'MalformedHeader');
    }
  });

  it('Statements_OfAnUnregisteredKeyOrLog_AreRefused', async () => {
    const [a, b] = ['one', 'two'].map((body) => statementHeader({ body }));
    await refuses('proveStatementEquivocation', await statementProof(a, b, 'b', 'b'), 'UnknownKey', id('log'), address('b'));
    const [c, d] = ['one', 'two'].map((body) => statementHeader({ body, log: 'other' }));
    await refuses('proveStatementEquivocation', await statementProof(c, d), 'UnknownKey', id('other'), address('a'));
  });

  it('Statements_SignatureInTheFormatsV_IsRefusedUntilConverted', async () => {
    const proof = await statementProof(statementHeader({ body: 'one' }), statementHeader({ body: 'two' }));
    const raw = concat([sliceHex(proof[1], 0, 64), numberToHex(Number(sliceHex(proof[1], 64)) - 27, { size: 1 })]);
    await refuses('proveStatementEquivocation', [proof[0], raw, proof[2], proof[3]], 'BadSignature');
  });
});
