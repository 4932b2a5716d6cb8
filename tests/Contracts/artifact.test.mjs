import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { artifacts, compile, render } from '../../contracts/compile.mjs';

const read = (path) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

describe('artifact', () => {
  it('Artifacts_CompiledAgain_HaveTheSameBytes', () => {
    for (const [file, compiled] of Object.entries(compile())) assert.equal(render(compiled), read(file), file);
  });

  it('Artifacts_DeployedCode_IsFarBelowTheLimitOf24576Bytes', () => {
    for (const { file } of artifacts) {
      const { deployedBytecode } = JSON.parse(read(file));
      const bytes = (deployedBytecode.length - 2) / 2;
      assert.ok(bytes > 0 && bytes < 12_288, `${file}: ${bytes}`);
    }
  });

  it('LockFile_Addresses_AreAbsent', () => {
    const lock = JSON.parse(read('package-lock.json'));
    const resolved = Object.entries(lock.packages).filter(([, entry]) => entry.resolved !== undefined);
    assert.deepEqual(resolved, []);
    const unpinned = Object.entries(lock.packages).filter(([path, entry]) => path !== '' && !entry.integrity);
    assert.deepEqual(unpinned, []);
  });

  it('Package_Versions_AreExact', () => {
    const { devDependencies } = JSON.parse(read('package.json'));
    for (const [name, version] of Object.entries(devDependencies)) assert.match(version, /^\d+\.\d+\.\d+$/, name);
  });
});
