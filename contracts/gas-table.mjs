// What anchoring costs, measured side by side on one node: prints the table and writes contracts/gas.json.
// `--json` prints the table and, as its last line, one JSON object, and writes nothing.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { startAnvil } from '../tests/Contracts/anvil.mjs';
import { measureOperations, measureTable } from '../tests/Contracts/gas.mjs';

export const gasFile = new URL('gas.json', import.meta.url);

export const measure = async () => {
  const node = await startAnvil();
  try {
    return { operations: await measureOperations(node.url), ...(await measureTable(node.url)) };
  } finally {
    await node.stop();
  }
};

export const render = (gas) => `${JSON.stringify(gas, null, 2)}\n`;

const number = (value) => value.toLocaleString('en-US', { maximumFractionDigits: value < 10 ? 3 : value < 1000 ? 1 : 0 });

const print = ({ batches, gas_table: rows }) => {
  const head = ['', 'gas per anchor', ...batches.map((batch) => `per receipt @${number(batch)}`)];
  const lines = rows.map((row) => [row.name, number(row.gas), ...row.per_receipt.map(number)]);
  const widths = head.map((_, column) => Math.max(...[head, ...lines].map((line) => line[column].length)));
  for (const line of [head, ...lines])
    console.log(line.map((cell, column) => (column ? cell.padStart(widths[column]) : cell.padEnd(widths[column]))).join('  '));
};

const main = async () => {
  const gas = await measure();
  print(gas);
  const { gas_per_anchor, gas_floor, gas_table } = gas;
  console.log(`\nanchor / floor = ${(gas_per_anchor / gas_floor).toFixed(3)}`);
  if (process.argv.includes('--json')) console.log(JSON.stringify({ gas_per_anchor, gas_floor, gas_table }));
  else writeFileSync(gasFile, render(gas));
};

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
