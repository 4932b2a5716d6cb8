// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IComposableLedger, ISettlementLedger} from "../ISettlementLedger.sol";

/// What a holder of a receipt hands to a contract: parts of a bundle, as docs/formats.md lays them out.
struct Proof {
    /// header (120) ‖ signature (65) ‖ body
    bytes statement;
    /// 118 bytes: salt, digests of request, output and parameters, slot
    bytes row;
    uint64 rowIndex;
    bytes32[] rowPath;
    /// Zero where the ledger keeps the roots itself.
    bytes32 root;
    uint64 size;
    uint64 index;
    bytes32[] path;
}

/// What has been proven: under this log and epoch, this request had this output.
struct Result {
    bytes32 logId;
    bytes32 epoch;
    address signer;
    bytes32 request;
    bytes32 output;
    bytes32 parameters;
}

/// Reads a result out of a proof, or reverts with what is wrong. The whole way: row → statement → anchored checkpoint, and
/// the standing of the key that signed. Made for other contracts to use; what a result means is theirs to decide.
library ProvenResult {
    uint256 private constant HEADER = 120;
    uint256 private constant BODY = HEADER + 65;
    uint256 private constant ROW = 118;
    bytes16 private constant TAG = "OGE statement v1";

    error MalformedStatement();
    error MalformedRow();
    error RowNotInStatement();
    error StatementNotAnchored();
    /// Another log's or epoch's key, or one that is not registered, revoked or convicted.
    error KeyNotTrusted(address signer, uint8 status);
    /// No key of the log may anchor now: its last one was revoked or convicted, or the owner halted the log.
    error LogSuspended(bytes32 logId);

    /// Against the newest anchor.
    function read(ISettlementLedger ledger, Proof calldata proof) internal view returns (Result memory result) {
        result = _content(ledger, proof);
        if (!ledger.verifyInclusion(result.logId, proof.root, proof.size, proof.statement, proof.index, proof.path)) {
            revert StatementNotAnchored();
        }
    }

    /// Against any anchor, with a ledger that keeps the roots.
    function readAt(IComposableLedger ledger, Proof calldata proof) internal view returns (Result memory result) {
        result = _content(ledger, proof);
        if (!ledger.verifyInclusionAt(result.logId, proof.size, proof.statement, proof.index, proof.path)) {
            revert StatementNotAnchored();
        }
    }

    function _content(ISettlementLedger ledger, Proof calldata proof) private view returns (Result memory result) {
        bytes calldata statement = proof.statement;
        if (statement.length <= BODY || bytes16(statement[:16]) != TAG || uint8(statement[BODY - 1]) > 1) {
            revert MalformedStatement();
        }
        if (sha256(statement[BODY:]) != bytes32(statement[88:120])) revert MalformedStatement();
        if (proof.row.length != ROW) revert MalformedRow();

        (bytes32 rowsRoot, uint64 receipts) = _rows(statement[BODY:]);
        bytes32 leaf = ledger.leafHash(proof.row);
        if (ledger.rfc6962Inclusion(leaf, proof.rowIndex, receipts, proof.rowPath) != rowsRoot) revert RowNotInStatement();

        result.logId = bytes32(statement[16:48]);
        result.epoch = bytes32(statement[48:80]);
        result.signer = _signer(statement);
        result.request = bytes32(proof.row[16:48]);
        result.output = bytes32(proof.row[48:80]);
        result.parameters = bytes32(proof.row[80:112]);
        _requireTrust(ledger, result);
    }

    /// Body keys 1 (context, skipped), 2 (rows root) and 3 (receipts): deterministic CBOR, so they come in this order and
    /// every length has one form.
    function _rows(bytes calldata body) private pure returns (bytes32 rowsRoot, uint64 receipts) {
        if (body.length < 4 || (body[0] != 0xa5 && body[0] != 0xa6) || body[1] != 0x01) revert MalformedStatement();
        (uint256 length, uint256 start) = _head(body, 2, 0x40);
        start += length;
        if (body.length < start + 36 || body[start] != 0x02 || body[start + 1] != 0x58 || body[start + 2] != 0x20) revert MalformedStatement();
        rowsRoot = bytes32(body[start + 3:start + 35]);
        if (body[start + 35] != 0x03) revert MalformedStatement();
        (uint256 count,) = _head(body, start + 36, 0x00);
        receipts = uint64(count);
    }

    /// A CBOR head of this major type (its upper three bits): its argument, and where it ends.
    function _head(bytes calldata body, uint256 start, uint8 major) private pure returns (uint256 argument, uint256 next) {
        if (start >= body.length) revert MalformedStatement();
        uint8 first = uint8(body[start]);
        if (first & 0xe0 != major) revert MalformedStatement();
        argument = first & 0x1f;
        next = start + 1;
        if (argument < 24) return (argument, next);
        uint256 width = argument == 24 ? 1 : argument == 25 ? 2 : argument == 26 ? 4 : 0;
        if (width == 0 || next + width > body.length) revert MalformedStatement();
        argument = 0;
        for (uint256 i = 0; i < width; i++) argument = (argument << 8) | uint8(body[next + i]);
        next += width;
    }

    function _signer(bytes calldata statement) private pure returns (address) {
        (bytes32 r, bytes32 s) = (bytes32(statement[120:152]), bytes32(statement[152:184]));
        return ecrecover(sha256(statement[:HEADER]), uint8(statement[184]) + 27, r, s);
    }

    /// Active or replaced, for this log and epoch; and the log itself is not suspended.
    function _requireTrust(ISettlementLedger ledger, Result memory result) private view {
        (bytes32 logId, uint8 status,, bytes32 epoch) = ledger.keyInfo(result.signer);
        if ((status != 1 && status != 2) || logId != result.logId || epoch != result.epoch) {
            revert KeyNotTrusted(result.signer, status);
        }
        (, address active) = ledger.head(result.logId);
        if (active == address(0)) revert LogSuspended(result.logId);
    }
}
