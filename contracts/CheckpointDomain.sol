// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// What an epoch key signs and how its address is recovered. EIP-712 binds a checkpoint to one chain and one contract.
abstract contract CheckpointDomain {
    bytes32 private constant DOMAIN_TYPE =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 internal constant CHECKPOINT_TYPE =
        keccak256("Checkpoint(bytes32 logId,uint64 size,bytes32 root,bytes32 previousHead)");
    bytes32 private constant NAME = keccak256("OpenGradient.Engine");
    bytes32 private constant VERSION = keccak256("1");

    /// Half of the curve's order: a higher s is the twin of a lower one and would make signatures malleable.
    uint256 private constant HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;

    uint256 internal immutable _cachedChainId = block.chainid;
    bytes32 internal immutable _cachedSeparator = _separator();

    /// Not 65 bytes, v other than 27 or 28, high s, or nothing to recover.
    error BadSignature();

    /// The separator of the chain this runs on; computed anew where a chain has split and taken another id.
    function domainSeparator() public view returns (bytes32) {
        return block.chainid == _cachedChainId ? _cachedSeparator : _separator();
    }

    /// The 32 bytes that the epoch key signs for a checkpoint.
    function checkpointDigest(bytes32 logId, uint64 size, bytes32 root, bytes32 previousHead)
        public
        view
        returns (bytes32)
    {
        bytes32 content = keccak256(abi.encode(CHECKPOINT_TYPE, logId, size, root, previousHead));
        return keccak256(abi.encodePacked(hex"1901", domainSeparator(), content));
    }

    /// `signature` is r || s || v with v 27 or 28, so that one signature has one encoding.
    function _recover(bytes32 digest, bytes calldata signature) internal pure returns (address signer) {
        if (signature.length != 65) revert BadSignature();
        bytes32 r = bytes32(signature[0:32]);
        bytes32 s = bytes32(signature[32:64]);
        uint8 v = uint8(signature[64]);
        if (uint256(s) > HALF_ORDER || (v != 27 && v != 28)) revert BadSignature();
        signer = ecrecover(digest, v, r, s);
        if (signer == address(0)) revert BadSignature();
    }

    function _separator() private view returns (bytes32) {
        return keccak256(abi.encode(DOMAIN_TYPE, NAME, VERSION, block.chainid, address(this)));
    }
}
