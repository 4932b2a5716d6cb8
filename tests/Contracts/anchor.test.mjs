import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { numberToHex, sliceHex } from 'viem';
import { startAnvil } from './anvil.mjs';
import { checkpointDigest, composableArtifact, epochKey, freshHead, id, keyAndSize, Ledger, onlyEvent, pack, zero32, zeroAddress } from './ledger.mjs';

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
      args: { logId: id('log'), size: 1n, root: id('r1') },
    });
    // Nameless: topic 0 is the log, so that one filter finds a log's anchors.
    assert.deepEqual(receipt.logs[0].topics, [id('log')]);
    await ledger.headIs('log', pack(id('r1'), 1n), 'a');
    await ledger.anchor('log', 'a', pack(id('r1'), 1n), 'max', 2n ** 64n - 1n);
    await ledger.headIs('log', pack(id('max'), 2n ** 64n - 1n), 'a');
  });

  it('Anchor_SubmittedTwice_SecondIsRefused', async () => {
    const args = await ledger.anchorArgs('log', 'a', freshHead, 'r1', 1n);
    await ledger.send('anchor', args, ledger.accounts[2]);
    await ledger.refuses('anchor', args, ledger.accounts[3], 'SizeNotIncreasing', 1n);
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

  it('Anchor_TwoForksFromOneHead_SecondIsRefusedAndNamesTheHead', async () => {
    const left = await ledger.anchorArgs('log', 'a', freshHead, 'left', 4n);
    const right = await ledger.anchorArgs('log', 'a', freshHead, 'right', 5n);
    await ledger.send('anchor', left);
    await refuses(right, 'NotSignedOnHead', pack(id('left'), 4n));
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

  it('Anchor_AnyArgumentChanged_IsRefused', async () => {
    const good = await ledger.anchorArgs('log', 'a', freshHead, 'r1', 1n);
    await ledger.register('other', 'o');
    const flip = (word) => numberToHex(BigInt(word) ^ 1n, { size: 32 });
    const changed = [
      [0, id('nobody'), 'NotActiveKey', address('a')], [0, id('other'), 'NotActiveKey', address('a')],
      [1, keyAndSize(address('a'), 2n), 'NotSignedOnHead', freshHead], [1, keyAndSize(address('o'), 1n), 'NotActiveKey', address('o')],
      [2, id('r2'), 'NotSignedOnHead', freshHead],
      [3, flip(good[3]), 'NotSignedOnHead', freshHead], [4, good[4] ^ 1n, 'NotSignedOnHead', freshHead],
      [4, good[4] ^ (1n << 255n), 'NotSignedOnHead', freshHead],
    ];
    for (const [index, value, ...error] of changed) {
      const args = [...good];
      args[index] = value;
      await refuses(args, ...error);
    }
    await ledger.send('anchor', good);
  });

  it('Anchor_StrangersOwnSignatureOnNoHead_IsRefused', async () => {
    // What a stranger can make valid by itself: its own key, over a log where it has no head.
    for (const log of ['log', 'nobody'])
      await refuses(await ledger.anchorArgs(log, 'stranger', zero32, 'r', 1n), 'NotActiveKey', address('stranger'));
    const args = await ledger.anchorArgs('log', 'a', freshHead, 'r', 1n);
    await refuses([args[0], keyAndSize(zeroAddress, 1n), args[2], zero32, 0n], 'NotActiveKey', zeroAddress);
  });

  it('Anchor_MalformedSignature_IsRefused', async () => {
    const args = await ledger.anchorArgs('log', 'a', freshHead, 'r1', 1n);
    const order = '0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141';
    const [ones, max] = [`0x${'ff'.repeat(32)}`, 2n ** 256n - 1n];
    const malformed = [[zero32, args[4]], [args[3], 0n], [zero32, 0n], [order, args[4]], [ones, args[4]], [args[3], max], [ones, max]];
    for (const [r, vs] of malformed) {
      const outcome = await ledger.call('anchor', [...args.slice(0, 3), r, vs]);
      assert.deepEqual(outcome, { error: 'NotSignedOnHead', args: [freshHead] }, `${r} ${vs}`);
    }
  });

  it('Anchor_BytesBetweenKeyAndSize_ChangeNothing', async () => {
    const args = await ledger.anchorArgs('log', 'a', freshHead, 'r1', 7n);
    args[1] |= 0xffffffffn << 64n;
    assert.equal(onlyEvent(await ledger.send('anchor', args)).args.size, 7n);
    await ledger.headIs('log', pack(id('r1'), 7n), 'a');
  });

  it('Anchor_CalldataCutShort_IsRefused', async () => {
    const data = ledger.encode('anchor', await ledger.anchorArgs('log', 'a', freshHead, 'r1', 1n));
    for (const length of [163, 132, 36, 4])
      assert.equal((await ledger.transact({ from: ledger.anyone, to: ledger.address, data: sliceHex(data, 0, length) })).ok, false);
    await ledger.headIs('log', freshHead, 'a');
  });

  it('Anchor_InAComposableLedger_LeavesEveryRootReadable', async () => {
    const composable = await Ledger.deploy(node.url, composableArtifact);
    await composable.register('log', 'a');
    await composable.anchor('log', 'a', freshHead, 'r1', 1n);
    const second = await composable.anchor('log', 'a', pack(id('r1'), 1n), 'r5', 5n);
    assert.deepEqual(onlyEvent(second), { eventName: 'Anchored', args: { logId: id('log'), size: 5n, root: id('r5') } });
    await composable.headIs('log', pack(id('r5'), 5n), 'a');
    assert.equal(await composable.read('rootAt', id('log'), 1n), id('r1'));
    assert.equal(await composable.read('rootAt', id('log'), 5n), id('r5'));
    assert.equal(await composable.read('rootAt', id('log'), 2n), zero32);
    assert.equal(await composable.read('rootAt', id('other'), 1n), zero32);
    await composable.refuses('anchor', await composable.anchorArgs('log', 'a', freshHead, 'r9', 9n), composable.anyone, 'NotSignedOnHead', pack(id('r5'), 5n));
  });

  it('Anchor_SignedForAnotherContract_IsRefused', async () => {
    const twin = await Ledger.deploy(node.url);
    await twin.register('log', 'a');
    const args = await ledger.anchorArgs('log', 'a', freshHead, 'r1', 1n);
    assert.equal((await twin.call('anchor', args)).error, 'NotSignedOnHead');
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
      assert.equal((await there.call('anchor', args)).error, 'NotSignedOnHead');
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
      assert.equal((await forked.call('anchor', before)).error, 'NotSignedOnHead');
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
