// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IComposableLedger, ISettlementLedger} from "../ISettlementLedger.sol";
import {Proof, ProvenResult, Result} from "./ProvenResult.sol";

/// An example of a contract that acts on proven results: it takes down, once per request and log, which output was given.
/// It trusts the logs it was made for, and no key that the ledger calls revoked or faulty.
contract DecisionBook {
    ISettlementLedger public immutable ledger;
    bytes32 public immutable trustedLog;

    /// Output digest by request digest.
    mapping(bytes32 => bytes32) public outputOf;

    event Decided(bytes32 indexed request, bytes32 indexed output, address signer);

    error OtherLog(bytes32 logId);
    error AlreadyDecided(bytes32 request, bytes32 output);

    constructor(ISettlementLedger ledger_, bytes32 trustedLog_) {
        ledger = ledger_;
        trustedLog = trustedLog_;
    }

    /// Takes a result that is under the log's newest anchor.
    function decide(Proof calldata proof) external {
        _take(ProvenResult.read(ledger, proof));
    }

    /// Takes a result that is under any anchor; the ledger must be a composable one.
    function decideAt(Proof calldata proof) external {
        _take(ProvenResult.readAt(IComposableLedger(address(ledger)), proof));
    }

    function _take(Result memory result) private {
        if (result.logId != trustedLog) revert OtherLog(result.logId);
        if (outputOf[result.request] != 0) revert AlreadyDecided(result.request, outputOf[result.request]);
        outputOf[result.request] = result.output;
        emit Decided(result.request, result.output, result.signer);
    }
}
