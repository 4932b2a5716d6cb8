// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Rfc6962} from "./Rfc6962.sol";
import {SettlementLedger} from "./SettlementLedger.sol";

/// A ledger that keeps every anchored root, so that another contract can check a proof against the checkpoint it was made
/// for, however many anchors came after it. It takes the same calls and emits the same events; an anchor costs one more
/// storage slot.
contract ComposableLedger is SettlementLedger {
    /// Under log and size. Sizes of a log only grow, so nothing is overwritten.
    mapping(bytes32 => mapping(uint64 => bytes32)) private _roots;

    constructor(address registrar_) SettlementLedger(registrar_) {}

    /// As SettlementLedger anchors, and keeps the root.
    function anchor(bytes32 logId, uint256 keyAndSize, bytes32 root, bytes32 r, uint256 vs) public override {
        super.anchor(logId, keyAndSize, root, r, vs);
        _roots[logId][uint64(keyAndSize)] = root;
    }

    /// Root of the checkpoint that was anchored at this size; 0 if none was.
    function rootAt(bytes32 logId, uint64 size) external view returns (bytes32 root) {
        return _roots[logId][size];
    }

    /// Whether `statement` is entry `index` of the checkpoint that was anchored at this size. False, never a revert, if
    /// anything does not fit. Says nothing of the key's standing: ask keyInfo.
    function verifyInclusionAt(
        bytes32 logId,
        uint64 size,
        bytes calldata statement,
        uint64 index,
        bytes32[] calldata path
    ) external view returns (bool) {
        bytes32 root = _roots[logId][size];
        if (root == 0) return false;
        (bool wellFormed, bytes32 computed) =
            Rfc6962.inclusionRoot(Rfc6962.leafHash(statement), index, size, path);
        return wellFormed && computed == root;
    }
}
