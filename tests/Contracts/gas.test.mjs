// Gas against contracts/gas.json, which `node contracts/gas-table.mjs` writes anew. 1 % is allowed for another node's
// intrinsic costs.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, describe, it } from 'node:test';
import { gasFile, measure } from '../../contracts/gas-table.mjs';

const tolerance = 0.01;
const reach = 1.25;

describe('gas', () => {
  let gas, snapshot;
  before(async () => {
    gas = await measure();
    snapshot = JSON.parse(readFileSync(gasFile));
  });

  const compare = (now, then, name) => {
    const drift = Math.abs(now - then) / then;
    assert.ok(drift <= tolerance, `${name}: ${now}, snapshot ${then}; node contracts/gas-table.mjs accepts it`);
  };

  it('Gas_OfEveryOperation_IsWithinOnePercentOfTheSnapshot', () => {
    assert.deepEqual(Object.keys(gas.operations), Object.keys(snapshot.operations));
    for (const [name, value] of Object.entries(snapshot.operations)) compare(gas.operations[name], value, name);
  });

  it('Gas_OfEveryDesign_IsWithinOnePercentOfTheSnapshot', () => {
    assert.deepEqual(gas.gas_table.map((row) => row.name), snapshot.gas_table.map((row) => row.name));
    gas.gas_table.forEach((row, index) => compare(row.gas, snapshot.gas_table[index].gas, row.name));
  });

  it('Gas_OfAnAnchor_IsWithinAQuarterOfTheFloor', () =>
    assert.ok(gas.gas_per_anchor <= reach * gas.gas_floor, `${gas.gas_per_anchor} against ${gas.gas_floor}`));

  it('Gas_PerReceipt_IsTheAnchorsShareOfItsBatch', () => {
    const row = gas.gas_table.find(({ gas: used }) => used === gas.gas_per_anchor);
    assert.deepEqual(row.per_receipt, [64, 1_024, 16_384, 1_000_000].map((receipts) => gas.gas_per_anchor / receipts));
  });
});
