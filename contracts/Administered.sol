// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// Two roles. The owner appoints the registrar, pauses, and hands itself over in two steps, so that a mistyped address
/// cannot orphan the contract. The registrar alone registers and revokes keys.
abstract contract Administered {
    address public owner;
    address public pendingOwner;

    /// One slot with `paused`: registering reads both.
    address public registrar;
    bool public paused;

    event OwnershipOffered(address indexed owner, address indexed pendingOwner);
    event OwnershipTaken(address indexed previousOwner, address indexed owner);
    event RegistrarChanged(address indexed previousRegistrar, address indexed registrar);
    event PausedChanged(bool paused);

    error NotOwner(address caller);
    error NotPendingOwner(address caller);
    error NotRegistrar(address caller);
    error ZeroAddress();
    error Paused();

    constructor(address registrar_) {
        owner = msg.sender;
        emit OwnershipTaken(address(0), msg.sender);
        _setRegistrar(registrar_);
    }

    modifier onlyOwner() {
        if (msg.sender != owner) revert NotOwner(msg.sender);
        _;
    }

    modifier onlyRegistrar() {
        if (msg.sender != registrar) revert NotRegistrar(msg.sender);
        _;
    }

    modifier whenNotPaused() {
        if (paused) revert Paused();
        _;
    }

    /// Offers ownership; the offer replaces an earlier one, and address 0 withdraws it.
    function transferOwnership(address newOwner) external onlyOwner {
        pendingOwner = newOwner;
        emit OwnershipOffered(owner, newOwner);
    }

    function acceptOwnership() external {
        if (msg.sender != pendingOwner) revert NotPendingOwner(msg.sender);
        emit OwnershipTaken(owner, msg.sender);
        owner = msg.sender;
        pendingOwner = address(0);
    }

    function setRegistrar(address newRegistrar) external onlyOwner {
        _setRegistrar(newRegistrar);
    }

    /// Stops registering, of every log. Anchoring is stopped log by log (setHalted), so that an anchor need not read this
    /// flag. Revoking and convicting stay possible: they only ever take trust away.
    function setPaused(bool paused_) external onlyOwner {
        paused = paused_;
        emit PausedChanged(paused_);
    }

    function _setRegistrar(address newRegistrar) private {
        if (newRegistrar == address(0)) revert ZeroAddress();
        emit RegistrarChanged(registrar, newRegistrar);
        registrar = newRegistrar;
    }
}
