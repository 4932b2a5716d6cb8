// Golden vectors for the engine's EVM client, made with viem: tests/vectors/evm.json. `npm run vectors` writes the file;
// a test makes it again and compares. Whole numbers are decimal strings, bytes are 0x hexadecimal.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  concat, domainSeparator, encodeErrorResult, encodeEventTopics, encodeFunctionData, encodeFunctionResult, getAbiItem,
  hashStruct, keccak256, numberToHex, serializeTransaction, sliceHex, stringToHex, toEventSelector,
  encodeAbiParameters, toFunctionSelector, toHex, toRlp,
} from 'viem';
import { privateKeyToAccount, sign } from 'viem/accounts';
import { formatAbiItem } from 'viem/utils';
import { abi, checkpointDigest, checkpointTypes, compact, domainOf, freshHead, keyAndSize, pack } from './ledger.mjs';
import { seeded } from './random.mjs';

export const vectorsFile = new URL('../vectors/evm.json', import.meta.url);
const seed = 712;

const plain = (value) =>
  typeof value === 'bigint' || typeof value === 'number' ? value.toString()
  : Array.isArray(value) ? value.map(plain)
  : value;

const keccakCases = (random) =>
  [0, 1, 31, 32, 64, 135, 136, 137, 271, 272, 273, 1000].map((length) => {
    const input = toHex(random.bytes(length));
    return { input, hash: keccak256(input) };
  });

const rlpCases = (random) => {
  const bytes = (n) => toHex(random.bytes(n));
  const values = [
    ['empty string', '0x'], ['single byte 00', '0x00'], ['single byte 7f', '0x7f'], ['single byte 80', '0x80'],
    ['dog', stringToHex('dog')], ['55 bytes', bytes(55)], ['56 bytes', bytes(56)], ['255 bytes', bytes(255)],
    ['256 bytes', bytes(256)], ['empty list', []],
    ['cat, dog', ['cat', 'dog'].map((s) => stringToHex(s))], ['set of three', [[], [[]], [[], [[]]]]],
    ['list payload 55', [bytes(27), bytes(26)]], ['list payload 56', [bytes(27), bytes(27)]], ['deep', [[[[[['0x01']]]]]]],
    ['list of 300', Array.from({ length: 300 }, () => bytes(2))],
  ];
  return values.map(([name, value]) => ({ name, value, encoded: toRlp(value) }));
};

/** Strings whose length takes two and three bytes: `count` times `byte`; the hash is over the whole encoding. */
const largeRlpCases = () =>
  [['5a', 65_535], ['ff', 65_536], ['00', 70_000]].map(([byte, count]) => {
    const encoded = toRlp(`0x${byte.repeat(count)}`);
    return { byte: `0x${byte}`, count: `${count}`, head: encoded.slice(0, -2 * count), hash: keccak256(encoded) };
  });

const addressCases = (keys) =>
  keys.map((privateKey) => {
    const { publicKey, address } = privateKeyToAccount(privateKey);
    return { privateKey, publicKey, address };
  });

/** Arguments for every function, once small and once with every byte set. */
const callArguments = (random) => {
  const word = () => toHex(random.bytes(32));
  const address = () => privateKeyToAccount(word()).address;
  const words = (n) => Array.from({ length: n }, word);
  const signature = () => toHex(random.bytes(65));
  const max = 2n ** 64n - 1n;
  const anchor = (size) => [word(), keyAndSize(address(), size), word(), word(), BigInt(word())];
  return [
    ['acceptOwnership', []],
    ['anchor', anchor(1n)],
    ['anchor', anchor(max)],
    ['checkpointDigest', [word(), 1_000_000n, word(), freshHead]],
    ['domainSeparator', []],
    ['head', [word()]],
    ['isHalted', [word()]],
    ['keyInfo', [address()]],
    ['leafHash', ['0x']],
    ['leafHash', [toHex(random.bytes(33))]],
    ['owner', []],
    ['paused', []],
    ['pendingOwner', []],
    ['proveCheckpointEquivocation', [word(), 9n, word(), freshHead, signature(), word(), freshHead, signature()]],
    ['proveStatementEquivocation', [toHex(random.bytes(120)), signature(), toHex(random.bytes(120)), signature()]],
    ['registerKey', [word(), address(), word(), word(), `0x${'00'.repeat(20)}`]],
    ['registerKey', [word(), address(), word(), word(), address()]],
    ['registrar', []],
    ['revokeKey', [word(), address(), word()]],
    ['rfc6962Inclusion', [word(), 3n, 5n, words(3)]],
    ['rfc6962Inclusion', [word(), 0n, 1n, []]],
    ['setHalted', [words(2), true]],
    ['setPaused', [true]],
    ['setRegistrar', [address()]],
    ['transferOwnership', [address()]],
    ['verifyConsistency', [3n, 7n, word(), word(), words(4)]],
    ['verifyInclusion', [word(), word(), 33n, toHex(random.bytes(200)), 32n, words(1)]],
  ];
};

