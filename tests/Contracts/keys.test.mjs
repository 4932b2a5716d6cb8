import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { startAnvil } from './anvil.mjs';
import { epochKey, freshHead, id, Ledger, onlyEvent, pack, status, zero32, zeroAddress } from './ledger.mjs';

describe('keys', () => {
  let node, ledger;
  const address = (name) => epochKey(name).address;
  const registration = (log, key, predecessor = zeroAddress) => [id(log), address(key), zero32, zero32, predecessor];
  const refusesRegistration = (args, error, ...details) =>
    ledger.refuses('registerKey', args, ledger.registrar, error, ...details);
  before(async () => { node = await startAnvil(); });
  after(() => node.stop());
  beforeEach(async () => { ledger = await Ledger.deploy(node.url); });

  it('Register_FirstKeyOfALog_StartsAtTheEmptyTree', async () => {
    assert.deepEqual(await ledger.read('head', id('log')), [zero32, zeroAddress]);
    assert.deepEqual(await ledger.read('keyInfo', address('a')), [zero32, status.None, zero32, zero32]);
    const [evidenceDigest, epoch] = [id('evidence a'), id('epoch a')];
    const receipt = await ledger.register('log', 'a');
    assert.deepEqual(onlyEvent(receipt), {
      eventName: 'KeyRegistered',
      args: { logId: id('log'), signer: address('a'), predecessor: zeroAddress, evidenceDigest, epoch, head: freshHead },
    });
    await ledger.headIs('log', freshHead, 'a');
    assert.deepEqual(await ledger.read('keyInfo', address('a')), [id('log'), status.Active, evidenceDigest, epoch]);
  });

  it('Register_SameKeyTwice_IsRefusedWhateverItsStatus', async () => {
    await ledger.register('log', 'a');
    await refusesRegistration(registration('log', 'a', address('a')), 'KeyAlreadyRegistered', address('a'));
    await refusesRegistration(registration('other', 'a'), 'KeyAlreadyRegistered', address('a'));
    await ledger.register('log', 'b', address('a'));
    await refusesRegistration(registration('log', 'a', address('b')), 'KeyAlreadyRegistered', address('a'));
    await ledger.revoke('log', 'b');
    await refusesRegistration(registration('log', 'b', address('b')), 'KeyAlreadyRegistered', address('b'));
  });

  it('Register_ZeroSigner_IsRefused', () =>
    refusesRegistration([id('log'), zeroAddress, zero32, zero32, zeroAddress], 'ZeroAddress'));

  it('Register_WrongPredecessor_NamesTheRequiredOne', async () => {
    await refusesRegistration(registration('log', 'a', address('x')), 'WrongPredecessor', zeroAddress);
    await ledger.register('log', 'a');
    await ledger.register('other', 'o');
    await refusesRegistration(registration('log', 'b'), 'WrongPredecessor', address('a'));
    await refusesRegistration(registration('log', 'b', address('o')), 'WrongPredecessor', address('a'));
    await ledger.register('log', 'b', address('a'));
    await refusesRegistration(registration('log', 'c', address('a')), 'WrongPredecessor', address('b'));
    await ledger.revoke('log', 'b');
    await refusesRegistration(registration('log', 'c'), 'WrongPredecessor', address('b'));
    await refusesRegistration(registration('log', 'c', address('a')), 'WrongPredecessor', address('b'));
  });

  it('Register_Successor_TakesTheHeadAndReplacesThePredecessor', async () => {
    await ledger.register('log', 'a');
    await ledger.anchor('log', 'a', freshHead, 'r5', 5n);
    const head = pack(id('r5'), 5n);
    const receipt = await ledger.register('log', 'b', address('a'));
    assert.equal(onlyEvent(receipt).args.head, head);
    assert.equal(onlyEvent(receipt).args.predecessor, address('a'));
    await ledger.headIs('log', head, 'b');
    await ledger.statusIs('a', status.Replaced);
    await ledger.refuses('anchor', await ledger.anchorArgs('log', 'a', head, 'r6', 6n), ledger.anyone, 'NotActiveKey', address('a'));
    await ledger.anchor('log', 'b', head, 'r6', 6n);
  });

  it('Revoke_ActiveKey_ParksTheHeadForASuccessor', async () => {
    await ledger.register('log', 'a');
    await ledger.anchor('log', 'a', freshHead, 'r5', 5n);
    const head = pack(id('r5'), 5n);
    assert.deepEqual(onlyEvent(await ledger.revoke('log', 'a')), {
      eventName: 'KeyRevoked',
      args: { logId: id('log'), signer: address('a'), reason: id('reason'), parkedHead: head },
    });
    await ledger.headIs('log', head, null);
    await ledger.refuses('anchor', await ledger.anchorArgs('log', 'a', head, 'r6', 6n), ledger.anyone, 'NotActiveKey', address('a'));
    await ledger.register('log', 'b', address('a'));
    await ledger.headIs('log', head, 'b');
    await ledger.statusIs('a', status.Revoked);
    await ledger.anchor('log', 'b', head, 'r6', 6n);
  });

  it('Revoke_ReplacedKey_MarksItAndLeavesTheHead', async () => {
    await ledger.register('log', 'a');
    await ledger.register('log', 'b', address('a'));
    assert.equal(onlyEvent(await ledger.revoke('log', 'a')).args.parkedHead, zero32);
    await ledger.statusIs('a', status.Revoked);
    await ledger.headIs('log', freshHead, 'b');
  });

  it('Revoke_UnknownOrForeignOrRevokedKey_IsRefused', async () => {
    await ledger.register('log', 'a');
    const refuses = (log, key, ...error) =>
      ledger.refuses('revokeKey', [id(log), address(key), zero32], ledger.registrar, ...error);
    await refuses('log', 'b', 'UnknownKey', id('log'), address('b'));
    await refuses('other', 'a', 'UnknownKey', id('other'), address('a'));
    await ledger.revoke('log', 'a');
    await refuses('log', 'a', 'KeyAlreadyClosed', address('a'), status.Revoked);
  });

  it('Logs_OfOneContract_AreIndependent', async () => {
    await ledger.register('log', 'a');
    await ledger.register('other', 'o');
    await ledger.anchor('log', 'a', freshHead, 'r5', 5n);
    await ledger.headIs('other', freshHead, 'o');
    await ledger.refuses('anchor', await ledger.anchorArgs('other', 'a', freshHead, 'r5', 5n), ledger.anyone, 'NotActiveKey', address('a'));
  });
});
