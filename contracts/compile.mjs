// Compiles the contracts and writes their artifacts, which are committed so that building the engine needs no node.
// `--check` compares instead of writing. The same sources give the same bytes.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import solc from 'solc';

const root = new URL('../', import.meta.url);
const ledgerSources = ['Administered.sol', 'CheckpointDomain.sol', 'Rfc6962.sol', 'SettlementLedger.sol'].map((name) => `contracts/${name}`);

/** Each artifact: where it lies, which contract, from which sources. */
export const artifacts = [
  { file: 'contracts/SettlementLedger.json', contract: 'SettlementLedger', sources: ledgerSources },
  { file: 'contracts/ComposableLedger.json', contract: 'ComposableLedger', sources: [...ledgerSources, 'contracts/ComposableLedger.sol'] },
  {
    file: 'contracts/examples/DecisionBook.json', contract: 'DecisionBook',
    sources: ['contracts/ISettlementLedger.sol', 'contracts/examples/ProvenResult.sol', 'contracts/examples/DecisionBook.sol'],
  },
  ...['Floor', 'BatchRelay', 'SingleReceipts'].map((contract) =>
    ({ file: `tests/Contracts/sol/${contract}.json`, contract, sources: ['tests/Contracts/sol/Yardsticks.sol'] })),
];

const settings = {
  viaIR: true,
  // 1,000: an anchor costs 36 gas less than at 200, and 12 more than at 1,000,000, which makes a quarter more code.
  optimizer: { enabled: true, runs: 1000 },
  // The oldest rules with PUSH0 and MCOPY, so that chains a fork or two behind take the contract.
  evmVersion: 'cancun',
  // No metadata trailer: the bytecode then depends on the code alone, not on comments or paths.
  metadata: { appendCBOR: false, bytecodeHash: 'none' },
};

const readSources = (names) => Object.fromEntries(names.map((name) => [name, readFileSync(new URL(name, root), 'utf8')]));

/** SHA-256 over file name and text of every source in order of name, each ended by a zero byte. */
export const sourceDigest = (sources) => {
  const hash = createHash('sha256');
  for (const name of Object.keys(sources).sort()) hash.update(`${name.split('/').at(-1)}\0${sources[name]}\0`);
  return hash.digest('hex');
};

const compileTogether = (names) => {
  const sources = readSources(names);
  const input = {
    language: 'Solidity',
    sources: Object.fromEntries(Object.entries(sources).map(([name, content]) => [name, { content }])),
    settings: { ...settings, outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object', 'evm.deployedBytecode.object'] } } },
  };
  const output = JSON.parse(solc.compile(JSON.stringify(input)));
  if (output.errors?.length) throw new Error(output.errors.map((e) => e.formattedMessage).join('\n'));
  return { sources, contracts: Object.assign({}, ...Object.values(output.contracts)) };
};

/** Every artifact as { file: content }, from one run of the compiler. */
export const compile = () => {
  const { sources, contracts } = compileTogether([...new Set(artifacts.flatMap((artifact) => artifact.sources))]);
  return Object.fromEntries(artifacts.map(({ file, contract, sources: names }) => [file, {
    contractName: contract,
    compiler: { version: solc.version(), settings },
    sourceDigest: sourceDigest(Object.fromEntries(names.map((name) => [name, sources[name]]))),
    abi: contracts[contract].abi,
    bytecode: `0x${contracts[contract].evm.bytecode.object}`,
    deployedBytecode: `0x${contracts[contract].evm.deployedBytecode.object}`,
  }]));
};

export const render = (compiled) => `${JSON.stringify(compiled, null, 2)}\n`;

const main = () => {
  for (const [file, compiled] of Object.entries(compile())) {
    const [path, text] = [new URL(file, root), render(compiled)];
    if (!process.argv.includes('--check')) writeFileSync(path, text);
    else if (readFileSync(path, 'utf8') !== text) {
      console.error(`${file} does not match its sources; run: npm run compile`);
      process.exitCode = 1;
    }
  }
};

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
