import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { decodeErrorResult, encodeDeployData, getAddress } from 'viem';
import { startAnvil } from './anvil.mjs';
import { abi, artifact, epochKey, freshHead, id, Ledger, onlyEvent, pack, status, zero32, zeroAddress } from './ledger.mjs';

describe('administration', () => {
  let node, ledger;
  before(async () => { node = await startAnvil(); });
  after(() => node.stop());
  beforeEach(async () => { ledger = await Ledger.deploy(node.url); });

  it('Constructor_Registrar_SetsRolesAndEmits', async () => {
    assert.equal((await ledger.read('owner')).toLowerCase(), ledger.owner);
    assert.equal((await ledger.read('registrar')).toLowerCase(), ledger.registrar);
    assert.equal(await ledger.read('pendingOwner'), zeroAddress);
    assert.equal(await ledger.read('paused'), false);
    assert.equal(ledger.deployment.logs.length, 2);
  });

  it('Constructor_ZeroRegistrar_IsRefused', async () => {
    const data = encodeDeployData({ abi, bytecode: artifact.bytecode, args: [zeroAddress] });
    const request = ledger.client.request({ method: 'eth_call', params: [{ from: ledger.owner, data }, 'latest'] });
    await assert.rejects(request, (error) => {
      for (let cause = error; cause; cause = cause.cause)
        if (cause.data) return decodeErrorResult({ abi, data: cause.data }).errorName === 'ZeroAddress';
      return false;
    });
  });

  it('OwnerFunctions_CalledByOthers_AreRefused', async () => {
    const stranger = ledger.anyone;
    const calls = [['transferOwnership', [stranger]], ['setRegistrar', [stranger]], ['setPaused', [true]], ['setHalted', [[id('log')], true]]];
    for (const [name, args] of calls)
      for (const from of [stranger, ledger.registrar])
        await ledger.refuses(name, args, from, 'NotOwner', getAddress(from));
  });

  it('RegistrarFunctions_CalledByOthers_AreRefused', async () => {
    const signer = epochKey('a').address;
    for (const from of [ledger.anyone, ledger.owner]) {
      await ledger.refuses('registerKey', [id('log'), signer, zero32, zero32, zeroAddress], from, 'NotRegistrar', getAddress(from));
      await ledger.refuses('revokeKey', [id('log'), signer, zero32], from, 'NotRegistrar', getAddress(from));
    }
  });

  it('Ownership_HandedOver_TakesTwoSteps', async () => {
    const [oldOwner, newOwner] = [getAddress(ledger.owner), getAddress(ledger.accounts[3])];
    const offer = await ledger.send('transferOwnership', [newOwner], oldOwner);
    assert.deepEqual(onlyEvent(offer), { eventName: 'OwnershipOffered', args: { owner: oldOwner, pendingOwner: newOwner } });
    assert.equal(await ledger.read('owner'), oldOwner);
    await ledger.refuses('acceptOwnership', [], ledger.anyone, 'NotPendingOwner', getAddress(ledger.anyone));
    const taken = await ledger.send('acceptOwnership', [], newOwner);
    assert.deepEqual(onlyEvent(taken), { eventName: 'OwnershipTaken', args: { previousOwner: oldOwner, owner: newOwner } });
    assert.equal(await ledger.read('owner'), newOwner);
    assert.equal(await ledger.read('pendingOwner'), zeroAddress);
    await ledger.refuses('setPaused', [true], oldOwner, 'NotOwner', oldOwner);
    await ledger.refuses('acceptOwnership', [], newOwner, 'NotPendingOwner', newOwner);
  });

  it('Ownership_OfferWithdrawn_CannotBeTaken', async () => {
    const candidate = getAddress(ledger.accounts[3]);
    await ledger.send('transferOwnership', [candidate], ledger.owner);
    await ledger.send('transferOwnership', [zeroAddress], ledger.owner);
    await ledger.refuses('acceptOwnership', [], candidate, 'NotPendingOwner', candidate);
  });

  it('Registrar_Replaced_OldOneLosesTheRole', async () => {
    const [before, next] = [getAddress(ledger.registrar), getAddress(ledger.accounts[4])];
    const changed = await ledger.send('setRegistrar', [next], ledger.owner);
    assert.deepEqual(onlyEvent(changed), { eventName: 'RegistrarChanged', args: { previousRegistrar: before, registrar: next } });
    const args = [id('log'), epochKey('a').address, zero32, zero32, zeroAddress];
    await ledger.refuses('registerKey', args, before, 'NotRegistrar', before);
    await ledger.send('registerKey', args, next);
    await ledger.refuses('setRegistrar', [zeroAddress], ledger.owner, 'ZeroAddress');
  });

  it('Pause_Set_StopsRegisteringButNotRevoking', async () => {
    await ledger.register('log', 'a');
    const paused = await ledger.send('setPaused', [true], ledger.owner);
    assert.deepEqual(onlyEvent(paused), { eventName: 'PausedChanged', args: { paused: true } });
    const other = [id('other'), epochKey('b').address, zero32, zero32, zeroAddress];
    await ledger.refuses('registerKey', other, ledger.registrar, 'Paused');
    await ledger.revoke('log', 'a');
    await ledger.statusIs('a', status.Revoked);
    await ledger.send('setPaused', [false], ledger.owner);
    await ledger.send('registerKey', other, ledger.registrar);
  });

  it('Halt_OfALog_StopsItsAnchorsAndRegistrationsAndNoOthers', async () => {
    await ledger.register('log', 'a');
    await ledger.register('other', 'o');
    await ledger.anchor('log', 'a', freshHead, 'r3', 3n);
    const next = await ledger.anchorArgs('log', 'a', pack(id('r3'), 3n), 'r4', 4n);
    assert.deepEqual(onlyEvent(await ledger.halt('log')), { eventName: 'LogHalted', args: { logId: id('log'), halted: true } });
    assert.equal(await ledger.read('isHalted', id('log')), true);
    await ledger.headIs('log', pack(id('r3'), 3n), null);
    await ledger.statusIs('a', status.Active);
    await ledger.refuses('anchor', next, ledger.anyone, 'NotActiveKey', epochKey('a').address);
    const successor = [id('log'), epochKey('b').address, zero32, zero32, epochKey('a').address];
    await ledger.refuses('registerKey', successor, ledger.registrar, 'Halted', id('log'));
    await ledger.anchor('other', 'o', freshHead, 'r1', 1n);

    await ledger.halt('log', false);
    await ledger.headIs('log', pack(id('r3'), 3n), 'a');
    await ledger.send('anchor', next);
  });

  it('Halt_OfSeveralLogs_PassesOverThoseThatAreHaltedAndRefusesUnknownOnes', async () => {
    await ledger.register('log', 'a');
    await ledger.register('other', 'o');
    await ledger.halt('log');
    const both = await ledger.send('setHalted', [[id('log'), id('other'), id('other')], true], ledger.owner);
    assert.deepEqual(onlyEvent(both), { eventName: 'LogHalted', args: { logId: id('other'), halted: true } });
    await ledger.refuses('setHalted', [[id('log'), id('nobody')], false], ledger.owner, 'UnknownLog', id('nobody'));
    assert.equal(await ledger.read('isHalted', id('log')), true);
    const resumed = await ledger.send('setHalted', [[id('log'), id('other')], false], ledger.owner);
    assert.equal(resumed.events.length, 2);
    await ledger.headIs('log', freshHead, 'a');
    await ledger.headIs('other', freshHead, 'o');
  });

  it('Halt_KeyRevokedMeanwhile_KeepsTheHeadForASuccessor', async () => {
    await ledger.register('log', 'a');
    await ledger.anchor('log', 'a', freshHead, 'r3', 3n);
    const head = pack(id('r3'), 3n);
    await ledger.halt('log');
    assert.equal(onlyEvent(await ledger.revoke('log', 'a')).args.parkedHead, head);
    await ledger.headIs('log', head, null);
    await ledger.halt('log', false);
    await ledger.headIs('log', head, null);
    await ledger.register('log', 'b', epochKey('a').address);
    await ledger.headIs('log', head, 'b');
    await ledger.anchor('log', 'b', head, 'r4', 4n);
  });

  it('Halt_AfterARevocation_LeavesTheParkedHead', async () => {
    await ledger.register('log', 'a');
    await ledger.anchor('log', 'a', freshHead, 'r3', 3n);
    await ledger.revoke('log', 'a');
    await ledger.halt('log');
    await ledger.headIs('log', pack(id('r3'), 3n), null);
    await ledger.halt('log', false);
    await ledger.headIs('log', pack(id('r3'), 3n), null);
  });

  it('Ether_SentToTheContract_IsRefused', async () => {
    const receipt = await ledger.transact({ from: ledger.anyone, to: ledger.address, value: '0x1' });
    assert.equal(receipt.ok, false);
  });
});