const functionCases = (random) =>
  callArguments(random).map(([name, args]) => {
    const item = getAbiItem({ abi, name });
    const calldata = encodeFunctionData({ abi, functionName: name, args });
    return { signature: formatAbiItem(item), selector: toFunctionSelector(item), args: plain(args), calldata };
  });

const resultCases = (random) => {
  const word = () => toHex(random.bytes(32));
  const address = () => privateKeyToAccount(word()).address;
  const cases = [
    ['head', [pack(word(), 77n), address()]], ['head', [`0x${'00'.repeat(32)}`, `0x${'00'.repeat(20)}`]],
    ['keyInfo', [word(), 1, word(), word()]], ['paused', true], ['verifyInclusion', false], ['domainSeparator', word()],
    ['registrar', address()],
  ];
  return cases.map(([name, result]) =>
    ({ function: name, result: plain(result), data: encodeFunctionResult({ abi, functionName: name, result }) }));
};

const errorArguments = {
  KeyAlreadyClosed: (r) => [r.address(), 3], KeyAlreadyRegistered: (r) => [r.address()], NotActiveKey: (r) => [r.address()],
  Halted: (r) => [r.word()], UnknownLog: (r) => [r.word()], NotSignedOnHead: (r) => [pack(r.word(), 41n)],
  NotOwner: (r) => [r.address()], NotPendingOwner: (r) => [r.address()], NotRegistrar: (r) => [r.address()],
  SizeNotIncreasing: () => [41n], UnknownKey: (r) => [r.word(), r.address()],
  WrongPredecessor: (r) => [r.address()],
};

const errorCases = (random) => {
  const make = { word: () => toHex(random.bytes(32)), address: () => privateKeyToAccount(toHex(random.bytes(32))).address };
  return abi.filter((item) => item.type === 'error').map((item) => {
    const args = errorArguments[item.name]?.(make) ?? [];
    const data = encodeErrorResult({ abi, errorName: item.name, args });
    return { signature: formatAbiItem(item), selector: data.slice(0, 10), args: plain(args), data };
  });
};

const eventCases = (random) => {
  const word = () => toHex(random.bytes(32));
  const address = () => privateKeyToAccount(word()).address;
  const values = {
    LogHalted: { logId: word(), halted: true },
    KeyRegistered: {
      logId: word(), signer: address(), predecessor: address(), evidenceDigest: word(), epoch: word(), head: freshHead,
    },
    KeyRevoked: { logId: word(), signer: address(), reason: word(), parkedHead: freshHead },
    KeyFaulty: { logId: word(), signer: address(), digestA: word(), digestB: word(), parkedHead: `0x${'00'.repeat(32)}` },
    OwnershipOffered: { owner: address(), pendingOwner: address() },
    OwnershipTaken: { previousOwner: address(), owner: address() },
    RegistrarChanged: { previousRegistrar: address(), registrar: address() },
    PausedChanged: { paused: true },
  };
  return abi.filter((item) => item.type === 'event').map((item) => {
    const args = values[item.name];
    const body = item.inputs.filter((input) => !input.indexed);
    return {
      signature: formatAbiItem(item),
      topic0: toEventSelector(item),
      args: Object.fromEntries(Object.entries(args).map(([name, value]) => [name, plain(value)])),
      topics: encodeEventTopics({ abi, eventName: item.name, args }),
      data: encodeAbiParameters(body, body.map((input) => args[input.name])),
    };
  });
};

