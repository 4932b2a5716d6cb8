// The contract's rules as one would say them: a log has a history of keys and a head; outcomes are values.
import { freshHead, pack, status, zero32, zeroAddress } from './ledger.mjs';

const refused = (error, ...args) => ({ error, args });
const accepted = (...eventNames) => ({ eventNames });

export class LedgerModel {
  keys = new Map();
  logs = new Map();
  paused = false;

  log(logId) {
    if (!this.logs.has(logId)) this.logs.set(logId, { head: zero32, history: [], halted: false });
    return this.logs.get(logId);
  }

  statusOf(signer) {
    return this.keys.get(signer)?.status ?? status.None;
  }

  lastOf(logId) {
    return this.log(logId).history.at(-1) ?? zeroAddress;
  }

  activeOf(logId) {
    const last = this.lastOf(logId);
    return this.statusOf(last) === status.Active && !this.log(logId).halted ? last : zeroAddress;
  }

  register(logId, signer, predecessor) {
    if (this.paused) return refused('Paused');
    if (this.keys.has(signer)) return refused('KeyAlreadyRegistered', signer);
    const last = this.lastOf(logId);
    if (predecessor !== last) return refused('WrongPredecessor', last);
    const log = this.log(logId);
    if (log.halted) return refused('Halted', logId);
    if (last === zeroAddress) log.head = freshHead;
    else if (this.statusOf(last) === status.Active) this.keys.get(last).status = status.Replaced;
    this.keys.set(signer, { logId, status: status.Active });
    log.history.push(signer);
    return accepted('KeyRegistered');
  }

  close(logId, signer, to, eventName) {
    const key = this.keys.get(signer);
    if (key?.logId !== logId) return refused('UnknownKey', logId, signer);
    if (key.status === to || key.status === status.Faulty) return refused('KeyAlreadyClosed', signer, key.status);
    key.status = to;
    return accepted(eventName);
  }

  revoke(logId, signer) {
    return this.close(logId, signer, status.Revoked, 'KeyRevoked');
  }

  convict(logId, signer) {
    return this.close(logId, signer, status.Faulty, 'KeyFaulty');
  }

  anchor(logId, signer, previousHead, root, size) {
    const { head } = this.log(logId);
    if (signer === zeroAddress || this.activeOf(logId) !== signer) return refused('NotActiveKey', signer);
    const current = BigInt(`0x${head.slice(-16)}`);
    if (size <= current) return refused('SizeNotIncreasing', current);
    if (head !== previousHead) return refused('NotSignedOnHead', head);
    this.log(logId).head = pack(root, size);
    return accepted('Anchored');
  }

  setHalted(logIds, halted) {
    const unknown = logIds.find((logId) => this.lastOf(logId) === zeroAddress);
    if (unknown) return refused('UnknownLog', unknown);
    const changed = [...new Set(logIds)].filter((logId) => this.log(logId).halted !== halted);
    for (const logId of changed) this.log(logId).halted = halted;
    return accepted(...changed.map(() => 'LogHalted'));
  }

  setPaused(paused) {
    this.paused = paused;
    return accepted('PausedChanged');
  }
}
