// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// Merkle proofs over SHA-256 trees: RFC 6962 section 2.1, verified as in RFC 9162 section 2.1.3.2 and 2.1.4.2.
/// Proofs list siblings from the leaf to the root. A proof of any other length than the tree's shape demands is
/// malformed; no function reverts on one.
library Rfc6962 {
    /// Root of the tree without leaves: SHA-256 of nothing.
    bytes32 internal constant EMPTY_ROOT = 0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855;

    /// H(0x00 || entry). The prefix keeps an entry from posing as an inner node.
    function leafHash(bytes calldata entry) internal pure returns (bytes32) {
        return sha256(abi.encodePacked(bytes1(0x00), entry));
    }

    /// H(0x01 || left || right)
    function nodeHash(bytes32 left, bytes32 right) internal pure returns (bytes32) {
        return sha256(abi.encodePacked(bytes1(0x01), left, right));
    }

    /// Root that `path` gives for `leaf` at `index` of a tree with `size` leaves; (false, 0) if malformed.
    function inclusionRoot(bytes32 leaf, uint64 index, uint64 size, bytes32[] calldata path)
        internal
        pure
        returns (bool wellFormed, bytes32 root)
    {
        if (index >= size) return (false, 0);
        uint64 position = index;
        uint64 last = size - 1;
        root = leaf;
        for (uint256 i = 0; i < path.length; i++) {
            if (last == 0) return (false, 0);
            if (position & 1 == 1 || position == last) {
                root = nodeHash(path[i], root);
                (position, last) = _skipRightEdge(position, last);
            } else {
                root = nodeHash(root, path[i]);
            }
            position >>= 1;
            last >>= 1;
        }
        if (last != 0) return (false, 0);
        return (true, root);
    }

    /// Whether the tree of `newSize` leaves begins with the tree of `oldSize` leaves. Equal sizes, and size 0 on the
    /// old side, take an empty proof.
    function isConsistent(
        uint64 oldSize,
        uint64 newSize,
        bytes32 oldRoot,
        bytes32 newRoot,
        bytes32[] calldata proof
    ) internal pure returns (bool) {
        if (oldSize > newSize) return false;
        if (oldSize == newSize) return proof.length == 0 && oldRoot == newRoot && _rootFitsSize(oldRoot, oldSize);
        if (oldSize == 0) return proof.length == 0 && oldRoot == EMPTY_ROOT;
        return _isExtension(oldSize, newSize, oldRoot, newRoot, proof);
    }

    /// RFC 9162 section 2.1.4.2 for 0 < oldSize < newSize.
    function _isExtension(
        uint64 oldSize,
        uint64 newSize,
        bytes32 oldRoot,
        bytes32 newRoot,
        bytes32[] calldata proof
    ) private pure returns (bool) {
        if (proof.length == 0) return false;
        uint64 position = oldSize - 1;
        uint64 last = newSize - 1;
        while (position & 1 == 1) {
            position >>= 1;
            last >>= 1;
        }
        // A complete old tree is itself the first node of the path, so the proof does not repeat it.
        bool complete = position == 0;
        bytes32 oldHash = complete ? oldRoot : proof[0];
        bytes32 newHash = oldHash;
        for (uint256 i = complete ? 0 : 1; i < proof.length; i++) {
            if (last == 0) return false;
            if (position & 1 == 1 || position == last) {
                oldHash = nodeHash(proof[i], oldHash);
                newHash = nodeHash(proof[i], newHash);
                (position, last) = _skipRightEdge(position, last);
            } else {
                newHash = nodeHash(newHash, proof[i]);
            }
            position >>= 1;
            last >>= 1;
        }
        return last == 0 && oldHash == oldRoot && newHash == newRoot;
    }

    /// On the right edge of an incomplete tree a node rises to the level where it gets a sibling.
    function _skipRightEdge(uint64 position, uint64 last) private pure returns (uint64, uint64) {
        while (position & 1 == 0 && position != 0) {
            position >>= 1;
            last >>= 1;
        }
        return (position, last);
    }

    function _rootFitsSize(bytes32 root, uint64 size) private pure returns (bool) {
        return size != 0 || root == EMPTY_ROOT;
    }
}
