// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Administered} from "./Administered.sol";
import {CheckpointDomain} from "./CheckpointDomain.sol";
import {Rfc6962} from "./Rfc6962.sol";

/// Anchors checkpoints of append-only logs and convicts keys that equivocate.
///
/// A head is the first 24 bytes of a checkpoint's root followed by its tree size (uint64). A log has one head, held by
/// its one active key; anchoring is a compare-and-swap on it. Heads lie under (key, log), so that one storage slot says
/// both that a signer may anchor and what it must build on. A head is never zero: a fresh log has the empty tree's.
/// Whatever forbids anchoring (no active key, a halted log) takes the head out of that slot, so that an anchor reads no
/// other slot.
contract SettlementLedger is Administered, CheckpointDomain {
    /// Active: may anchor. Replaced: a successor took the head. Revoked: by the registrar. Faulty: convicted here.
    enum Status {
        None,
        Active,
        Replaced,
        Revoked,
        Faulty
    }

    struct Key {
        bytes32 logId;
        bytes32 evidenceDigest;
        bytes32 epoch;
        Status status;
    }

    struct Log {
        address lastKey;
        /// By the owner: nothing is anchored, and no key registered, until it is resumed.
        bool halted;
        /// The head while no key is active or the log is halted, else zero.
        bytes32 parkedHead;
    }

    /// Bytes of a statement header, and its first 16; the layout is in docs/formats.md.
    uint256 private constant HEADER_LENGTH = 120;
    bytes16 private constant HEADER_TAG = "OGE statement v1";

    bytes32 private constant FRESH_HEAD = Rfc6962.EMPTY_ROOT & ~bytes32(uint256(type(uint64).max));

    uint256 private constant SIZE_MASK = 0xffffffffffffffff;

    mapping(address => Key) private _keys;
    mapping(bytes32 => Log) private _logs;

    event KeyRegistered(
        bytes32 indexed logId,
        address indexed signer,
        address indexed predecessor,
        bytes32 evidenceDigest,
        bytes32 epoch,
        bytes32 head
    );
    /// `parkedHead` is zero if the key was not active.
    event KeyRevoked(bytes32 indexed logId, address indexed signer, bytes32 reason, bytes32 parkedHead);
    /// Two signatures by `signer` for one position: `digestA` and `digestB` are what it signed.
    event KeyFaulty(bytes32 indexed logId, address indexed signer, bytes32 digestA, bytes32 digestB, bytes32 parkedHead);
    event LogHalted(bytes32 indexed logId, bool halted);

    // An accepted anchor emits one event without a name: topic 0 is the log, the data is size (uint64) ‖ root, 40 bytes.
    // A name and words of 32 bytes would cost 567 gas more. The head it built on is that of the log's event before.

    /// This key holds no head of this log: never registered for it, replaced, revoked, convicted, or the log is halted.
    error NotActiveKey(address signer);
    error SizeNotIncreasing(uint64 currentSize);
    /// The signature is not this key's over this checkpoint on the log's current head: made by another key, over other
    /// content, or for a head that has moved on.
    error NotSignedOnHead(bytes32 current);
    error KeyAlreadyRegistered(address signer);
    /// `required` is the key a successor must name; 0 for a log without keys.
    error WrongPredecessor(address required);
    error UnknownKey(bytes32 logId, address signer);
    /// Revoked or convicted before.
    error KeyAlreadyClosed(address signer, Status status);
    error UnknownLog(bytes32 logId);
    error Halted(bytes32 logId);
    error NotEquivocation();
    error MalformedHeader();
    error MalformedProof();

    constructor(address registrar_) Administered(registrar_) {}

    /// Admits a key, once ever. The first key of a log names predecessor 0 and starts at the empty tree; every later one
    /// names the log's last key (active, revoked or faulty) and continues from its head.
    function registerKey(bytes32 logId, address signer, bytes32 evidenceDigest, bytes32 epoch, address predecessor)
        external
        onlyRegistrar
        whenNotPaused
    {
        if (signer == address(0)) revert ZeroAddress();
        if (_keys[signer].status != Status.None) revert KeyAlreadyRegistered(signer);
        Log storage log = _logs[logId];
        if (predecessor != log.lastKey) revert WrongPredecessor(log.lastKey);
        if (log.halted) revert Halted(logId);

        bytes32 inherited = predecessor == address(0) ? FRESH_HEAD : _takeHead(log, logId, predecessor);
        _keys[signer] = Key(logId, evidenceDigest, epoch, Status.Active);
        _setHead(logId, signer, inherited);
        log.lastKey = signer;
        emit KeyRegistered(logId, signer, predecessor, evidenceDigest, epoch, inherited);
    }

    /// Ends a key for good. If it was active, the log's head waits for a successor.
    function revokeKey(bytes32 logId, address signer, bytes32 reason) external onlyRegistrar {
        bytes32 parked = _close(logId, signer, Status.Revoked);
        emit KeyRevoked(logId, signer, reason, parked);
    }

    /// Stops anchoring of these logs, or lets it go on. Logs that are in that state already are passed over.
    function setHalted(bytes32[] calldata logIds, bool halted) external onlyOwner {
        for (uint256 i = 0; i < logIds.length; i++) {
            Log storage log = _logs[logIds[i]];
            if (log.lastKey == address(0)) revert UnknownLog(logIds[i]);
            if (log.halted == halted) continue;
            log.halted = halted;
            // Without an active key the head is parked already, and stays so.
            if (_keys[log.lastKey].status == Status.Active) _moveHead(log, logIds[i], halted);
            emit LogHalted(logIds[i], halted);
        }
    }

    /// Moves the log's head to (root, size). Anyone may submit; the signature decides: it is the active key's, over this
    /// checkpoint on the head that the contract holds, in EIP-2098's form (r, v and s in one word).
    /// `keyAndSize` is the signing key's address (20 bytes), 4 bytes that nobody looks at, and the size (uint64).
    /// With these types in this order its selector is the contract's lowest, the first that a call is compared with.
    function anchor(bytes32 logId, uint256 keyAndSize, bytes32 root, bytes32 r, uint256 vs) public virtual {
        bytes32 separator = block.chainid == _cachedChainId ? _cachedSeparator : domainSeparator();
        bytes32 checkpointType = CHECKPOINT_TYPE;
        bytes32 slot;
        bytes32 current;
        uint256 accepted;
        // Nothing that lies in memory is used later, so the block writes where it likes behind Solidity's own 128 bytes.
        assembly {
            // The slot: see _slotOf. The log overwrites what stands behind the key.
            mstore(0x8c, keyAndSize)
            mstore(0xa0, logId)
            slot := keccak256(0x8c, 0x34)
            current := sload(slot)
            // The digest: see checkpointDigest.
            let size := shl(192, keyAndSize)
            mstore(0x80, checkpointType)
            mstore(0xc0, shr(192, size))
            mstore(0xe0, root)
            mstore(0x100, current)
            mstore(0x120, hex"1901")
            mstore(0x122, separator)
            mstore(0x142, keccak256(0x80, 0xa0))
            mstore(0x120, keccak256(0x120, 0x42))
            mstore(0x140, add(27, shr(255, vs)))
            mstore(0x160, r)
            mstore(0x180, shr(1, shl(1, vs)))
            // Nothing comes back for what is no signature: the digest then stays where the address would be, and is
            // none. A high s needs no check: nothing is keyed by signatures, and this form leaves it next to no room.
            pop(staticcall(gas(), 1, 0x120, 0x80, 0x120, 0x20))
            accepted := and(eq(mload(0x120), shr(96, keyAndSize)), gt(size, shl(192, current)))
            // A stranger could sign for no head at all.
            accepted := mul(accepted, current)
        }
        if (accepted == 0) _refuse(address(uint160(keyAndSize >> 96)), uint64(keyAndSize), current);
        assembly {
            sstore(slot, or(shl(64, shr(64, root)), mload(0xc0)))
            log1(0xd8, 0x28, logId)
        }
    }

    /// Convicts a key that signed two roots for one size of its log. Anyone may prove it, also while paused.
    function proveCheckpointEquivocation(
        bytes32 logId,
        uint64 size,
        bytes32 rootA,
        bytes32 previousHeadA,
        bytes calldata signatureA,
        bytes32 rootB,
        bytes32 previousHeadB,
        bytes calldata signatureB
    ) external {
        if (rootA == rootB) revert NotEquivocation();
        bytes32 digestA = checkpointDigest(logId, size, rootA, previousHeadA);
        bytes32 digestB = checkpointDigest(logId, size, rootB, previousHeadB);
        _convict(logId, digestA, signatureA, digestB, signatureB);
    }

    /// Convicts a key that signed two statement headers for one (log, epoch, sequence). The signed digest is the
    /// header's SHA-256; the submitter writes the format's v (0 or 1) as 27 or 28.
    function proveStatementEquivocation(
        bytes calldata headerA,
        bytes calldata signatureA,
        bytes calldata headerB,
        bytes calldata signatureB
    ) external {
        _requireHeader(headerA);
        _requireHeader(headerB);
        // Bytes 0 to 88: tag, log, epoch, sequence.
        if (keccak256(headerA[:88]) != keccak256(headerB[:88])) revert NotEquivocation();
        bytes32 digestA = sha256(headerA);
        bytes32 digestB = sha256(headerB);
        if (digestA == digestB) revert NotEquivocation();
        _convict(bytes32(headerA[16:48]), digestA, signatureA, digestB, signatureB);
    }

    /// The log's head, and the key that may move it: 0 while the head is parked. Both 0 for an unknown log.
    function head(bytes32 logId) public view returns (bytes32 packedHead, address activeKey) {
        Log storage log = _logs[logId];
        if (log.parkedHead != 0) return (log.parkedHead, address(0));
        return (_headOf(logId, log.lastKey), log.lastKey);
    }

    function isHalted(bytes32 logId) external view returns (bool) {
        return _logs[logId].halted;
    }

    function keyInfo(address signer)
        external
        view
        returns (bytes32 logId, Status status, bytes32 evidenceDigest, bytes32 epoch)
    {
        Key storage key = _keys[signer];
        return (key.logId, key.status, key.evidenceDigest, key.epoch);
    }

    /// Whether `statement` is entry `index` of the log's newest anchored checkpoint (root, size). False, never a revert,
    /// if anything does not fit. Says nothing of the key's standing: ask keyInfo.
    function verifyInclusion(
        bytes32 logId,
        bytes32 root,
        uint64 size,
        bytes calldata statement,
        uint64 index,
        bytes32[] calldata path
    ) external view returns (bool) {
        (bytes32 current,) = head(logId);
        if (current == 0 || current != _pack(root, size)) return false;
        (bool wellFormed, bytes32 computed) =
            Rfc6962.inclusionRoot(Rfc6962.leafHash(statement), index, size, path);
        return wellFormed && computed == root;
    }

    /// Whether the tree (n, rootN) extends the tree (m, rootM).
    function verifyConsistency(uint64 m, uint64 n, bytes32 rootM, bytes32 rootN, bytes32[] calldata proof)
        external
        pure
        returns (bool)
    {
        return Rfc6962.isConsistent(m, n, rootM, rootN, proof);
    }

    /// Root that the path leads to. With leafHash this proves a row under a statement's rows root as well.
    function rfc6962Inclusion(bytes32 leaf, uint64 index, uint64 size, bytes32[] calldata path)
        external
        pure
        returns (bytes32 root)
    {
        bool wellFormed;
        (wellFormed, root) = Rfc6962.inclusionRoot(leaf, index, size, path);
        if (!wellFormed) revert MalformedProof();
    }

    function leafHash(bytes calldata entry) external pure returns (bytes32) {
        return Rfc6962.leafHash(entry);
    }

    function _convict(
        bytes32 logId,
        bytes32 digestA,
        bytes calldata signatureA,
        bytes32 digestB,
        bytes calldata signatureB
    ) private {
        address signer = _recover(digestA, signatureA);
        if (signer != _recover(digestB, signatureB)) revert NotEquivocation();
        bytes32 parked = _close(logId, signer, Status.Faulty);
        emit KeyFaulty(logId, signer, digestA, digestB, parked);
    }

    /// Gives the key its last status and parks its head. A revoked key can still be convicted; nothing undoes a conviction.
    function _close(bytes32 logId, address signer, Status status) private returns (bytes32 parked) {
        Key storage key = _keys[signer];
        Status before = key.status;
        if (before == Status.None || key.logId != logId) revert UnknownKey(logId, signer);
        if (before == status || before == Status.Faulty) revert KeyAlreadyClosed(signer, before);
        key.status = status;
        if (before != Status.Active) return 0;
        Log storage log = _logs[logId];
        if (!log.halted) _moveHead(log, logId, true);
        return log.parkedHead;
    }

    /// Between the active key's slot and the parking place.
    function _moveHead(Log storage log, bytes32 logId, bool park) private {
        if (park) {
            log.parkedHead = _headOf(logId, log.lastKey);
            _setHead(logId, log.lastKey, 0);
        } else {
            _setHead(logId, log.lastKey, log.parkedHead);
            log.parkedHead = 0;
        }
    }

    function _takeHead(Log storage log, bytes32 logId, address predecessor) private returns (bytes32 taken) {
        taken = log.parkedHead;
        if (taken != 0) {
            log.parkedHead = 0;
            return taken;
        }
        taken = _headOf(logId, predecessor);
        _setHead(logId, predecessor, 0);
        _keys[predecessor].status = Status.Replaced;
    }

    function _refuse(address signer, uint64 size, bytes32 current) private pure {
        if (current == 0) revert NotActiveKey(signer);
        if (size <= _sizeOf(current)) revert SizeNotIncreasing(_sizeOf(current));
        revert NotSignedOnHead(current);
    }

    function _requireHeader(bytes calldata header) private pure {
        if (header.length != HEADER_LENGTH || bytes16(header[:16]) != HEADER_TAG) revert MalformedHeader();
    }

    /// Zero unless signer is the log's active key and the log is not halted.
    function _headOf(bytes32 logId, address signer) private view returns (bytes32 current) {
        bytes32 slot = _slotOf(logId, signer);
        assembly ("memory-safe") {
            current := sload(slot)
        }
    }

    function _setHead(bytes32 logId, address signer, bytes32 head_) private {
        bytes32 slot = _slotOf(logId, signer);
        assembly ("memory-safe") {
            sstore(slot, head_)
        }
    }

    /// Hashes 52 bytes, which no mapping does, so that no choice of log and key leads to another variable's slot.
    function _slotOf(bytes32 logId, address signer) private pure returns (bytes32) {
        return keccak256(abi.encodePacked(signer, logId));
    }

    function _pack(bytes32 root, uint64 size) internal pure returns (bytes32) {
        return (root & ~bytes32(uint256(type(uint64).max))) | bytes32(uint256(size));
    }

    function _sizeOf(bytes32 packedHead) private pure returns (uint64) {
        return uint64(uint256(packedHead));
    }
}
