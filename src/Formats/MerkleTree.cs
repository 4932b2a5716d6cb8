using System.Numerics;
using System.Security.Cryptography;

namespace OpenGradient.Engine.Formats;

/// <summary>RFC 6962 §2.1 over SHA-256: hashes, roots, and the checks of inclusion and consistency proofs.</summary>
public static class MerkleTree
{
    /// <summary>The root of a tree without leaves: H("").</summary>
    public static Hash256 EmptyRoot { get; } = Hash256.Sha256([]);

    /// <summary>H(0x00 ‖ entry).</summary>
    public static Hash256 LeafHash(ReadOnlySpan<byte> entry)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData([0]);
        hash.AppendData(entry);
        Span<byte> digest = stackalloc byte[Hash256.Size];
        hash.GetHashAndReset(digest);
        return new Hash256(digest);
    }

    /// <summary>H(0x01 ‖ left ‖ right).</summary>
    public static Hash256 NodeHash(in Hash256 left, in Hash256 right)
    {
        Span<byte> input = stackalloc byte[65];
        input[0] = 1;
        left.Bytes.CopyTo(input[1..]);
        right.Bytes.CopyTo(input[33..]);
        Span<byte> digest = stackalloc byte[Hash256.Size];
        SHA256.HashData(input, digest);
        return new Hash256(digest);
    }

    /// <summary>The root over leaf hashes.</summary>
    public static Hash256 Root(ReadOnlySpan<Hash256> leaves)
    {
        if (leaves.Length == 0) return EmptyRoot;
        var level = leaves.ToArray();
        for (var count = level.Length; count > 1; count = (count + 1) / 2)
        {
            for (var i = 0; i < count / 2; i++) level[i] = NodeHash(level[2 * i], level[2 * i + 1]);
            if (count % 2 == 1) level[count / 2] = level[count - 1];
        }

        return level[0];
    }

    /// <summary>Siblings from leaf to root for one leaf (RFC 6962 §2.1.1).</summary>
    public static Hash256[] InclusionPath(ReadOnlySpan<Hash256> leaves, int index)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, leaves.Length);
        var path = new List<Hash256>();
        var level = leaves.ToArray();
        for (var count = level.Length; count > 1; count = (count + 1) / 2, index /= 2)
        {
            if ((index ^ 1) < count) path.Add(level[index ^ 1]);
            for (var i = 0; i < count / 2; i++) level[i] = NodeHash(level[2 * i], level[2 * i + 1]);
            if (count % 2 == 1) level[count / 2] = level[count - 1];
        }

        return [.. path];
    }

    /// <summary>How many siblings the proof of <paramref name="index"/> in a tree of <paramref name="size"/> has.</summary>
    public static int PathLength(ulong index, ulong size)
    {
        var length = 0;
        for (; size > 1; index /= 2, size -= size / 2)
            if ((index ^ 1) < size) length++;
        return length;
    }

    /// <summary>The root that a path leads to, or null when the path's length does not fit the tree's shape (RFC 9162 §2.1.3.2).</summary>
    public static Hash256? RootFromPath(Hash256 leaf, ulong index, ulong size, ReadOnlySpan<Hash256> path)
    {
        if (index >= size || path.Length != PathLength(index, size)) return null;
        var node = leaf;
        var next = 0;
        for (; size > 1; index /= 2, size -= size / 2)
        {
            if ((index ^ 1) >= size) continue;
            node = index % 2 == 1 ? NodeHash(path[next], node) : NodeHash(node, path[next]);
            next++;
        }

        return node;
    }

    /// <summary>Checks that the tree of <paramref name="oldSize"/> is a prefix of the tree of <paramref name="newSize"/> (RFC 9162 §2.1.4.2).</summary>
    public static bool VerifyConsistency(ulong oldSize, Hash256 oldRoot, ulong newSize, Hash256 newRoot, ReadOnlySpan<Hash256> proof)
    {
        if (oldSize > newSize) return false;
        if (oldSize == newSize) return proof.IsEmpty && oldRoot == newRoot;
        if (oldSize == 0) return proof.IsEmpty && oldRoot == EmptyRoot;
        if (proof.IsEmpty) return false;

        var next = 0;
        var first = BitOperations.IsPow2(oldSize) ? oldRoot : proof[next++];
        ulong fn = oldSize - 1, sn = newSize - 1;
        while ((fn & 1) == 1) { fn >>= 1; sn >>= 1; }

        Hash256 fr = first, sr = first;
        for (; next < proof.Length; next++)
        {
            if (sn == 0) return false;
            if ((fn & 1) == 1 || fn == sn)
            {
                fr = NodeHash(proof[next], fr);
                sr = NodeHash(proof[next], sr);
                while ((fn & 1) == 0 && fn != 0) { fn >>= 1; sn >>= 1; }
            }
            else
            {
                sr = NodeHash(sr, proof[next]);
            }

            fn >>= 1;
            sn >>= 1;
        }

        return sn == 0 && fr == oldRoot && sr == newRoot;
    }
}
