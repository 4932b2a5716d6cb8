// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

// What the gas table compares with. Nothing here is deployed by the engine.

/// The least that an anchor can be: one sender, one word of calldata, one storage write, no event, no check of anything.
contract Floor {
    address private immutable _sender = msg.sender;
    bytes32 private _head;

    function anchor(bytes32 head) external {
        require(msg.sender == _sender);
        _head = head;
    }
}

/// The shape of the descended network's batch settlement: a role, a root, a count, a name of the blob that holds the
/// leaves; an event and nothing else. It checks no signature, keeps nothing, and takes the same root twice.
contract BatchRelay {
    mapping(bytes32 => mapping(address => bool)) private _hasRole;
    bytes32 private constant RELAY = keccak256("RELAY");

    event BatchSettled(bytes32 indexed root, uint256 size, bytes blob);

    constructor() {
        _hasRole[RELAY][msg.sender] = true;
    }

    function settle(bytes32 root, uint256 size, bytes calldata blob) external {
        require(_hasRole[RELAY][msg.sender]);
        emit BatchSettled(root, size, blob);
    }
}

/// A receipt's commitment on chain by itself: written once, by one sender, with an event.
contract SingleReceipts {
    address private immutable _sender = msg.sender;
    mapping(bytes32 => uint256) private _blockOf;

    event Recorded(bytes32 indexed receipt);

    function record(bytes32 receipt) external {
        require(msg.sender == _sender && _blockOf[receipt] == 0);
        _blockOf[receipt] = block.number;
        emit Recorded(receipt);
    }
}
