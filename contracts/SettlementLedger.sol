// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Administered} from "./Administered.sol";
import {CheckpointDomain} from "./CheckpointDomain.sol";
import {Rfc6962} from "./Rfc6962.sol";

/// Anchors checkpoints of append-only logs and convicts keys that equivocate.
///
/// A head is the first 24 bytes of a checkpoint's root followed by its tree size (uint64). A log has one head, held by
/// its one active key; anchoring is a compare-and-swap on it. Heads lie under (log, key), so that one storage slot says
/// both that a signer may anchor and what it must build on. A head is never zero: a fresh log has the empty tree's.
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
        /// The head while no key is active, else zero.
        bytes32 parkedHead;
    }

    /// Bytes of a statement header, and its first 16; the layout is in docs/formats.md.
    uint256 private constant HEADER_LENGTH = 120;
    bytes16 private constant HEADER_TAG = "OGE statement v1";

    bytes32 private constant FRESH_HEAD = Rfc6962.EMPTY_ROOT & ~bytes32(uint256(type(uint64).max));

    /// Under keccak256(abi.encode(logId, signer)); zero unless signer is the log's active key.
    mapping(bytes32 => bytes32) private _heads;
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
    event Anchored(
        bytes32 indexed logId, address indexed signer, uint64 size, bytes32 root, bytes32 previousHead
    );

    /// The recovered signer holds no head of this log. Also what a signature over other content ends in.
    error NotActiveKey(address signer);
    error StaleHead(bytes32 current);
    error SizeNotIncreasing(uint64 currentSize);
    error KeyAlreadyRegistered(address signer);
    /// `required` is the key a successor must name; 0 for a log without keys.
    error WrongPredecessor(address required);
    error UnknownKey(bytes32 logId, address signer);
    /// Revoked or convicted before.
    error KeyAlreadyClosed(address signer, Status status);
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

        bytes32 inherited = predecessor == address(0) ? FRESH_HEAD : _takeHead(log, logId, predecessor);
        _keys[signer] = Key(logId, evidenceDigest, epoch, Status.Active);
        _heads[_slotOf(logId, signer)] = inherited;
        log.lastKey = signer;
        emit KeyRegistered(logId, signer, predecessor, evidenceDigest, epoch, inherited);
    }

    /// Ends a key for good. If it was active, the log's head waits for a successor.
    function revokeKey(bytes32 logId, address signer, bytes32 reason) external onlyRegistrar {
        bytes32 parked = _close(logId, signer, Status.Revoked);
        emit KeyRevoked(logId, signer, reason, parked);
    }

    /// Moves the log's head from `previousHead` to (root, size). Anyone may submit; the signature decides.
    function anchor(bytes32 logId, bytes32 previousHead, bytes32 root, uint64 size, bytes calldata signature)
        external
        whenNotPaused
    {
        address signer = _recover(checkpointDigest(logId, size, root, previousHead), signature);
        bytes32 slot = _slotOf(logId, signer);
        bytes32 current = _heads[slot];
        if (current == 0) revert NotActiveKey(signer);
        if (current != previousHead) revert StaleHead(current);
        if (size <= _sizeOf(current)) revert SizeNotIncreasing(_sizeOf(current));
        _heads[slot] = _pack(root, size);
        emit Anchored(logId, signer, size, root, previousHead);
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
        return (_heads[_slotOf(logId, log.lastKey)], log.lastKey);
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
        bytes32 slot = _slotOf(logId, signer);
        parked = _heads[slot];
        _heads[slot] = 0;
        _logs[logId].parkedHead = parked;
    }

    function _takeHead(Log storage log, bytes32 logId, address predecessor) private returns (bytes32 taken) {
        taken = log.parkedHead;
        if (taken != 0) {
            log.parkedHead = 0;
            return taken;
        }
        bytes32 slot = _slotOf(logId, predecessor);
        taken = _heads[slot];
        _heads[slot] = 0;
        _keys[predecessor].status = Status.Replaced;
    }

    function _requireHeader(bytes calldata header) private pure {
        if (header.length != HEADER_LENGTH || bytes16(header[:16]) != HEADER_TAG) revert MalformedHeader();
    }

    function _slotOf(bytes32 logId, address signer) private pure returns (bytes32) {
        return keccak256(abi.encode(logId, signer));
    }

    function _pack(bytes32 root, uint64 size) private pure returns (bytes32) {
        return (root & ~bytes32(uint256(type(uint64).max))) | bytes32(uint256(size));
    }

    function _sizeOf(bytes32 packedHead) private pure returns (uint64) {
        return uint64(uint256(packedHead));
    }
}
