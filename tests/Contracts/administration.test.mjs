import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { decodeErrorResult, encodeDeployData, getAddress } from 'viem';
import { startAnvil } from './anvil.mjs';
import { abi, artifact, epochKey, freshHead, id, Ledger, onlyEvent, status, zero32, zeroAddress } from './ledger.mjs';

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
    const calls = [['transferOwnership', [stranger]], ['setRegistrar', [stranger]], ['setPaused', [true]]];
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

  it('Pause_Set_StopsAnchoringAndRegisteringButNotRevoking', async () => {
    await ledger.register('log', 'a');
    const anchor = await ledger.anchorArgs('log', 'a', freshHead, 'root', 3n);
    const paused = await ledger.send('setPaused', [true], ledger.owner);
    assert.deepEqual(onlyEvent(paused), { eventName: 'PausedChanged', args: { paused: true } });
    await ledger.refuses('anchor', anchor, ledger.anyone, 'Paused');
    const other = [id('other'), epochKey('b').address, zero32, zero32, zeroAddress];
    await ledger.refuses('registerKey', other, ledger.registrar, 'Paused');
    await ledger.send('setPaused', [false], ledger.owner);
    await ledger.send('anchor', anchor);
    await ledger.send('setPaused', [true], ledger.owner);
    await ledger.revoke('log', 'a');
    await ledger.statusIs('a', status.Revoked);
  });

  it('Ether_SentToTheContract_IsRefused', async () => {
    const receipt = await ledger.transact({ from: ledger.anyone, to: ledger.address, value: '0x1' });
    assert.equal(receipt.ok, false);
  });
});