/** The event without a name that an accepted anchor emits: topic 0 is the log, the data size ‖ root. */
const anchoredCases = (random) =>
  [1n, 2n ** 63n, 2n ** 64n - 1n].map((size) => {
    const [logId, root] = [toHex(random.bytes(32)), toHex(random.bytes(32))];
    return { logId, size: `${size}`, root, topics: [logId], data: concat([numberToHex(size, { size: 8 }), root]) };
  });

/** Proofs of equivocation from a statement's bytes or two checkpoints in the project's own formats, where v is 0 or 1. */
const adjudicationCases = (random) => {
  const bytes = (length) => toHex(random.bytes(length));
  const v = (formatted) => concat([sliceHex(formatted, 0, 64), numberToHex(27 + Number(sliceHex(formatted, 64)), { size: 1 })]);
  const [first, second] = [0, 1].map((parity) => concat([bytes(120), bytes(64), numberToHex(parity, { size: 1 }), bytes(40)]));
  const parts = (statement) => [sliceHex(statement, 0, 120), v(sliceHex(statement, 120, 185))];
  const side = (parity) => ({ root: bytes(32), previousHead: freshHead, signature: concat([bytes(64), numberToHex(parity, { size: 1 })]) });
  const [logId, left, right] = [bytes(32), side(1), side(0)];
  return [
    { function: 'proveStatementEquivocation', first, second,
      calldata: encodeFunctionData({ abi, functionName: 'proveStatementEquivocation', args: [...parts(first), ...parts(second)] }) },
    { function: 'proveCheckpointEquivocation', logId, size: '9', firstRoot: left.root, firstPreviousHead: left.previousHead, firstSignature: left.signature,
      secondRoot: right.root, secondPreviousHead: right.previousHead, secondSignature: right.signature,
      calldata: encodeFunctionData({ abi, functionName: 'proveCheckpointEquivocation',
        args: [logId, 9n, left.root, left.previousHead, v(left.signature), right.root, right.previousHead, v(right.signature)] }) },
  ];
};

const eip712Cases = async (random, keys) => {
  const checkpoint = async (chainId, size, privateKey) => {
    const contract = privateKeyToAccount(toHex(random.bytes(32))).address;
    const message = { logId: toHex(random.bytes(32)), size, root: toHex(random.bytes(32)), previousHead: freshHead };
    const digest = checkpointDigest(chainId, contract, message);
    const { r, s, yParity } = await sign({ hash: digest, privateKey });
    return {
      chainId: `${chainId}`, contract, ...message, size: `${size}`,
      domainSeparator: domainSeparator({ domain: domainOf(chainId, contract) }),
      structHash: hashStruct({ data: message, types: checkpointTypes, primaryType: 'Checkpoint' }),
      digest, privateKey, signer: privateKeyToAccount(privateKey).address,
      signature: concat([r, s, numberToHex(27 + yParity, { size: 1 })]),
      anchorCall: encodeFunctionData({
        abi, functionName: 'anchor', args: [message.logId, keyAndSize(privateKeyToAccount(privateKey).address, size), message.root,
          ...compact(concat([r, s, numberToHex(27 + yParity, { size: 1 })]))],
      }),
    };
  };
  const domainType = 'EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)';
  const checkpointType = 'Checkpoint(bytes32 logId,uint64 size,bytes32 root,bytes32 previousHead)';
  return {
    domainType, domainTypeHash: keccak256(stringToHex(domainType)),
    checkpointType, checkpointTypeHash: keccak256(stringToHex(checkpointType)),
    checkpoints: [
      await checkpoint(31337, 1n, keys[0]), await checkpoint(1, 2n ** 64n - 1n, keys[1]),
      await checkpoint(10740, 1_000_000n, keys[2]), await checkpoint(2 ** 53 - 1, 0n, keys[3]),
    ],
  };
};

const baseTransaction = (random, overrides) => ({
  type: 'eip1559', chainId: 31337, nonce: 7, maxPriorityFeePerGas: 1_000_000_000n, maxFeePerGas: 3_000_000_000n,
  gas: 90_000n, to: privateKeyToAccount(toHex(random.bytes(32))).address, value: 0n, data: toHex(random.bytes(68)),
  accessList: [], ...overrides,
});

