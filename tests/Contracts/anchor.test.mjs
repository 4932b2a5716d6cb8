import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { concat, recoverAddress, sliceHex } from 'viem';
import { startAnvil } from './anvil.mjs';
import { checkpointDigest, epochKey, freshHead, id, Ledger, malleate, onlyEvent, pack, zero32, zeroAddress } from './ledger.mjs';

describe('anchor', () => {
  let node, ledger;
  const address = (name) => epochKey(name).address;
  const refuses = (args, ...error) => ledger.refuses('anchor', args, ledger.anyone, ...error);
  before(async () => { node = await startAnvil(); });
  after(() => node.stop());
  beforeEach(async () => {
    ledger = await Ledger.deploy(node.url);
    await ledger.register('log', 'a');
  });

  it('Digest_OfACheckpoint_EqualsEip712OfAnotherImplementation', async () => {
    const message = { logId: id('log'), size: 2n ** 64n - 1n, root: id('r'), previousHead: id('p') };
    const { logId, size, root, previousHead } = message;
    assert.equal(await ledger.read('checkpointDigest', logId, size, root, previousHead), ledger.digest(message));
  });

  it('Anchor_SignedByTheActiveKey_MovesTheHeadAndEmits', async () => {
    const receipt = await ledger.anchor('log', 'a', freshHead, 'r1', 1n);
    assert.deepEqual(onlyEvent(receipt), {
      eventName: 'Anchored',
      args: { logId: id('log'), signer: address('a'), size: 1n, root: id('r1'), previousHead: freshHead },
    });
    await ledger.headIs('log', pack(id('r1'), 1n), 'a');
    await ledger.anchor('log', 'a', pack(id('r1'), 1n), 'max', 2n ** 64n - 1n);
    await ledger.headIs('log', pack(id('max'), 2n ** 64n - 1n), 'a');
  });

  it('Anchor_SubmittedTwice_SecondIsStaleAndNamesTheHead', async () => {
    const args = await ledger.anchorArgs('log', 'a', freshHead, 'r1', 1n);
    await ledger.send('anchor', args, ledger.accounts[2]);
    await ledger.refuses('anchor', args, ledger.accounts[3], 'StaleHead', pack(id('r1'), 1n));
  });

  it('Anchor_TwoSubmittersRaceInOneBlock_ExactlyOneWins', async () => {
    const data = ledger.encode('anchor', await ledger.anchorArgs('log', 'a', freshHead, 'r1', 1n));
    const rpc = (method, params = []) => ledger.client.request({ method, params });
    await rpc('evm_setAutomine', [false]);
    const sends = [2, 3].map((i) =>
      rpc('eth_sendTransaction', [{ from: ledger.accounts[i], to: ledger.address, data, gas: '0x30d40' }]));
    const hashes = await Promise.all(sends);
    await rpc('evm_mine');
    await rpc('evm_setAutomine', [true]);
    const receipts = await Promise.all(hashes.map((hash) => rpc('eth_getTransactionReceipt', [hash])));
    assert.equal(receipts[0].blockNumber, receipts[1].blockNumber);
    assert.deepEqual(receipts.map((r) => r.status).sort(), ['0x0', '0x1']);
    assert.equal(receipts.flatMap((r) => r.logs).length, 1);
  });

  it('Anchor_TwoForksFromOneHead_SecondIsStale', async () => {
    const left = await ledger.anchorArgs('log', 'a', freshHead, 'left', 4n);
    const right = await ledger.anchorArgs('log', 'a', freshHead, 'right', 5n);
    await ledger.send('anchor', left);
    await refuses(right, 'StaleHead', pack(id('left'), 4n));
  });

  it('Anchor_SizeNotGreater_IsRefused', async () => {
    await refuses(await ledger.anchorArgs('log', 'a', freshHead, 'r', 0n), 'SizeNotIncreasing', 0n);
    await ledger.anchor('log', 'a', freshHead, 'r5', 5n);
    const head = pack(id('r5'), 5n);
    await refuses(await ledger.anchorArgs('log', 'a', head, 'r', 5n), 'SizeNotIncreasing', 5n);
    await refuses(await ledger.anchorArgs('log', 'a', head, 'r', 4n), 'SizeNotIncreasing', 5n);
  });

  it('Anchor_ByAKeyNeverRegistered_IsRefused', async () =>
    refuses(await ledger.anchorArgs('log', 'b', freshHead, 'r', 1n), 'NotActiveKey', address('b')));

  it('Anchor_AnyArgumentChanged_RecoversAStranger', async () => {
    const good = await ledger.anchorArgs('log', 'a', freshHead, 'r1', 1n);
    const changed = [[0, id('other')], [1, id('previous')], [2, id('r2')], [3, 2n]];
    for (const [index, value] of changed) {
      const args = good.with ? good.with(index, value) : Object.assign([...good], { [index]: value });
      const [logId, previousHead, root, size, signature] = args;
      const stranger = await recoverAddress({ hash: ledger.digest({ logId, size, root, previousHead }), signature });
      assert.notEqual(stranger, address('a'));
      await refuses(args, 'NotActiveKey', stranger);
    }
    await ledger.send('anchor', good);
  });

  it('Anchor_MalleatedSignature_IsRefused', async () => {
    const args = await ledger.anchorArgs('log', 'a', freshHead, 'r1', 1n);
    const twin = malleate(args[4]);
    const [logId, previousHead, root, size] = args;
    assert.equal(await recoverAddress({ hash: ledger.digest({ logId, size, root, previousHead }), signature: twin }), address('a'));
    await refuses([...args.slice(0, 4), twin], 'BadSignature');
  });

  it('Anchor_MalformedSignature_IsRefused', async () => {
    const args = await ledger.anchorArgs('log', 'a', freshHead, 'r1', 1n);
    const signature = args[4];
    const rs = sliceHex(signature, 0, 64);
    const v = sliceHex(signature, 64);
    const order = '0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141';
    const halfOrderPlusOne = '0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a1';
    const malformed = [
      '0x', rs, concat([signature, '0x00']), concat([rs, '0x00']), concat([rs, '0x01']), concat([rs, '0x1a']), concat([rs, '0x1d']),
      concat([zero32, sliceHex(signature, 32)]), concat([sliceHex(signature, 0, 32), zero32, v]), concat([zero32, zero32, v]),
      concat([order, sliceHex(signature, 32)]), concat([sliceHex(signature, 0, 32), halfOrderPlusOne, v]),
    ];
    for (const bytes of malformed) {
      const outcome = await ledger.call('anchor', [...args.slice(0, 4), bytes]);
      assert.deepEqual(outcome, { error: 'BadSignature', args: [] }, bytes);
    }
  });

  it('Anchor_OtherV_RecoversAStranger', async () => {
    const args = await ledger.anchorArgs('log', 'a', freshHead, 'r1', 1n);
    const flipped = concat([sliceHex(args[4], 0, 64), sliceHex(args[4], 64) === '0x1b' ? '0x1c' : '0x1b']);
    assert.equal((await ledger.call('anchor', [...args.slice(0, 4), flipped])).error, 'NotActiveKey');
  });

  it('Anchor_SizeBeyond64Bits_IsRefused', async () => {
    const args = await ledger.anchorArgs('log', 'a', freshHead, 'r1', 1n);
    const data = ledger.encode('anchor', args);
    const wide = concat([sliceHex(data, 0, 100), `0x${'00'.repeat(23)}01`, sliceHex(data, 124)]);
    assert.equal((await ledger.transact({ from: ledger.anyone, to: ledger.address, data: wide })).ok, false);
    await ledger.headIs('log', freshHead, 'a');
  });

  it('Anchor_SignedForAnotherContract_IsRefused', async () => {
    const twin = await Ledger.deploy(node.url);
    await twin.register('log', 'a');
    const args = await ledger.anchorArgs('log', 'a', freshHead, 'r1', 1n);
    assert.equal((await twin.call('anchor', args)).error, 'NotActiveKey');
    await ledger.send('anchor', args);
    assert.notEqual(await twin.read('domainSeparator'), await ledger.read('domainSeparator'));
  });

  it('Anchor_SignedForAnotherChain_IsRefused', async () => {
    const [one, two] = await Promise.all([startAnvil(), startAnvil({ chainId: 31338 })]);
    try {
      const [here, there] = await Promise.all([Ledger.deploy(one.url), Ledger.deploy(two.url)]);
      assert.equal(here.address, there.address);
      await Promise.all([here.register('log', 'a'), there.register('log', 'a')]);
      const args = await here.anchorArgs('log', 'a', freshHead, 'r1', 1n);
      assert.equal((await there.call('anchor', args)).error, 'NotActiveKey');
      await here.send('anchor', args);
    } finally {
      await Promise.all([one.stop(), two.stop()]);
    }
  });

  it('Anchor_AfterTheChainTookAnotherId_NeedsASignatureForTheNewOne', async () => {
    const split = await startAnvil();
    try {
      const forked = await Ledger.deploy(split.url);
      await forked.register('log', 'a');
      const before = await forked.anchorArgs('log', 'a', freshHead, 'r1', 1n);
      await forked.client.request({ method: 'anvil_setChainId', params: [31339] });
      assert.equal((await forked.call('anchor', before)).error, 'NotActiveKey');
      const message = { logId: id('log'), size: 1n, root: id('r1'), previousHead: freshHead };
      const digest = await forked.read('checkpointDigest', message.logId, 1n, message.root, freshHead);
      assert.equal(digest, checkpointDigest(31339, forked.address, message));
      forked.chainId = 31339;
      assert.equal((await forked.call('anchor', await forked.anchorArgs('log', 'a', freshHead, 'r1', 1n))).error, undefined);
    } finally {
      await split.stop();
    }
  });

  it('Head_OfAnUnknownLog_IsZero', async () =>
    assert.deepEqual(await ledger.read('head', id('nobody')), [zero32, zeroAddress]));
});
