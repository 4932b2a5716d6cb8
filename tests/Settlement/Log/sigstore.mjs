// Checks a published log with npm's @sigstore/verify: node sigstore.mjs PACKAGE-FOLDER < what SigstoreTests writes
import { createPublicKey } from 'node:crypto'
import { createRequire } from 'node:module'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const folder = process.argv[2]
const require = createRequire(join(folder, 'package.json'))
const { verifyMerkleInclusion } = require('./dist/timestamp/merkle.js')
const { verifyCheckpoint } = require('./dist/timestamp/checkpoint.js')

const { note, publicKey, keyId, size, root, proofs } = JSON.parse(readFileSync(0, 'utf8'))
const spki = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), Buffer.from(publicKey, 'hex')])
const logs = [{
  logID: Buffer.from(keyId.padEnd(64, '0'), 'hex'),
  publicKey: createPublicKey({ key: spki, format: 'der', type: 'spki' }),
  validFor: { start: new Date(0), end: new Date(8.64e15) },
}]

const holds = check => {
  try {
    check()
    return true
  } catch (refused) {
    if (refused.code !== 'TLOG_INCLUSION_PROOF_ERROR') throw refused
    return false
  }
}

const entryOf = proof => ({
  integratedTime: '1700000000',
  canonicalizedBody: Buffer.from(proof.entry, 'base64'),
  inclusionProof: {
    logIndex: String(proof.index), treeSize: String(size), rootHash: Buffer.from(root, 'hex'),
    hashes: proof.path.map(hash => Buffer.from(hash, 'hex')), checkpoint: { envelope: note },
  },
})

let inclusions = 0, refusals = 0
for (const proof of proofs) {
  if (holds(() => verifyMerkleInclusion(entryOf(proof)))) inclusions++
  const other = entryOf({ ...proof, entry: Buffer.from('another entry').toString('base64') })
  if (!holds(() => verifyMerkleInclusion(other))) refusals++
}

const whole = entryOf(proofs[0])
const checkpoint = holds(() => verifyCheckpoint(whole, logs))
const changed = { ...whole, inclusionProof: { ...whole.inclusionProof, checkpoint: { envelope: note.replace(`\n${size}\n`, `\n${size + 1}\n`) } } }
const refused = !holds(() => verifyCheckpoint(changed, logs))
console.log(JSON.stringify({ inclusions, refusals, checkpoint, refused }))