const signedCase = async (name, transaction, privateKey) => {
  const unsigned = serializeTransaction(transaction);
  const signingHash = keccak256(unsigned);
  const signature = await sign({ hash: signingHash, privateKey });
  const signed = serializeTransaction(transaction, signature);
  const { type, accessList, ...fields } = transaction;
  return {
    name, privateKey, from: privateKeyToAccount(privateKey).address,
    ...Object.fromEntries(Object.entries(fields).map(([key, value]) =>
      [key, typeof value === 'string' ? value : value === undefined ? null : `${value}`])),
    accessList, unsigned, signingHash, r: signature.r, s: signature.s, yParity: `${signature.yParity}`, signed, hash: keccak256(signed),
  };
};

/** The first nonce whose signature has what is asked for: most significant zero bytes of r or s are dropped in RLP. */
const searchedCase = async (name, random, privateKey, wanted) => {
  const transaction = baseTransaction(random);
  for (let nonce = 0; ; nonce++) {
    const candidate = await signedCase(name, { ...transaction, nonce }, privateKey);
    if (wanted(candidate)) return candidate;
  }
};

const transactionCases = async (random, keys) => {
  const variants = [
    ['plain', {}], ['zero nonce', { nonce: 0 }], ['empty data', { data: '0x' }], ['zero fees', { maxPriorityFeePerGas: 0n, maxFeePerGas: 0n }],
    ['value 1 ether', { value: 10n ** 18n, data: '0x' }], ['contract creation', { to: undefined, data: toHex(random.bytes(300)) }],
    ['data byte 00', { data: '0x00' }], ['data of zeros', { data: `0x${'00'.repeat(100)}` }], ['data 55', { data: toHex(random.bytes(55)) }],
    ['data 56', { data: toHex(random.bytes(56)) }], ['data 1000', { data: `0x${'a5'.repeat(1000)}`, gas: 16_000_000n }],
    ['main chain', { chainId: 1 }], ['large chain id', { chainId: 2 ** 53 - 1 }], ['large nonce', { nonce: 2 ** 32 }],
    ['large fees', { maxPriorityFeePerGas: 2n ** 100n, maxFeePerGas: 2n ** 128n - 1n }],
    ['access list', { accessList: [{ address: `0x${'11'.repeat(20)}`, storageKeys: [toHex(random.bytes(32)), `0x${'00'.repeat(32)}`] },
      { address: `0x${'22'.repeat(20)}`, storageKeys: [] }] }],
    ['anchor', { data: encodeFunctionData({ abi, functionName: 'anchor', args: callArguments(random)[1][1] }) }],
  ];
  const cases = [];
  for (const [index, [name, overrides]] of variants.entries())
    cases.push(await signedCase(name, baseTransaction(random, overrides), keys[index % keys.length]));
  cases.push(await searchedCase('r begins with a zero byte', random, keys[0], ({ r }) => r.startsWith('0x00')));
  cases.push(await searchedCase('s begins with a zero byte', random, keys[1], ({ s }) => s.startsWith('0x00')));
  cases.push(await searchedCase('parity 0', random, keys[2], ({ yParity }) => yParity === '0'));
  cases.push(await searchedCase('parity 1', random, keys[2], ({ yParity }) => yParity === '1'));
  return cases;
};

export const makeVectors = async () => {
  const random = seeded(seed);
  const keys = [`0x${'00'.repeat(31)}01`, '0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364140',
    ...Array.from({ length: 4 }, () => toHex(random.bytes(32)))];
  return {
    about: 'EVM golden vectors made by tests/Contracts/vectors.mjs with viem; integers are decimal strings',
    seed: `${seed}`,
    keccak256: keccakCases(random),
    rlp: rlpCases(random),
    rlpLarge: largeRlpCases(),
    addresses: addressCases(keys),
    functions: functionCases(random),
    results: resultCases(random),
    errors: errorCases(random),
    events: eventCases(random),
    anchored: anchoredCases(random),
    adjudication: adjudicationCases(random),
    eip712: await eip712Cases(random, keys),
    transactions: await transactionCases(random, keys),
  };
};

export const renderVectors = (vectors) => `${JSON.stringify(vectors, null, 1)}\n`;

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(vectorsFile, renderVectors(await makeVectors()));
