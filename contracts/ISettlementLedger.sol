// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// What other contracts ask a SettlementLedger. Statuses of keys are those of SettlementLedger.Status, in this order:
/// 0 none, 1 active, 2 replaced by a successor (the ordinary end), 3 revoked, 4 faulty (convicted of equivocation).
interface ISettlementLedger {
    /// The log's newest head, and the key that may move it: 0 while there is none or the log is halted.
    function head(bytes32 logId) external view returns (bytes32 packedHead, address activeKey);

    function keyInfo(address signer)
        external
        view
        returns (bytes32 logId, uint8 status, bytes32 evidenceDigest, bytes32 epoch);

    /// Whether `statement` is entry `index` of the newest anchored checkpoint (root, size).
    function verifyInclusion(
        bytes32 logId,
        bytes32 root,
        uint64 size,
        bytes calldata statement,
        uint64 index,
        bytes32[] calldata path
    ) external view returns (bool);

    /// Root that the path leads to; reverts if path and size do not fit.
    function rfc6962Inclusion(bytes32 leaf, uint64 index, uint64 size, bytes32[] calldata path)
        external
        pure
        returns (bytes32 root);

    function leafHash(bytes calldata entry) external pure returns (bytes32);
}

/// The composable variant: every anchored root stays readable.
interface IComposableLedger is ISettlementLedger {
    /// Root of the checkpoint that was anchored at this size; 0 if none was.
    function rootAt(bytes32 logId, uint64 size) external view returns (bytes32 root);

    /// Whether `statement` is entry `index` of the checkpoint that was anchored at this size.
    function verifyInclusionAt(
        bytes32 logId,
        uint64 size,
        bytes calldata statement,
        uint64 index,
        bytes32[] calldata path
    ) external view returns (bool);
}
